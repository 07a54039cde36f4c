import { type CrcAlgorithm, combineCrc, digestOf } from "#base/checksum.ts";
import { S3Error } from "#base/error.ts";
import type { Checksum, ObjectInfo } from "#object/attributes.ts";
import { requireForWrite } from "#object/conditions.ts";
import type { CompleteInput, UploadName } from "#object/engine.ts";
import { PART_NUMBER_MAX } from "#object/name.ts";
import { garbageWrite, validatorsOf } from "#versioned/plan.ts";
import { infoOf, type PartRecord, type VersionRecord } from "#versioned/record.ts";
import { findVersion, keyState, type Stores } from "#versioned/store.ts";
import {
  type FoundUpload,
  findUpload,
  partCounter,
  requireUploadKey,
  scanParts,
  usageOfEnd,
} from "#versioned/uploads.ts";
import { type Beside, makeVersion } from "#versioned/write.ts";

/**
 * Makes the parts one version, by their extents: no byte moves and none is read.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 */
export async function completeUpload(
  stores: Stores,
  name: UploadName,
  input: CompleteInput,
): Promise<ObjectInfo> {
  const done = await alreadyDone(stores, name);
  if (done !== undefined) return done;
  const before = await keyState(stores, name);
  requireForWrite(input.conditions, validatorsOf(before.head), name.key);
  // Read first: a part that is committed from here on makes the guard on it stale.
  const counter = await partCounter(stores, name.uploadId);
  const upload = await findUpload(stores, name);
  requireUploadKey(stores, upload, input.key);
  const all = await scanParts(stores, name.uploadId, { afterNumber: 0, limit: PART_NUMBER_MAX });
  const parts = chosenParts(all, input, { name, partBytesMin: stores.limits.partBytesMin });
  const record = recordOf(name, { upload, parts, input, nowMs: stores.clock.now() });
  return await makeVersion(stores, name, {
    version: { record, inline: undefined, manifest: { parts }, newReferences: [] },
    conditions: input.conditions,
    before,
    beside: async () =>
      await endOfUpload(stores, name, { counter, unused: unusedBlobs(all, parts) }),
  });
}

/** A client that lost the answer asks again: the object is there, and the upload is its content. */
async function alreadyDone(stores: Stores, name: UploadName): Promise<ObjectInfo | undefined> {
  try {
    await findUpload(stores, name);
    return undefined;
  } catch (cause) {
    const { bucket, key, uploadId } = name;
    const found = await findVersion(stores, { bucket, key }).catch(() => undefined);
    const isIt = found?.record.content.kind === "manifest" && found.record.content.id === uploadId;
    if (!isIt || found === undefined) throw cause;
    return infoOf(key, found.record, found.versionId);
  }
}

async function endOfUpload(
  stores: Stores,
  name: UploadName,
  end: {
    readonly counter: Awaited<ReturnType<typeof partCounter>>;
    readonly unused: readonly string[];
  },
): Promise<Beside> {
  const upload = await findUpload(stores, name);
  const { guard } = upload;
  const { counter, unused } = end;
  const now = await partCounter(stores, name.uploadId);
  if (now.guard.revision !== counter.guard.revision) {
    const message = "A part was uploaded while the upload was being completed. Try again.";
    throw new S3Error("OperationAborted", {}, { message });
  }
  const garbage = { contentId: name.uploadId, blobs: unused, parts: "records" } as const;
  return {
    guards: [guard, counter.guard],
    writes: [
      { key: guard.key, value: undefined },
      { key: counter.guard.key, value: undefined },
      garbageWrite(garbage, stores.clock.now()),
    ],
    usage: [usageOfEnd(upload, counter.bytes)],
  };
}

/** Fails: InvalidPartOrder, InvalidPart, EntityTooSmall. */
function chosenParts(
  stored: readonly PartRecord[],
  { parts }: CompleteInput,
  { name, partBytesMin }: { readonly name: UploadName; readonly partBytesMin: number },
): PartRecord[] {
  const byNumber = new Map(stored.map((part) => [part.number, part]));
  let previous = 0;
  const chosen = parts.map((asked) => {
    if (asked.number <= previous) {
      throw new S3Error("InvalidPartOrder", { UploadId: name.uploadId });
    }
    previous = asked.number;
    const part = byNumber.get(asked.number);
    const same =
      part !== undefined &&
      part.md5 === asked.etag.toLowerCase() &&
      Object.entries(asked.checksums).every(([algorithm, value]) => {
        const known = Object.entries(part.checksums).find(([stored]) => stored === algorithm)?.[1];
        return known === undefined || known === value;
      });
    if (!same) {
      throw new S3Error("InvalidPart", {
        UploadId: name.uploadId,
        PartNumber: String(asked.number),
        ETag: asked.etag,
      });
    }
    return part;
  });
  for (const part of chosen.slice(0, -1)) {
    if (part.sizeBytes >= partBytesMin) continue;
    throw new S3Error("EntityTooSmall", {
      ProposedSize: String(part.sizeBytes),
      MinSizeAllowed: String(partBytesMin),
      PartNumber: String(part.number),
      ETag: part.md5,
    });
  }
  return chosen;
}

function unusedBlobs(all: readonly PartRecord[], chosen: readonly PartRecord[]): string[] {
  const used = new Set(chosen.flatMap(({ extents }) => extents.map(({ blob }) => blob)));
  const every = new Set(all.flatMap(({ extents }) => extents.map(({ blob }) => blob)));
  return [...every].filter((blob) => !used.has(blob));
}

interface Assembly {
  readonly upload: FoundUpload;
  readonly parts: readonly PartRecord[];
  readonly input: CompleteInput;
  readonly nowMs: number;
}

function recordOf({ bucket, uploadId }: UploadName, assembly: Assembly): VersionRecord {
  const { upload, parts, input, nowMs } = assembly;
  const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  if (input.sizeBytes !== undefined && input.sizeBytes !== sizeBytes) {
    const message = `The provided 'x-amz-mp-object-size' header value ${input.sizeBytes} does not match what was computed: ${sizeBytes}`;
    throw new S3Error("InvalidRequest", {}, { message });
  }
  const md5s = Buffer.concat(parts.map(({ md5 }) => Buffer.from(md5, "hex")));
  return {
    deleteMarker: false,
    isNull: bucket.versioning !== "Enabled",
    sizeBytes,
    md5: digestOf("MD5", md5s).toString("hex"),
    partsCount: parts.length,
    modifiedMs: nowMs,
    attributes: upload.info.attributes,
    checksum: checksumOf(assembly),
    content: { kind: "manifest", id: uploadId },
    encryption: upload.encryption,
  };
}

/**
 * From the parts' checksums: combined for the whole, or a checksum of checksums.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 * Fails: BadDigest, InvalidRequest.
 */
function checksumOf({ upload: { info }, parts, input }: Assembly): Checksum | undefined {
  const algorithm = info.algorithm ?? "CRC64NVME";
  const isCrc = algorithm === "CRC32" || algorithm === "CRC32C" || algorithm === "CRC64NVME";
  const fallback = algorithm === "CRC64NVME" ? "FULL_OBJECT" : "COMPOSITE";
  const type = info.checksumType ?? fallback;
  if (input.checksumType !== undefined && input.checksumType !== type) {
    const message = `The upload was created using the ${type} checksum mode. The complete request must use the same checksum mode.`;
    throw new S3Error("InvalidRequest", {}, { message });
  }
  const digests = parts.map(({ checksums, sizeBytes }) => ({
    digest: Buffer.from(checksums[algorithm] ?? "", "base64"),
    sizeBytes,
    missing: checksums[algorithm] === undefined,
  }));
  if (digests.some(({ missing }) => missing)) return undefined;
  const value =
    type === "FULL_OBJECT" && isCrc
      ? wholeCrc(algorithm, digests)
      : `${digestOf(algorithm, Buffer.concat(digests.map(({ digest }) => digest))).toString("base64")}-${parts.length}`;
  requireClaimed(input, { algorithm, type, value });
  return { algorithm, type, value };
}

function wholeCrc(
  algorithm: CrcAlgorithm,
  parts: readonly { readonly digest: Buffer; readonly sizeBytes: number }[],
): string {
  const [first, ...rest] = parts;
  let whole = first?.digest ?? digestOf(algorithm, Buffer.alloc(0));
  for (const { digest, sizeBytes } of rest) {
    whole = combineCrc(algorithm, { first: whole, second: digest, secondSizeBytes: sizeBytes });
  }
  return whole.toString("base64");
}

function requireClaimed({ checksum }: CompleteInput, computed: Checksum): void {
  if (checksum === undefined) return;
  const { algorithm, value } = checksum;
  // A client may leave the count off a composite checksum.
  const same =
    algorithm === computed.algorithm &&
    (value === computed.value || `${value}-${computed.value.split("-")[1]}` === computed.value);
  if (!same) {
    const message = `The ${algorithm} you specified did not match the calculated checksum.`;
    throw new S3Error("BadDigest", {}, { message });
  }
}
