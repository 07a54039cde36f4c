import { S3Error } from "#base/error.ts";
import { assembledChecksum, assembledMd5, assembledSize, chooseParts } from "#object/assembly.ts";
import type { ObjectInfo } from "#object/attributes.ts";
import { requireForWrite } from "#object/conditions.ts";
import type { CompleteInput, KeyName, UploadName } from "#object/engine.ts";
import { PART_NUMBER_MAX } from "#object/name.ts";
import { garbageWrite, validatorsOf } from "#versioned/plan.ts";
import { infoOf, type PartRecord, type VersionRecord } from "#versioned/record.ts";
import { type FoundVersion, findVersion, keyState, type Stores } from "#versioned/store.ts";
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
  try {
    return await assemble(stores, name, input);
  } catch (cause) {
    // A client that lost the answer asks again, or while the first request still runs.
    const done = cause instanceof S3Error ? await completed(stores, name) : undefined;
    if (done === undefined) throw cause;
    return done;
  }
}

async function assemble(
  stores: Stores,
  name: UploadName,
  input: CompleteInput,
): Promise<ObjectInfo> {
  // Read first: a part that is committed from here on makes the guard on it stale.
  const counter = await partCounter(stores, name.uploadId);
  const upload = await findUpload(stores, name);
  const before = await keyState(stores, name);
  requireForWrite(input.conditions, validatorsOf(before.head), name.key);
  requireUploadKey(stores, upload, input.key);
  const all = await scanParts(stores, name.uploadId, { afterNumber: 0, limit: PART_NUMBER_MAX });
  const { partBytesMin } = stores.limits;
  const parts = chooseParts(all, input, { upload: upload.info, partBytesMin });
  const record = recordOf(name, { upload, parts, input, nowMs: stores.clock.now() });
  return await makeVersion(stores, name, {
    version: { record, inline: undefined, manifest: { parts }, newReferences: [] },
    conditions: input.conditions,
    before,
    beside: async () =>
      await endOfUpload(stores, name, { counter, unused: unusedBlobs(all, parts) }),
  });
}

/** The object that the upload has become, for as long as it is the current one. */
async function completed(stores: Stores, name: UploadName): Promise<ObjectInfo | undefined> {
  const { bucket, key, uploadId } = name;
  const found = await versionOrNone(stores, { bucket, key });
  if (found?.record.content.kind !== "manifest" || found.record.content.id !== uploadId) {
    return undefined;
  }
  return infoOf(key, found.record, found.versionId);
}

async function versionOrNone(stores: Stores, name: KeyName): Promise<FoundVersion | undefined> {
  try {
    return await findVersion(stores, name);
  } catch (cause) {
    if (cause instanceof S3Error) return undefined;
    throw cause;
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

function recordOf(
  { bucket, uploadId }: UploadName,
  { upload, parts, input, nowMs }: Assembly,
): VersionRecord {
  return {
    deleteMarker: false,
    isNull: bucket.versioning !== "Enabled",
    sizeBytes: assembledSize(parts, input),
    md5: assembledMd5(parts),
    partsCount: parts.length,
    modifiedMs: nowMs,
    attributes: upload.info.attributes,
    checksum: assembledChecksum(parts, upload.info, input),
    content: { kind: "manifest", id: uploadId },
    encryption: upload.encryption,
  };
}
