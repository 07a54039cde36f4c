import { NOT_OFFERED } from "#s3/not-offered.ts";
import { abortMultipartUpload } from "#s3/op/abort-multipart-upload.ts";
import { bucketCors } from "#s3/op/bucket-cors.ts";
import { bucketEncryption } from "#s3/op/bucket-encryption.ts";
import { bucketLifecycle } from "#s3/op/bucket-lifecycle.ts";
import { bucketOwnershipControls } from "#s3/op/bucket-ownership-controls.ts";
import { bucketPolicy } from "#s3/op/bucket-policy.ts";
import { bucketTagging } from "#s3/op/bucket-tagging.ts";
import { completeMultipartUpload } from "#s3/op/complete-multipart-upload.ts";
import { copyObject } from "#s3/op/copy-object.ts";
import { createBucket } from "#s3/op/create-bucket.ts";
import { createMultipartUpload } from "#s3/op/create-multipart-upload.ts";
import { createSession } from "#s3/op/create-session.ts";
import { deleteBucket } from "#s3/op/delete-bucket.ts";
import { deleteObject } from "#s3/op/delete-object.ts";
import { deleteObjectTagging } from "#s3/op/delete-object-tagging.ts";
import { deleteObjects } from "#s3/op/delete-objects.ts";
import { getBucketAcl } from "#s3/op/get-bucket-acl.ts";
import { getBucketLocation } from "#s3/op/get-bucket-location.ts";
import { getBucketPolicyStatus } from "#s3/op/get-bucket-policy-status.ts";
import { getBucketVersioning } from "#s3/op/get-bucket-versioning.ts";
import { getObject } from "#s3/op/get-object.ts";
import { getObjectAcl } from "#s3/op/get-object-acl.ts";
import { getObjectAttributes } from "#s3/op/get-object-attributes.ts";
import { getObjectTagging } from "#s3/op/get-object-tagging.ts";
import { headBucket } from "#s3/op/head-bucket.ts";
import { headObject } from "#s3/op/head-object.ts";
import { listBuckets } from "#s3/op/list-buckets.ts";
import { listMultipartUploads } from "#s3/op/list-multipart-uploads.ts";
import { listObjectVersions } from "#s3/op/list-object-versions.ts";
import { listObjects } from "#s3/op/list-objects.ts";
import { listObjectsV2 } from "#s3/op/list-objects-v2.ts";
import { listParts } from "#s3/op/list-parts.ts";
import { postObject } from "#s3/op/post-object.ts";
import { publicAccessBlock } from "#s3/op/public-access-block.ts";
import { putBucketAcl } from "#s3/op/put-bucket-acl.ts";
import { putBucketVersioning } from "#s3/op/put-bucket-versioning.ts";
import { putObject } from "#s3/op/put-object.ts";
import { putObjectAcl } from "#s3/op/put-object-acl.ts";
import { putObjectTagging } from "#s3/op/put-object-tagging.ts";
import { renameObject } from "#s3/op/rename-object.ts";
import { uploadPart } from "#s3/op/upload-part.ts";
import { uploadPartCopy } from "#s3/op/upload-part-copy.ts";
import type { Operation } from "#s3/operation.ts";

/**
 * The S3 API we speak, all of it, by name. Routing, metrics, the policy
 * action list, the coverage page and the "refuses a stranger" test are all read off this table.
 */
export const OPERATIONS: readonly Operation[] = [
  abortMultipartUpload,
  ...bucketCors,
  ...bucketEncryption,
  ...bucketLifecycle,
  ...bucketOwnershipControls,
  ...bucketPolicy,
  ...bucketTagging,
  completeMultipartUpload,
  copyObject,
  createBucket,
  createMultipartUpload,
  createSession,
  deleteBucket,
  deleteObject,
  deleteObjectTagging,
  deleteObjects,
  getBucketAcl,
  getBucketLocation,
  getBucketPolicyStatus,
  getBucketVersioning,
  getObject,
  getObjectAcl,
  getObjectAttributes,
  getObjectTagging,
  headBucket,
  headObject,
  listBuckets,
  listMultipartUploads,
  listObjectVersions,
  listObjects,
  listObjectsV2,
  listParts,
  postObject,
  ...publicAccessBlock,
  putBucketAcl,
  putObjectAcl,
  putBucketVersioning,
  putObject,
  putObjectTagging,
  renameObject,
  uploadPart,
  uploadPartCopy,
  ...NOT_OFFERED,
];
