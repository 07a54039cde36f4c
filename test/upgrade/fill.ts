/** One of everything that a data directory holds, put there through S3 and the control API. */
import {
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  PutBucketCorsCommand,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  RenameObjectCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";

/** Bytes that compress well. */
const PART = Buffer.alloc(5 * 2 ** 20, "a part of an upload ");
const LARGE = Buffer.alloc(300_000, "too large for its record ");
const SMALL = Buffer.from("in its record");

export const CUSTOMER_KEY = {
  SSECustomerAlgorithm: "AES256",
  SSECustomerKey: Buffer.alloc(32, 7).toString("base64"),
} as const;

const UNDER_CUSTOMER_KEY = "under a key of the client";

export function isUnderCustomerKey(key: string | undefined): boolean {
  return key === UNDER_CUSTOMER_KEY;
}

export async function fill(s3: S3Client): Promise<void> {
  for (const Bucket of ["plain", "versioned", "suspended", "sealed"]) {
    await s3.send(new CreateBucketCommand({ Bucket }));
  }
  await objects(s3, "plain");
  await uploads(s3, "plain");
  await versions(s3);
  await sealed(s3);
  await documents(s3, "plain");
}

async function objects(s3: S3Client, Bucket: string): Promise<void> {
  const put = (Key: string, Body: Uint8Array, more: object = {}) =>
    s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
  await put("empty", Buffer.alloc(0));
  await put("small", SMALL, { ChecksumAlgorithm: "SHA256", ContentType: "text/plain" });
  await put("large", LARGE, { ChecksumAlgorithm: "CRC32", CacheControl: "no-cache" });
  await put("described", SMALL, { Metadata: { colour: "red" }, Tagging: "a=1&b=2" });
  await put("odd //%+😀\n", SMALL);
  await put("overwritten", LARGE);
  await put("overwritten", SMALL);
  await put("deleted", LARGE);
  await s3.send(new DeleteObjectCommand({ Bucket, Key: "deleted" }));
  await s3.send(new CopyObjectCommand({ Bucket, Key: "copied", CopySource: `${Bucket}/large` }));
  await put("before", LARGE);
  await s3.send(new RenameObjectCommand({ Bucket, Key: "after", RenameSource: "before" }));
}

async function uploads(s3: S3Client, Bucket: string): Promise<void> {
  for (const Key of ["uploaded in parts", "not completed"]) {
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const of = { Bucket, Key, UploadId };
    const Parts: CompletedPart[] = [];
    for (const [at, Body] of [PART, SMALL].entries()) {
      const PartNumber = at + 1;
      const { ETag } = await s3.send(new UploadPartCommand({ ...of, PartNumber, Body }));
      Parts.push({ PartNumber, ETag });
    }
    if (Key === "not completed") continue;
    await s3.send(new CompleteMultipartUploadCommand({ ...of, MultipartUpload: { Parts } }));
  }
}

async function versions(s3: S3Client): Promise<void> {
  for (const Bucket of ["versioned", "suspended"]) {
    const put = (Key: string, Body: Uint8Array) =>
      s3.send(new PutObjectCommand({ Bucket, Key, Body }));
    const set = (Status: "Enabled" | "Suspended") =>
      s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
    await put("older than versions", SMALL);
    await set("Enabled");
    await put("older than versions", LARGE);
    await put("deleted", SMALL);
    await s3.send(new DeleteObjectCommand({ Bucket, Key: "deleted" }));
    if (Bucket === "versioned") continue;
    await set("Suspended");
    await put("older than versions", Buffer.from("null again"));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: "deleted" }));
  }
}

async function sealed(s3: S3Client): Promise<void> {
  const Bucket = "sealed";
  const byDefault = { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" } } as const;
  const ServerSideEncryptionConfiguration = { Rules: [byDefault] };
  await s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration }));
  await s3.send(new PutObjectCommand({ Bucket, Key: "small", Body: SMALL }));
  const Body = LARGE.subarray(0, 70_000);
  await s3.send(new PutObjectCommand({ Bucket, Key: "large", Body }));
  const own = { Bucket, Key: UNDER_CUSTOMER_KEY, Body: SMALL, ...CUSTOMER_KEY };
  await s3.send(new PutObjectCommand(own));
}

async function documents(s3: S3Client, Bucket: string): Promise<void> {
  const CORSRules = [{ AllowedMethods: ["GET"], AllowedOrigins: ["https://example.com"] }];
  await s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules } }));
  const TagSet = [{ Key: "team", Value: "vision" }];
  await s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }));
  const Rules = [
    {
      ID: "old",
      Status: "Enabled",
      Filter: { Prefix: "logs/" },
      Expiration: { Days: 3650 },
    } as const,
  ];
  const LifecycleConfiguration = { Rules };
  await s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration }));
  const resource = `arn:aws:s3:::${Bucket}`;
  const open = {
    Effect: "Allow",
    Principal: "*",
    Action: "s3:*",
    Resource: [resource, `${resource}/*`],
  };
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [open] });
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
}
