import type { Api, Json } from "#cli/api.ts";
import type { Command } from "#cli/command.ts";
import { CallError } from "#cli/failure.ts";
import type { Given } from "#cli/given.ts";
import { field, table, textOf } from "#cli/layout.ts";
import { namesAndValues } from "#cli/quantity.ts";

const POLICIES = "/v1/cwobject/access-policy";

const ASKED = {
  action: { value: "ACTION", summary: "as s3:GetObject", repeatable: true },
  resource: { value: "RESOURCE", summary: "as bucket/key; * when absent", repeatable: true },
} as const;

export const policyCommands: readonly Command[] = [
  {
    name: "policy list",
    summary: "access policies of the organization",
    run: async (_, { api }) => {
      const policies = await Array.fromAsync(policiesOf(api));
      return { json: policies, text: table(policies, COLUMNS) };
    },
  },
  {
    name: "policy get",
    summary: "one access policy, as a document that can be put again",
    arguments: [{ name: "NAME" }],
    run: async (given, { api }) => {
      const name = given.argument("NAME");
      for await (const policy of policiesOf(api)) {
        if (policy["name"] !== name) continue;
        return { json: policy, text: JSON.stringify(policy, undefined, 2) };
      }
      throw new CallError(`access policy "${name}" not found. "lode policy list" lists them.`);
    },
  },
  {
    name: "policy put",
    summary: "put an access policy in place of the one of its name",
    arguments: [{ name: "FILE" }],
    more: 'FILE is JSON; "-" is standard input.',
    run: async (given, { api, readFile }) => {
      const file = given.argument("FILE");
      const json = await api.call({ method: "POST", path: POLICIES, body: readFile(file) });
      const which = file === "-" ? "The policy" : `The policy of ${file}`;
      return { json, text: `${which} holds from now on.` };
    },
  },
  {
    name: "policy delete",
    summary: "delete an access policy",
    arguments: [{ name: "NAME" }],
    run: async (given, { api }) => {
      const name = given.argument("NAME");
      const path = `${POLICIES}/${encodeURIComponent(name)}`;
      const json = await api.call({ method: "DELETE", path });
      return { json, text: `The policy "${name}" is deleted.` };
    },
  },
  {
    name: "policy explain",
    summary: "whether somebody may do something, and which statement decides",
    options: {
      as: { value: "PRINCIPAL", summary: "coreweave/UID, role/NAME or anonymous" },
      ...ASKED,
      group: { value: "GROUP", summary: "of a role", repeatable: true },
      context: { value: "KEY=VALUE", summary: "what conditions would find", repeatable: true },
    },
    more: "For example: lode policy explain --as coreweave/ada --action s3:GetObject --resource data/a.csv",
    run: async (given, { api }) => {
      const answer = await api.call({
        method: "POST",
        path: "/v1/lode/explain-access",
        body: {
          principalName: given.requiredText("as"),
          ...asked(given),
          groups: given.texts("group") ?? [],
          context: namesAndValues("context", given.texts("context") ?? []),
        },
      });
      const decisions = answer["decisions"] as readonly Json[];
      const lines = decisions.map(
        ({ action, resource, explanation }) => `${action} on ${resource}: ${explanation}`,
      );
      return { json: answer, text: lines.join("\n") };
    },
  },
  {
    name: "policy can-i",
    summary: "whether who the token stands for may do something",
    options: ASKED,
    run: async (given, { api }) => {
      const path = "/v1/cwobject/auth/can-i";
      const json = await api.call({ method: "POST", path, body: asked(given) });
      return { json, text: json["verdict"] === true ? "yes" : "no" };
    },
  },
];

const COLUMNS = [
  field("name"),
  {
    title: "statements",
    of: ({ statements }: Json) =>
      (statements as readonly Json[])
        .map(
          ({ effect, actions, principals }) =>
            `${effect} ${textOf(actions)} to ${textOf(principals)}`,
        )
        .join("; "),
  },
];

/** Fails: UsageError. */
function asked(given: Given) {
  const actions = given.texts("action") ?? [given.requiredText("action")];
  return { actions, resources: given.texts("resource") ?? ["*"] };
}

async function* policiesOf(api: Api): AsyncGenerator<Json> {
  const { policies } = await api.call({ path: POLICIES });
  yield* policies as readonly Json[];
}
