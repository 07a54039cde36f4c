import { readLifecycle, writeLifecycle } from "#object/lifecycle.ts";
import { bucketDocument } from "#s3/bucket-document.ts";

/**
 * No rule moves objects, so that from which size on they would be is kept for who asks: Terraform waits for it.
 *
 * Observed: 2026-02-21, as others recorded AWS: what is answered where none was given, and the refusal of others.
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html
 */
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
  beside: {
    header: "x-amz-transition-default-minimum-object-size",
    element: "TransitionDefaultMinimumObjectSize",
    values: ["all_storage_classes_128K", "varies_by_storage_class"],
  },
});
