import { z } from "zod";
import type { Decision } from "#access/decide.ts";
import { explain } from "#access/explain.ts";
import { ANONYMOUS_PRINCIPAL, type Principal } from "#access/principal.ts";
import { askedOf } from "#admin/asked-of.ts";
import { mend, message, text } from "#admin/message.ts";
import { operation, type Services } from "#admin/operation.ts";
import { ControlError } from "#base/control-error.ts";
import { userPrincipal } from "#catalog/users.ts";

const values = z.union([text.transform((value) => [value]), z.array(text)], {
  error: mend("give a text, or a list of texts"),
});

const decision = z.object({
  action: text,
  resource: text,
  allowed: z.boolean(),
  reason: text.describe("a word for programs"),
  explanation: text.describe("a sentence for people"),
  statement: z
    .object({ kind: z.enum(["organization", "bucket"]), policy: text, statement: text })
    .optional()
    .describe("what decided; not there when no statement spoke"),
});

/** The same decision that a request would meet, and the statement that makes it. */
export const explainAccess = operation({
  name: "ExplainAccess",
  summary: "Tell whether a principal may do something, and which statement decides.",
  method: "POST",
  path: "/v1/lode/explain-access",
  needs: "cwobject:ExplainAccess",
  input: message({
    principalName: text.describe("coreweave/<uid>, role/<name> or anonymous"),
    groups: z.array(text).default([]).describe("of a role; a user has their own"),
    actions: z.array(text),
    resources: z.array(text).describe("*, bucket or bucket/key"),
    context: z
      .record(z.string(), values)
      .default({})
      .describe('what conditions find in the request, as {"s3:prefix": "a/"}'),
  }),
  output: z.object({ verdict: z.boolean(), decisions: z.array(decision) }),
  run: async (services, { principalName, groups, context, ...input }) => {
    const principal = await principalOf(services, principalName, groups);
    const given = new Map(Object.entries(context).map(([key, list]) => [key.toLowerCase(), list]));
    const lookup = (key: string) => given.get(key.toLowerCase()) ?? services.request.lookup(key);
    const decisions: z.input<typeof decision>[] = [];
    for (const each of askedOf(input)) {
      const decided = await services.judge.decide({ principal, ...each, lookup });
      decisions.push({ ...each, ...shown(decided) });
    }
    return { verdict: decisions.every(({ allowed }) => allowed), decisions };
  },
});

function shown(decided: Decision) {
  const { allowed, reason, by } = decided;
  return { allowed, reason, explanation: explain(decided), statement: by };
}

const USER = "coreweave/";

/** Fails: NotFound, InvalidArgument. */
async function principalOf(
  { users, organizationId }: Services,
  name: string,
  groups: readonly string[],
): Promise<Principal> {
  if (name === "anonymous") return ANONYMOUS_PRINCIPAL;
  if (name.startsWith("role/")) return { kind: "role", organizationId, name, groups };
  if (!name.startsWith(USER)) {
    const message = `principalName: "${name}" is none. Write coreweave/<uid>, role/<name> or anonymous.`;
    throw new ControlError("InvalidArgument", message);
  }
  const uid = name.slice(USER.length);
  const { value } = await users.get({ organizationId, uid });
  return userPrincipal({ organizationId, uid }, value.groups);
}
