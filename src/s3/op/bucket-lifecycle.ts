import { readLifecycle, writeLifecycle } from "#object/lifecycle.ts";
import { bucketDocument } from "#s3/bucket-document.ts";

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html */
export const bucketLifecycle = bucketDocument({
  kind: "lifecycle",
  name: "BucketLifecycleConfiguration",
  deleteName: "DeleteBucketLifecycle",
  forVolumes: false,
  root: "LifecycleConfiguration",
  actions: {
    get: "s3:GetLifecycleConfiguration",
    put: "s3:PutLifecycleConfiguration",
    delete: "s3:DeleteLifecycleConfiguration",
  },
  putStatus: 200,
  missing: "NoSuchLifecycleConfiguration",
  check: (root) => writeLifecycle(readLifecycle(root)),
});
