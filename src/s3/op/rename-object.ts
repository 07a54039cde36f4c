import type { Grant } from "#access/grant.ts";
import { invalidArgument, S3Error } from "#base/error.ts";
import type { RenameInput } from "#object/engine.ts";
import { type BucketName, bucketName, type ObjectKey, objectKey } from "#object/name.ts";
import { conditionHeaders, readConditions } from "#s3/conditions.ts";
import { operation, type Services } from "#s3/operation.ts";
import { empty } from "#s3/reply.ts";
import { type Headers, keyOf, type NamedKey, utf8 } from "#s3/request.ts";

const TOKEN = /^[\x21-\x7e]{1,64}$/;

const SOURCE_CONDITIONS = conditionHeaders("x-amz-rename-source-");

/**
 * Spec: CoreWeave AI Object Storage, "Rename Objects", and
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_RenameObject.html
 * Fails: NoSuchKey, PreconditionFailed, InvalidRequest (another bucket), InvalidBucketState,
 * IdempotencyParameterMismatch.
 */
export const renameObject = operation({
  name: "RenameObject",
  route: { method: "PUT", on: "object", query: ["renameObject"] },
  body: "none",

  parse: (request) => {
    const name = keyOf(request);
    const source = readSource(request.headers);
    return {
      name,
      source,
      keys: sourceKeys(source, name.bucket),
      conditions: readConditions(request),
      sourceConditions: readConditions(request, SOURCE_CONDITIONS),
      token: readToken(request.headers),
    };
  },

  // Every reading of the source must be allowed, whichever turns out to be meant.
  grants: ({ name, keys }) => [
    { action: "s3:PutObject", resource: `${name.bucket}/${name.key}` },
    ...keys.map((key): Grant => ({ action: "s3:DeleteObject", resource: `${name.bucket}/${key}` })),
  ],

  run: async (services, { name, source, keys, ...input }) => {
    const { bucket, engine } = await services.open(name.bucket);
    let missing: unknown;
    for (const key of keys) {
      const rename: RenameInput = { ...input, source: key };
      try {
        return await engine.rename({ bucket, key: name.key }, rename);
      } catch (cause) {
        if (!(cause instanceof S3Error) || cause.code !== "NoSuchKey") throw cause;
        missing ??= cause;
      }
    }
    await refuseOtherBucket(services, name, source);
    throw missing;
  },

  render: ({ etag }) => empty(200, { ETag: `"${etag}"` }),
});

/** Fails: InvalidArgument. */
function readSource(headers: Headers): string {
  const source = headers["x-amz-rename-source"];
  if (source !== undefined && source.replace(/^\//, "") !== "") return utf8(source);
  throw invalidArgument(
    "x-amz-rename-source",
    source ?? "",
    "Name the object to rename, as /bucket/key, in the header x-amz-rename-source.",
  );
}

/**
 * The keys that a source may mean, the likeliest first: percent-decoded, as documented, then as it
 * stands, since the AWS CLI and boto3 do not encode it; without the bucket, then with it as part of the key.
 */
function sourceKeys(source: string, bucket: BucketName): readonly ObjectKey[] {
  const spellings = [decode(source), source].flatMap((text) => {
    const path = (text ?? source).replace(/^\//, "");
    const own = `${bucket}/`;
    return path.startsWith(own) && path.length > own.length
      ? [path.slice(own.length), path]
      : [path];
  });
  return [...new Set(spellings)].map(objectKey);
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Fails: InvalidRequest when the source begins with the name of another bucket. */
async function refuseOtherBucket(
  { catalog }: Services,
  { bucket }: NamedKey,
  source: string,
): Promise<void> {
  const [first = "", ...rest] = (decode(source) ?? source).replace(/^\//, "").split("/");
  if (first === bucket || rest.length === 0) return;
  const other = await findBucket(catalog, first);
  if (other) {
    const message = "RenameObject works within one bucket: source and destination differ.";
    throw new S3Error("InvalidRequest", {}, { message });
  }
}

async function findBucket(catalog: Services["catalog"], name: string): Promise<boolean> {
  try {
    await catalog.bucket(bucketName(name));
    return true;
  } catch (cause) {
    if (cause instanceof S3Error) return false;
    throw cause;
  }
}

/** Fails: InvalidArgument. */
function readToken(headers: Headers): string | undefined {
  const token = headers["x-amz-client-token"];
  if (token === undefined || TOKEN.test(token)) return token;
  throw invalidArgument("x-amz-client-token", token, "A token is 1 to 64 printable characters.");
}
