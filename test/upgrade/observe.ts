/** All that can be seen of a server's buckets from outside, in a form that can be kept and compared. */
import { createHash } from "node:crypto";
import {
  GetBucketCorsCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketPolicyCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  GetObjectTaggingCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  ListPartsCommand,
  type ObjectVersion,
  type S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { CUSTOMER_KEY, isUnderCustomerKey } from "#test/upgrade/fill.ts";

/** Plain JSON: times as text, what is absent left out. */
export type Observed = Readonly<Record<string, unknown>>;

export async function observe(s3: S3Client): Promise<Observed> {
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  const names = Buckets.flatMap(({ Name }) => Name ?? []);
  const buckets = await Promise.all(names.map(async (name) => [name, await ofBucket(s3, name)]));
  return JSON.parse(JSON.stringify(Object.fromEntries(buckets)));
}

async function ofBucket(s3: S3Client, Bucket: string): Promise<unknown> {
  const [listed, versions, { Uploads = [] }] = await Promise.all([
    s3.send(new ListObjectsV2Command({ Bucket })),
    s3.send(new ListObjectVersionsCommand({ Bucket })),
    s3.send(new ListMultipartUploadsCommand({ Bucket })),
  ]);
  const { Versions = [], DeleteMarkers = [] } = versions;
  return {
    keys: listed.Contents?.map(({ Key, ETag, Size, LastModified }) => [
      Key,
      ETag,
      Size,
      LastModified,
    ]),
    markers: DeleteMarkers.map(({ Key, VersionId, IsLatest }) => [Key, VersionId, IsLatest]),
    versions: await Promise.all(Versions.map((version) => ofVersion(s3, Bucket, version))),
    uploads: await Promise.all(
      Uploads.map(async ({ Key, UploadId }) => {
        const { Parts = [] } = await s3.send(new ListPartsCommand({ Bucket, Key, UploadId }));
        return [Key, UploadId, Parts.map(({ PartNumber, ETag, Size }) => [PartNumber, ETag, Size])];
      }),
    ),
    documents: await ofDocuments(s3, Bucket),
  };
}

async function ofVersion(s3: S3Client, Bucket: string, version: ObjectVersion): Promise<unknown> {
  const { Key, VersionId, IsLatest } = version;
  const which = { Bucket, Key, VersionId };
  const key = isUnderCustomerKey(Key) ? CUSTOMER_KEY : {};
  const asked = { ...which, ...key, ChecksumMode: "ENABLED" } as const;
  const got = await s3.send(new GetObjectCommand(asked));
  const bytes = await got.Body?.transformToByteArray();
  const slice =
    bytes?.length === 0
      ? undefined
      : await s3.send(new GetObjectCommand({ ...which, ...key, Range: "bytes=-7" }));
  return {
    ...{ Key, VersionId, IsLatest },
    slice: await slice?.Body?.transformToString("base64"),
    sha256: createHash("sha256")
      .update(bytes ?? "")
      .digest("hex"),
    ...told(got),
    tags: (await s3.send(new GetObjectTaggingCommand(which))).TagSet,
  };
}

/** What is kept with an object. What a release adds to an answer is not among it. */
function told(got: GetObjectCommandOutput): object {
  const { ETag, LastModified, ContentLength, ContentType, CacheControl, Metadata } = got;
  const { ServerSideEncryption, SSECustomerAlgorithm, ChecksumType } = got;
  const { ChecksumCRC32, ChecksumCRC64NVME, ChecksumSHA256 } = got;
  return {
    ...{ ETag, LastModified, ContentLength, ContentType, CacheControl, Metadata },
    ...{ ServerSideEncryption, SSECustomerAlgorithm, ChecksumType },
    ...{ ChecksumCRC32, ChecksumCRC64NVME, ChecksumSHA256 },
  };
}

/** What was put there: not what a release adds when it is asked for it. */
async function ofDocuments(s3: S3Client, Bucket: string): Promise<unknown> {
  const of = { Bucket };
  return await Promise.all([
    orCode(s3.send(new GetBucketVersioningCommand(of)).then(({ Status }) => Status)),
    orCode(s3.send(new GetBucketTaggingCommand(of)).then(({ TagSet }) => TagSet)),
    orCode(s3.send(new GetBucketCorsCommand(of)).then(({ CORSRules }) => CORSRules)),
    orCode(s3.send(new GetBucketPolicyCommand(of)).then(({ Policy }) => Policy)),
    orCode(s3.send(new GetBucketLifecycleConfigurationCommand(of)).then(({ Rules }) => Rules)),
    orCode(
      s3
        .send(new GetBucketEncryptionCommand(of))
        .then(({ ServerSideEncryptionConfiguration }) => ServerSideEncryptionConfiguration),
    ),
  ]);
}

async function orCode(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer;
  } catch (cause) {
    if (cause instanceof S3ServiceException && (cause.$metadata.httpStatusCode ?? 500) < 500) {
      return cause.name;
    }
    throw cause;
  }
}
