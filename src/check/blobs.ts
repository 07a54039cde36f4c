import { hasher } from "#base/checksum.ts";
import type { Clock } from "#base/clock.ts";
import { StorageError } from "#base/error.ts";
import type { BlobStore } from "#blob/store.ts";
import type { Found } from "#check/problem.ts";
import { manifestIn, partsIn, uploadsIn, type Version, versionsIn, whereOf } from "#check/walk.ts";
import type { MetaStore, MetaView } from "#meta/store.ts";
import { referenceKey, referenceSpan } from "#versioned/keys.ts";
import type { Extent } from "#versioned/record.ts";

interface Parts {
  readonly meta: MetaStore;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly found: Found;
  readonly signal: AbortSignal | undefined;
}

export interface BlobCounts {
  readonly blobs: number;
  readonly blobBytes: number;
  /** Without a reference, and so young that one may be about to be made. */
  readonly young: number;
  /** Without a reference: what a crash left behind, and the server's own job clears away. */
  readonly leftBehind: number;
}

const YOUNG_MS = 60 * 60 * 1_000;

/** Counts the blobs, and those that nothing refers to. */
export async function countBlobs({ blobs, signal }: Parts, view: MetaView): Promise<BlobCounts> {
  const counts = { blobs: 0, blobBytes: 0, young: 0, leftBehind: 0 };
  for await (const { id, sizeBytes, ageMs } of blobs.list()) {
    signal?.throwIfAborted();
    counts.blobs += 1;
    counts.blobBytes += sizeBytes;
    const references = await view.scan({ ...referenceSpan(id), limit: 1 });
    if (references.length > 0) continue;
    if (ageMs < YOUNG_MS) counts.young += 1;
    else counts.leftBehind += 1;
  }
  return counts;
}

export interface ReadCounts {
  readonly blobs: number;
  readonly bytes: number;
}

/** Of blobs that several contents hold, so many are remembered; others may be read more than once. */
const SHARED_MAX = 100_000;
/** A shorter rest than this is saved up. */
const REST_MS_MIN = 20;

/** Reads each blob whose sum is known, so many bytes a second, and compares the sums. */
export class BlobReader {
  readonly #parts: Parts;
  readonly #bytesPerSecond: number;
  readonly #shared = new Set<string>();
  readonly #beganMs: number;
  #blobs = 0;
  #bytes = 0;

  constructor(parts: Parts, bytesPerSecond: number) {
    this.#parts = parts;
    this.#bytesPerSecond = bytesPerSecond;
    this.#beganMs = parts.clock.now();
  }

  get counts(): ReadCounts {
    return { blobs: this.#blobs, bytes: this.#bytes };
  }

  /** Looks at the store as it is now, and not at a snapshot: that would keep all that goes meanwhile. */
  async readAll(): Promise<void> {
    const { meta } = this.#parts;
    for await (const version of versionsIn(meta)) {
      if ("value" in version) await this.#readVersion(version.value);
    }
    for await (const upload of uploadsIn(meta)) {
      if (!("value" in upload)) continue;
      const { uploadId } = upload.value;
      const at = { where: whereOf(upload.value), contentId: uploadId };
      for await (const part of partsIn(meta, uploadId)) {
        if ("value" in part) await this.#readExtents(part.value.extents, at);
      }
    }
  }

  async #readVersion(version: Version): Promise<void> {
    const { content } = version.record;
    if (content.kind === "inline") return;
    const at = { where: whereOf(version), contentId: content.id };
    if (content.kind === "extents") return await this.#readExtents(content.extents, at);
    const manifest = await manifestIn(this.#parts.meta, content.id);
    if (manifest === undefined || !("value" in manifest)) return;
    for (const part of manifest.value.parts) await this.#readExtents(part.extents, at);
  }

  async #readExtents(
    extents: readonly Extent[],
    at: { readonly where: string; readonly contentId: string },
  ): Promise<void> {
    for (const { blob, crc32 } of extents) {
      if (crc32 === undefined || (await this.#wasRead(blob))) continue;
      const sum = await this.#sumOf(blob);
      if (sum === undefined || sum === crc32) continue;
      const reference = await this.#parts.meta.get(referenceKey(blob, at.contentId));
      // What was deleted meanwhile may be cut short.
      if (reference === undefined) continue;
      await this.#parts.found.problem({ kind: "blob-damaged", where: `${at.where}, blob ${blob}` });
    }
  }

  async #wasRead(blob: string): Promise<boolean> {
    if (this.#shared.has(blob)) return true;
    const references = await this.#parts.meta.scan({ ...referenceSpan(blob), limit: 2 });
    if (references.length > 1 && this.#shared.size < SHARED_MAX) this.#shared.add(blob);
    return false;
  }

  /** undefined: it is not there, which is told elsewhere. */
  async #sumOf(blob: string): Promise<number | undefined> {
    const { blobs } = this.#parts;
    const to = await blobs.size(blob);
    if (to === undefined) return undefined;
    const crc = hasher("CRC32");
    try {
      for await (const chunk of blobs.read(blob, { from: 0, to })) {
        crc.update(chunk);
        this.#bytes += chunk.length;
        await this.#keepToRate();
      }
    } catch (cause) {
      // Removed, or not readable: the disk says why.
      if (cause instanceof StorageError && (await blobs.size(blob)) === undefined) return undefined;
      throw cause;
    }
    this.#blobs += 1;
    return crc.digest().readUInt32BE(0);
  }

  async #keepToRate(): Promise<void> {
    const { clock, signal } = this.#parts;
    signal?.throwIfAborted();
    const dueMs = this.#beganMs + (this.#bytes / this.#bytesPerSecond) * 1_000;
    const restMs = dueMs - clock.now();
    if (restMs > REST_MS_MIN) await clock.sleep(restMs, signal);
  }
}
