import type { Checksum } from "#object/attributes.ts";
import {
  bucketOf,
  currentOf,
  find,
  lay,
  type ModelBucket,
  type ModelUpload,
  nameOf,
  type World,
} from "#test/model/bucket.ts";
import type { Answer, CallOf, Sent, Shown, Upload } from "#test/model/call.ts";
import { requireSource, requireWrite } from "#test/model/conditions.ts";
import { Refusal } from "#test/model/refusal.ts";
import {
  compositeChecksum,
  defaultType,
  fullChecksum,
  infoOf,
  md5,
  type Part,
  partOf,
} from "#test/model/version.ts";

export const PART_BYTES_MIN = 5;

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html */
export function create(world: World, call: CallOf<"createUpload">): Answer {
  const bucket = bucketOf(world, call);
  const { key, attributes, algorithm, checksumType } = call;
  const uploadId = String(fieldOf(world.answer, "uploadId"));
  const known = bucket.uploads.some((each) => each.uploadId === uploadId);
  const upload = {
    ...{ key, attributes, algorithm, checksumType, initiatedMs: world.nowMs, parts: new Map() },
    uploadId: known ? `${uploadId}, given before` : uploadId,
  };
  bucket.uploads.push(upload);
  return uploadOf(upload);
}

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html */
export function putPart(world: World, call: CallOf<"putPart">): Answer {
  const upload = uploadNamed(bucketOf(world, call), call);
  requireAlgorithm(upload, call);
  if (call.wrong !== undefined) throw new Refusal("BadDigest");
  const bytes = Buffer.from(call.bytes);
  const wanted = upload.algorithm ?? "CRC64NVME";
  const checksums = Object.fromEntries(
    [wanted, call.algorithm ?? wanted].map((each) => [each, fullChecksum(each, bytes).value]),
  );
  const { number } = call;
  const part = {
    number,
    bytes,
    etag: md5(bytes),
    modifiedMs: world.nowMs,
    checksums,
    isCopied: false,
  };
  upload.parts.set(number, part);
  return partOf(part, upload.algorithm ?? call.algorithm);
}

/**
 * The tag of a copied part is the store's own choice, and so is whether it has a checksum that the upload
 * did not ask for.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html
 */
export function copyPart(world: World, call: CallOf<"copyPart">): Answer {
  const [bucket, from] = [bucketOf(world, call), bucketOf(world, call.source)];
  const upload = uploadNamed(bucket, call);
  const source = find(world, call.source);
  requireSource(call.conditions, source);
  const { first, last } = call.range ?? { first: 0, last: source.bytes.length - 1 };
  if (last >= source.bytes.length) {
    throw new Refusal(first < source.bytes.length ? "InvalidArgument" : "InvalidRequest");
  }
  const bytes = source.bytes.subarray(first, last + 1);
  const { number } = call;
  const etag = String(fieldOf(world.answer, "etag"));
  const { algorithm } = upload;
  const checksums = algorithm && { [algorithm]: fullChecksum(algorithm, bytes).value };
  const modifiedMs = world.nowMs;
  const part = { number, bytes, etag, modifiedMs, checksums: checksums ?? {}, isCopied: true };
  upload.parts.set(number, part);
  const sourceVersionId = nameOf(from, source);
  return { ...partOf(part, algorithm), sourceVersionId };
}

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html */
export function complete(world: World, call: CallOf<"completeUpload">): Answer {
  const bucket = bucketOf(world, call);
  const current = currentOf(bucket, call.key);
  // Asked again by a client that lost the answer.
  const done = current?.uploadId === call.uploadId ? current : undefined;
  if (done !== undefined) return infoOf(call.key, done, nameOf(bucket, done));
  const upload = uploadNamed(bucket, call);
  requireWrite(call.conditions, current);
  const parts = chosenParts(upload, call);
  const bytes = Buffer.concat(parts.map((part) => part.bytes));
  if (call.sizeBytes !== undefined && call.sizeBytes !== bytes.length) {
    throw new Refusal("InvalidRequest");
  }
  const digests = Buffer.concat(parts.map(({ etag }) => Buffer.from(etag, "hex")));
  const version = lay(world, bucket, {
    ...{ key: call.key, bytes, etag: `${md5(digests)}-${parts.length}`, isMarker: false },
    ...{ modifiedMs: world.nowMs, attributes: upload.attributes, uploadId: call.uploadId },
    ...{ parts, checksum: checksumOf(world, upload, { parts, bytes }) },
  });
  bucket.uploads = bucket.uploads.filter((each) => each !== upload);
  return infoOf(call.key, version, nameOf(bucket, version));
}

export function abort(world: World, call: CallOf<"abortUpload">): Answer {
  const bucket = bucketOf(world, call);
  const upload = uploadNamed(bucket, call);
  bucket.uploads = bucket.uploads.filter((each) => each !== upload);
  return {};
}

export function uploadOf(upload: ModelUpload): Shown {
  const { parts, ...shown } = upload;
  return shown;
}

function uploadNamed({ uploads }: ModelBucket, { key, uploadId }: Upload): ModelUpload {
  const found = uploads.find((each) => each.key === key && each.uploadId === uploadId);
  if (found === undefined) throw new Refusal("NoSuchUpload");
  return found;
}

function requireAlgorithm({ algorithm, checksumType }: ModelUpload, sent: Sent): void {
  if (algorithm === undefined || algorithm === sent.algorithm) return;
  const type = checksumType ?? defaultType(algorithm);
  const isMade = sent.algorithm === undefined && type === "FULL_OBJECT";
  if (!isMade) throw new Refusal("InvalidRequest");
}

function chosenParts({ parts }: ModelUpload, call: CallOf<"completeUpload">): Part[] {
  const numbers = call.parts.map(({ number }) => number);
  const ordered = numbers.every((number, at) => number > (numbers[at - 1] ?? 0));
  if (!ordered) throw new Refusal("InvalidPartOrder");
  const chosen = call.parts.flatMap(({ number, etag }) => {
    const part = parts.get(number);
    return part?.etag === etag ? [part] : [];
  });
  if (chosen.length < numbers.length) throw new Refusal("InvalidPart");
  const small = chosen.slice(0, -1).some(({ bytes }) => bytes.length < PART_BYTES_MIN);
  if (small) throw new Refusal("EntityTooSmall");
  return chosen;
}

function checksumOf(
  { answer }: World,
  { algorithm = "CRC64NVME", checksumType }: ModelUpload,
  { parts, bytes }: { readonly parts: readonly Part[]; readonly bytes: Buffer },
): Checksum | undefined {
  const type = checksumType ?? defaultType(algorithm);
  const unread = parts.some(({ checksums }) => checksums[algorithm] === undefined);
  if (unread && fieldOf(answer, "checksum") === undefined) return undefined;
  return type === "FULL_OBJECT"
    ? fullChecksum(algorithm, bytes)
    : compositeChecksum(algorithm, parts);
}

function fieldOf(answer: Answer, name: string): unknown {
  return Object.entries(answer).find(([each]) => each === name)?.[1];
}
