import { aclElements } from "#s3/acl.ts";
import { ownerOf } from "#s3/listing.ts";
import { operation } from "#s3/operation.ts";
import { xmlReply } from "#s3/reply.ts";
import { objectOf } from "#s3/request.ts";

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAcl.html. */
export const getObjectAcl = operation({
  name: "GetObjectAcl",
  route: { method: "GET", on: "object", query: ["acl"] },
  body: "none",
  parse: objectOf,
  grants: ({ bucket, key, versionId }) => [
    {
      action: versionId === undefined ? "s3:GetObject" : "s3:GetObjectVersion",
      resource: `${bucket}/${key}`,
      versionId,
    },
  ],
  run: async ({ open }, name) => {
    const { bucket, engine } = await open(name.bucket);
    await engine.head({ ...name, bucket });
    return ownerOf(bucket);
  },
  render: (owner) => xmlReply("AccessControlPolicy", aclElements(owner)),
});
