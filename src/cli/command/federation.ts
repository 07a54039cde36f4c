import type { Api, Json } from "#cli/api.ts";
import type { Command, Option } from "#cli/command.ts";
import { CallError } from "#cli/failure.ts";
import { field, pairs, table, textOf } from "#cli/layout.ts";
import { onOff } from "#cli/quantity.ts";

const OIDC = "/v1/lode/federation/oidc";
const SAML = "/v1/lode/federation/saml";

const description: Option = { value: "TEXT", summary: "for people" };
const active: Option = {
  value: "on|off",
  summary: "whether anybody is let in; off ends the keys that came through it",
};

const OIDC_OPTIONS: Readonly<Record<string, Option>> = {
  issuer: { value: "URL", summary: "what tokens say in iss, to the last character" },
  audience: { value: "TEXT", summary: "what tokens say in aud", repeatable: true },
  description,
  active,
  jwks: { value: "FILE", summary: "keys of the issuer, which is not asked then" },
  "private-network": {
    value: "on|off",
    summary: "the operator's: the issuer may be on a private network",
  },
  "role-claim": {
    value: "on|off",
    summary: "roles stand in the claim https://coreweave.com/claims/role",
  },
};

const SAML_OPTIONS: Readonly<Record<string, Option>> = {
  "entity-id": { value: "ID", summary: "of the identity provider" },
  certificate: { value: "FILE", summary: "X.509, of the provider", repeatable: true },
  audience: { value: "TEXT", summary: "what assertions are restricted to" },
  "acs-url": { value: "URL", summary: "the Recipient that assertions must have" },
  description,
  active,
};

export const federationCommands: readonly Command[] = [
  ...commandsOf({
    kind: "oidc",
    path: OIDC,
    what: "an issuer of OIDC tokens",
    options: OIDC_OPTIONS,
    columns: [field("name"), field("issuerUrl", "issuer"), field("audiences", "audience")],
    body: (given, readFile) => {
      const jwks = given.text("jwks");
      return {
        issuerUrl: given.text("issuer"),
        audiences: given.texts("audience"),
        jwks: jwks === undefined ? undefined : readFile(jwks),
        privateNetwork: onOff("private-network", given.text("private-network")),
        roleClaim: onOff("role-claim", given.text("role-claim")),
      };
    },
  }),
  ...commandsOf({
    kind: "saml",
    path: SAML,
    what: "a SAML identity provider",
    options: SAML_OPTIONS,
    columns: [field("name"), field("id"), field("idpEntityId", "entity id"), field("audience")],
    body: (given, readFile) => ({
      idpEntityId: given.text("entity-id"),
      certificates: given.texts("certificate")?.map(readFile),
      audience: given.text("audience"),
      acsUrl: given.text("acs-url"),
    }),
  }),
];

interface Kind {
  /** As `oidc` in `oidc create`. */
  readonly kind: string;
  readonly path: string;
  readonly what: string;
  readonly options: Readonly<Record<string, Option>>;
  readonly columns: Parameters<typeof table>[1];
  readonly body: (
    given: Parameters<Command["run"]>[0],
    readFile: (path: string) => string,
  ) => Record<string, unknown>;
}

function commandsOf({ kind, path, what, options, columns, body }: Kind): readonly Command[] {
  const bodyOf: Kind["body"] = (given, readFile) => ({
    ...body(given, readFile),
    description: given.text("description"),
    active: onOff("active", given.text("active")),
  });
  return [
    {
      name: `${kind} list`,
      summary: `each is ${what} that the organization trusts`,
      run: async (_, { api }) => {
        const all = await listed(api, path);
        return { json: all, text: table(all, [...columns, field("active")]) };
      },
    },
    {
      name: `${kind} create`,
      summary: `trust ${what}: who may do this may become any role`,
      arguments: [{ name: "NAME" }],
      options,
      run: async (given, { api, readFile }) => {
        const asked = { name: given.argument("NAME"), ...bodyOf(given, readFile) };
        const json = await api.call({ method: "POST", path, body: asked });
        return { json, text: shown(json) };
      },
    },
    {
      name: `${kind} update`,
      summary: "change what is given, and nothing else",
      arguments: [{ name: "NAME" }],
      options,
      run: async (given, { api, readFile }) => {
        const at = `${path}/${await idOf(api, path, given.argument("NAME"))}`;
        const json = await api.call({ method: "PUT", path: at, body: bodyOf(given, readFile) });
        return { json, text: shown(json) };
      },
    },
    {
      name: `${kind} delete`,
      summary: "trust it no more; keys that came through it end at once",
      arguments: [{ name: "NAME" }],
      run: async (given, { api }) => {
        const name = given.argument("NAME");
        const at = `${path}/${await idOf(api, path, name)}`;
        const json = await api.call({ method: "DELETE", path: at });
        return { json, text: `The configuration "${name}" is deleted.` };
      },
    },
  ];
}

async function listed(api: Api, path: string): Promise<readonly Json[]> {
  return (await api.call({ path }))["configurations"] as readonly Json[];
}

/** Of a name, or of what is an id already. Fails: CallError. */
async function idOf(api: Api, path: string, name: string): Promise<string> {
  const all = await listed(api, path);
  const found = all.find((each) => each["name"] === name || each["id"] === name);
  if (found !== undefined) return textOf(found["id"]);
  throw new CallError(`configuration "${name}" not found.`);
}

function shown(configuration: Json): string {
  const { name, id, issuerUrl, idpEntityId, audiences, audience, active } = configuration;
  return pairs([
    ["name", textOf(name)],
    ["id", textOf(id)],
    ["issuer", issuerUrl === undefined ? undefined : textOf(issuerUrl)],
    ["entity id", idpEntityId === undefined ? undefined : textOf(idpEntityId)],
    ["audience", textOf(audiences ?? audience)],
    ["active", active === true ? "yes" : "no"],
  ]);
}
