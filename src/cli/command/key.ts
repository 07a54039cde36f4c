import type { Json } from "#cli/api.ts";
import type { Command, Shown, World } from "#cli/command.ts";
import { UsageError } from "#cli/failure.ts";
import type { Given } from "#cli/given.ts";
import { field, pairs, table, textOf, timeOf } from "#cli/layout.ts";
import { namesAndValues, seconds } from "#cli/quantity.ts";

const KEYS = "/v1/cwobject/access-key";
const ID = [{ name: "ID" }] as const;

export const keyCommands: readonly Command[] = [
  {
    name: "key list",
    summary: "access keys of the organization, without their secrets",
    options: {
      user: { value: "UID", summary: "only this user's" },
      principal: { value: "NAME", summary: "only this principal's, as role/ci" },
      active: { summary: "only those that work" },
    },
    run: async (given, { api }) => {
      const user = given.text("user");
      const principalName = user === undefined ? given.text("principal") : `coreweave/${user}`;
      const status = given.is("active") ? "ACTIVE" : undefined;
      const keys = await Array.fromAsync(api.list(KEYS, "info", { principalName, status }));
      return { json: keys, text: table(keys, COLUMNS) };
    },
  },
  {
    name: "key get",
    summary: "one access key",
    arguments: ID,
    run: async (given, { api }) => {
      const { info } = await api.call({
        path: `${KEYS}/${encodeURIComponent(given.argument("ID"))}`,
      });
      return { json: info, text: shown(info as Json) };
    },
  },
  {
    name: "key create",
    summary: "make an access key; its secret is shown this once",
    options: {
      user: { value: "UID", summary: "for this user; else for who the token stands for" },
      ttl: { value: "TIME", summary: "as 12h, at most 12h; permanent when absent" },
      attribute: { value: "NAME=VALUE", summary: "kept with the key", repeatable: true },
      env: { summary: "print lines that set the variables of AWS tools" },
      "access-key-id": { value: "ID", summary: "the operator's: bring a key that clients have" },
      "secret-from-file": { value: "FILE", summary: "its secret; - for standard input" },
    },
    more: `For example: lode key create --user ada --ttl 12h --attribute name=laptop
Or:          eval "$(lode key create --user ada --ttl 12h --env)"
Or:          lode key create --user ada --access-key-id user_abc --secret-from-file secret.txt`,
    run: async (given, { api, readFile }) => {
      const user = given.text("user");
      const pair = broughtPair(given, readFile);
      const made = await api.call({
        method: "POST",
        path: user === undefined ? KEYS : `/v1/lode/user/${encodeURIComponent(user)}/access-key`,
        body: {
          durationSeconds: seconds("ttl", given.text("ttl") ?? "permanent"),
          attributes: namesAndValues("attribute", given.texts("attribute") ?? []),
          ...pair,
        },
      });
      if (pair !== undefined) {
        // Who brings a secret has it, and would not look for it in a log.
        const { secretKey, ...json } = made;
        return { json, text: shown(json) + warningOf(pair.secretKey) };
      }
      const text = given.is("env")
        ? environmentOf(made)
        : `${shown(made)}\nThe secret is shown this once.`;
      return { json: made, text };
    },
  },
  {
    name: "key revoke",
    summary: "end an access key for good",
    arguments: ID,
    run: async (given, { api }) => {
      const accessKey = given.argument("ID");
      const path = "/v1/cwobject/revoke-access-key/access-key";
      const json = await api.call({ method: "POST", path, body: { accessKey } });
      return { json, text: `${accessKey} works no more.` };
    },
  },
  {
    name: "key revoke-all",
    summary: "end all access keys of a principal for good",
    arguments: [{ name: "PRINCIPAL" }],
    more: "For example: lode key revoke-all coreweave/ada",
    run: async (given, { api }) => {
      const principalName = given.argument("PRINCIPAL");
      const path = "/v1/cwobject/revoke-access-key/principal";
      const json = await api.call({ method: "POST", path, body: { principalName } });
      return { json, text: `No key of ${principalName} works any more.` };
    },
  },
  {
    name: "key suspend",
    summary: "let an access key not work for now",
    arguments: ID,
    run: async (given, world) => await setStatus(given.argument("ID"), "SUSPENDED", world),
  },
  {
    name: "key resume",
    summary: "let a suspended access key work again",
    arguments: ID,
    run: async (given, world) => await setStatus(given.argument("ID"), "ACTIVE", world),
  },
];

const COLUMNS = [
  field("accessKeyId", "key"),
  field("principalName", "principal"),
  field("status"),
  { title: "expires", of: (row: Json) => timeOf(row["expiry"]) },
  field("attributes"),
];

function shown(key: Json): string {
  const { secretKey, status } = key;
  return pairs([
    ["access key", textOf(key["accessKeyId"])],
    ["secret key", secretKey === undefined ? undefined : textOf(secretKey)],
    ["principal", textOf(key["principalName"])],
    ["status", status === undefined ? undefined : textOf(status)],
    ["expires", timeOf(key["expiry"])],
    ["attributes", textOf(key["attributes"])],
  ]);
}

/** For a shell to read. Neither has a character that means anything to it. */
function environmentOf(key: Json): string {
  const id = `export AWS_ACCESS_KEY_ID=${textOf(key["accessKeyId"])}`;
  return `${id} AWS_SECRET_ACCESS_KEY=${textOf(key["secretKey"])}`;
}

/** Below it a person chose it; what programs make is longer. */
const SECRET_CHARS_SAFE = 16;

function warningOf({ length }: string): string {
  if (length >= SECRET_CHARS_SAFE) return "";
  return `\nIts secret has ${length} characters: who sees a presigned URL may guess it. Let clients have another key soon.`;
}

interface Pair {
  readonly accessKeyId: string;
  readonly secretKey: string;
}

/** Fails: UsageError. */
function broughtPair(given: Given, readFile: World["readFile"]): Pair | undefined {
  const accessKeyId = given.text("access-key-id");
  const file = given.text("secret-from-file");
  if (accessKeyId === undefined && file === undefined) return undefined;
  if (accessKeyId === undefined || file === undefined) {
    throw new UsageError("--access-key-id and --secret-from-file go together.");
  }
  if (given.text("user") === undefined) throw new UsageError("--user is missing: whose key it is.");
  if (given.is("env")) throw new UsageError("--env is for a key that is made here.");
  return { accessKeyId, secretKey: readFile(file).replace(/\r?\n$/, "") };
}

async function setStatus(id: string, status: string, { api }: World): Promise<Shown> {
  const path = `/v1/lode/access-key-status/${encodeURIComponent(id)}`;
  const json = await api.call({ method: "PUT", path, body: { status } });
  const text =
    status === "ACTIVE" ? `${id} works again.` : `${id} does not work until it is resumed.`;
  return { json, text };
}
