import { z } from "zod";
import { empty, message, text } from "#admin/message.ts";
import { type Operation, operation, type RequestView } from "#admin/operation.ts";
import { StorageError } from "#base/error.ts";

const statement = z.looseObject({
  name: text,
  effect: z.enum(["Allow", "Deny"]),
  actions: z.array(text),
  resources: z.array(text),
  principals: z.array(text),
});

const policy = z.looseObject({ version: text, name: text, statements: z.array(statement) });

/** For readers of the reference; the rules of policies are what a document is held against. */
const { $schema: _, ...envelope } = z.toJSONSchema(z.object({ policy }));

/** Spec: https://docs.coreweave.com/products/storage/object-storage/reference/object-storage-api-ref/cwobject/list-access-policies */
const listAccessPolicies = operation({
  name: "ListAccessPolicies",
  summary: "List the access policies of the organization.",
  method: "GET",
  path: "/v1/cwobject/access-policy",
  needs: "cwobject:ListAccessPolicy",
  input: empty,
  output: z.object({ policies: z.array(policy) }),
  run: async ({ policies, organizationId, request }) => {
    const documents = await policies.list(organizationId);
    return { policies: documents.map((named) => listed(named, request)) };
  },
});

/** Spec: https://docs.coreweave.com/products/storage/object-storage/reference/object-storage-api-ref/cwobject/apply-or-update-access-policy */
const ensureAccessPolicy = operation({
  name: "EnsureAccessPolicy",
  summary: "Put an access policy in place of the one of the same name, if there is one.",
  method: "POST",
  path: "/v1/cwobject/access-policy",
  needs: "cwobject:EnsureAccessPolicy",
  input: z.unknown().meta(envelope),
  output: empty,
  run: async ({ policies, organizationId, request }) => {
    await policies.ensure(organizationId, request.text.trim());
    return {};
  },
});

/** Spec: https://docs.coreweave.com/products/storage/object-storage/reference/object-storage-api-ref/cwobject/delete-access-policy */
const deleteAccessPolicy = operation({
  name: "DeleteAccessPolicy",
  summary: "Delete an access policy.",
  method: "DELETE",
  path: "/v1/cwobject/access-policy/{name}",
  needs: "cwobject:DeleteAccessPolicy",
  input: message({ name: text }),
  output: empty,
  run: async ({ policies, organizationId }, { name }) => {
    await policies.delete(organizationId, name);
    return {};
  },
});

export const accessPolicy: readonly Operation[] = [
  deleteAccessPolicy,
  ensureAccessPolicy,
  listAccessPolicies,
];

/** Of one that cannot be read the name, so that it can be deleted: until then the organization is allowed nothing. */
function listed(
  [name, document]: readonly [string, string],
  { damaged }: RequestView,
): z.input<typeof policy> {
  try {
    return shown(document);
  } catch (cause) {
    damaged(new StorageError("corrupt", `the access policy "${name}" cannot be read`, cause));
    return { version: "", name, statements: [] };
  }
}

/** As CoreWeave lists them: without the envelope, and `Statement` under the name it should have. */
function shown(document: string): z.input<typeof policy> {
  const parsed = JSON.parse(document);
  const { Statement, ...rest } = parsed.policy ?? parsed;
  return Statement === undefined ? rest : { ...rest, statements: Statement };
}
