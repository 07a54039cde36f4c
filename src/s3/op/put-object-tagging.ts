import { refuseMarker } from "#s3/delete-marker.ts";
import { operation } from "#s3/operation.ts";
import { empty } from "#s3/reply.ts";
import { documentOf, objectOf } from "#s3/request.ts";
import { readTagging, versionHeader } from "#s3/tags.ts";

/**
 * Replaces the whole tag set of one object version.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html
 * Fails: NoSuchKey, NoSuchVersion, MethodNotAllowed (a delete marker), InvalidTag, BadRequest (over ten tags), MalformedXML.
 */
export const putObjectTagging = operation({
  name: "PutObjectTagging",
  route: { method: "PUT", on: "object", query: ["tagging"] },
  body: "document",
  parse: (request) => ({
    name: objectOf(request),
    tags: readTagging(documentOf(request, "Tagging")),
  }),
  // AWS names a second action for a named version, so that a policy can protect history.
  grants: ({ name }) => [
    {
      action: name.versionId === undefined ? "s3:PutObjectTagging" : "s3:PutObjectVersionTagging",
      resource: `${name.bucket}/${name.key}`,
      versionId: name.versionId,
    },
  ],
  run: async ({ open }, { name, tags }) => {
    const { bucket, engine } = await open(name.bucket);
    return await refuseMarker("PUT", () => engine.setTags({ ...name, bucket }, tags));
  },
  render: (object) => empty(200, versionHeader(object)),
});
