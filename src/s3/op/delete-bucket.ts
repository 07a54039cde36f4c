import { operation } from "#s3/operation.ts";
import { empty } from "#s3/reply.ts";
import { bucketOf } from "#s3/request.ts";

/**
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html
 * Differs: AWS deletes a bucket with unfinished uploads, and them with it; here they are in the way, as on CoreWeave.
 * Fails: BucketNotEmpty while there is an object, version, delete marker or unfinished upload.
 */
export const deleteBucket = operation({
  name: "DeleteBucket",
  route: { method: "DELETE", on: "bucket" },
  body: "none",
  parse: bucketOf,
  grants: (bucket) => [{ action: "s3:DeleteBucket", resource: bucket }],
  run: async ({ open, catalog }, name) => {
    const { bucket, engine } = await open(name);
    await catalog.delete(bucket, await engine.requireEmpty(bucket));
  },
  render: () => empty(204),
});
