import { S3Error } from "#base/error.ts";
import { childText } from "#base/xml.ts";
import { operation } from "#s3/operation.ts";
import { refuseVolume } from "#s3/refuse-volume.ts";
import { empty } from "#s3/reply.ts";
import { bucketOf, documentOf } from "#s3/request.ts";

/**
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html
 * Fails: MalformedXML, NotImplemented (MFA delete), OperationAborted.
 */
export const putBucketVersioning = operation({
  name: "PutBucketVersioning",
  route: { method: "PUT", on: "bucket", query: ["versioning"] },
  body: "document",

  parse: (request) => {
    const root = documentOf(request, "VersioningConfiguration");
    const status = childText(root, "Status");
    if (childText(root, "MfaDelete")?.toLowerCase() === "enabled") {
      throw new S3Error(
        "NotImplemented",
        { Operation: "MfaDelete" },
        { message: "MFA delete is not implemented." },
      );
    }
    if (status !== "Enabled" && status !== "Suspended") {
      const message = "The Versioning element must be specified";
      if (status === undefined) {
        throw new S3Error("IllegalVersioningConfigurationException", {}, { message });
      }
      throw new S3Error("MalformedXML", {});
    }
    return { bucket: bucketOf(request), status } as const;
  },

  grants: ({ bucket }) => [{ action: "s3:PutBucketVersioning", resource: bucket }],

  run: async ({ open, catalog }, { bucket: name, status }) => {
    const { bucket } = await open(name);
    refuseVolume(bucket, "PutBucketVersioning");
    if (bucket.versioning !== status) await catalog.setVersioning(bucket, status);
  },

  render: () => empty(200),
});
