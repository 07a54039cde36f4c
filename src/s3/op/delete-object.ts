import type { Deleted } from "#object/engine.ts";
import { readDeleteConditions, refuseVersionCondition } from "#s3/delete-conditions.ts";
import { operation } from "#s3/operation.ts";
import { empty } from "#s3/reply.ts";
import { type NamedObject, objectOf } from "#s3/request.ts";

/**
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
 * Fails: PreconditionFailed, NoSuchKey (If-Match on a missing key); what is not there is deleted.
 */
export const deleteObject = operation({
  name: "DeleteObject",
  route: { method: "DELETE", on: "object" },
  body: "none",

  parse: (request) => {
    const name = objectOf(request);
    const { headers } = request;
    const [modified, size] = ["x-amz-if-match-last-modified-time", "x-amz-if-match-size"] as const;
    const sent = { ifMatch: headers["if-match"], modified: headers[modified], size: headers[size] };
    const conditions = readDeleteConditions(sent, { modified, size });
    refuseVersionCondition(conditions, name.versionId);
    return { name, conditions };
  },

  grants: ({ name }) => [deleteGrant(name)],

  run: async ({ open }, { name, conditions }) => {
    const { bucket, engine } = await open(name.bucket);
    return await engine.delete({ ...name, bucket }, conditions);
  },

  render: (deleted) => empty(204, deletedHeaders(deleted)),
});

export function deleteGrant({ bucket, key, versionId }: NamedObject) {
  const action = versionId === undefined ? "s3:DeleteObject" : "s3:DeleteObjectVersion";
  return { action, resource: `${bucket}/${key}`, versionId } as const;
}

function deletedHeaders({ deleteMarker, versionId }: Deleted): Record<string, string> {
  return {
    ...(deleteMarker ? { "x-amz-delete-marker": "true" } : {}),
    ...(versionId === undefined ? {} : { "x-amz-version-id": versionId }),
  };
}
