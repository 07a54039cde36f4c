import { refuseMarker } from "#s3/delete-marker.ts";
import { operation } from "#s3/operation.ts";
import { xmlReply } from "#s3/reply.ts";
import { objectOf } from "#s3/request.ts";
import { versionHeader, writeTagging } from "#s3/tags.ts";

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html */
export const getObjectTagging = operation({
  name: "GetObjectTagging",
  route: { method: "GET", on: "object", query: ["tagging"] },
  body: "none",
  parse: objectOf,
  grants: ({ bucket, key, versionId }) => [
    {
      action: versionId === undefined ? "s3:GetObjectTagging" : "s3:GetObjectVersionTagging",
      resource: `${bucket}/${key}`,
      versionId,
    },
  ],
  run: async ({ open }, name) => {
    const { bucket, engine } = await open(name.bucket);
    return await refuseMarker("GET", () => engine.head({ ...name, bucket }));
  },
  render: (object) =>
    xmlReply("Tagging", writeTagging(object.attributes.tags), { headers: versionHeader(object) }),
});
