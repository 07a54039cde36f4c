import { z } from "zod";
import { askedOf } from "#admin/asked-of.ts";
import { message, text } from "#admin/message.ts";
import { operation } from "#admin/operation.ts";

/**
 * Whether every action would be allowed on every resource, by a request that conditions find nothing
 * of but the time and where this call comes from. Why not, ExplainAccess tells who may know.
 *
 * Spec: https://docs.coreweave.com/products/storage/object-storage/reference/object-storage-api-ref/cwobject/check-authorization
 */
export const authCanI = operation({
  name: "AuthCanI",
  summary: "Tell whether the caller may do all of some actions on all of some resources.",
  method: "POST",
  path: "/v1/cwobject/auth/can-i",
  needs: "token",
  input: message({
    actions: z.array(text),
    resources: z.array(text).describe("*, bucket or bucket/key"),
  }),
  output: z.object({ verdict: z.boolean() }),
  run: async ({ judge, caller, request: { lookup } }, input) => {
    const asked = askedOf(input);
    if (caller.kind !== "principal") {
      // Objects the operator reaches only with a user's key.
      return { verdict: asked.every(({ action }) => action.startsWith("cwobject:")) };
    }
    for (const each of asked) {
      const decision = await judge.decide({ principal: caller.principal, ...each, lookup });
      if (!decision.allowed) return { verdict: false };
    }
    return { verdict: true };
  },
});
