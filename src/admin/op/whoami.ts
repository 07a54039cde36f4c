import { z } from "zod";
import { empty, text } from "#admin/message.ts";
import { operation } from "#admin/operation.ts";

/** Lets a person find out what a token is. */
export const whoAmI = operation({
  name: "WhoAmI",
  summary: "Tell who the token stands for.",
  method: "GET",
  path: "/v1/lode/whoami",
  needs: "token",
  input: empty,
  output: z.object({
    kind: text.describe("operator, user or role"),
    orgId: text,
    principalName: text.optional(),
    groups: z.array(text).readonly(),
  }),
  run: async ({ caller, organizationId: orgId }) => {
    if (caller.kind !== "principal") return { kind: "operator", orgId, groups: [] };
    const { kind, name, groups } = caller.principal;
    return { kind, orgId, principalName: name, groups };
  },
});
