import { refuseMarker } from "#s3/delete-marker.ts";
import { operation } from "#s3/operation.ts";
import { empty } from "#s3/reply.ts";
import { objectOf } from "#s3/request.ts";
import { versionHeader } from "#s3/tags.ts";

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjectTagging.html */
export const deleteObjectTagging = operation({
  name: "DeleteObjectTagging",
  route: { method: "DELETE", on: "object", query: ["tagging"] },
  body: "none",
  parse: objectOf,
  grants: ({ bucket, key, versionId }) => [
    {
      action: versionId === undefined ? "s3:DeleteObjectTagging" : "s3:DeleteObjectVersionTagging",
      resource: `${bucket}/${key}`,
      versionId,
    },
  ],
  run: async ({ open }, name) => {
    const { bucket, engine } = await open(name.bucket);
    return await refuseMarker("DELETE", () => engine.setTags({ ...name, bucket }, []));
  },
  render: (object) => empty(204, versionHeader(object)),
});
