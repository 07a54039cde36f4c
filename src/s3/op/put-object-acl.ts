import { readOwnerDocument, requireOwner } from "#s3/acl.ts";
import { refuseMarker } from "#s3/delete-marker.ts";
import { operation } from "#s3/operation.ts";
import { empty } from "#s3/reply.ts";
import { objectOf } from "#s3/request.ts";
import { requireOwnerAcl } from "#s3/unoffered.ts";

/**
 * Takes what changes nothing: the owner has full control.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAcl.html
 * Fails: AccessControlListNotSupported, MalformedACLError, MissingSecurityHeader, NoSuchKey,
 * MethodNotAllowed (a delete marker).
 */
export const putObjectAcl = operation({
  name: "PutObjectAcl",
  route: { method: "PUT", on: "object", query: ["acl"] },
  body: "document",
  parse: (request) => {
    requireOwnerAcl(request.headers);
    return { name: objectOf(request), owner: readOwnerDocument(request) };
  },
  grants: ({ name: { bucket, key, versionId } }) => [
    {
      action: versionId === undefined ? "s3:PutObjectAcl" : "s3:PutObjectVersionAcl",
      resource: `${bucket}/${key}`,
      versionId,
    },
  ],
  run: async ({ open }, { name, owner }) => {
    const { bucket, engine } = await open(name.bucket);
    requireOwner(owner, bucket);
    await refuseMarker("PUT", () => engine.head({ ...name, bucket }));
  },
  render: () => empty(200),
});
