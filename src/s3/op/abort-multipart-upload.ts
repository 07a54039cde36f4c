import { readUpload } from "#s3/op/upload-part.ts";
import { operation } from "#s3/operation.ts";
import { empty } from "#s3/reply.ts";
import { refuseUnoffered } from "#s3/unoffered.ts";

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html */
export const abortMultipartUpload = operation({
  name: "AbortMultipartUpload",
  route: { method: "DELETE", on: "object", query: ["uploadId"] },
  body: "none",
  parse: (request) => {
    refuseUnoffered(request.headers);
    return readUpload(request);
  },
  grants: ({ bucket, key }) => [
    { action: "s3:AbortMultipartUpload", resource: `${bucket}/${key}` },
  ],
  run: async ({ open }, upload) => {
    const { bucket, engine } = await open(upload.bucket);
    await engine.abortUpload({ ...upload, bucket });
  },
  render: () => empty(204),
});
