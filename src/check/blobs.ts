import type { Clock } from "#base/clock.ts";
import type { BlobStore } from "#blob/store.ts";
import { BlobSums, type ReadCounts } from "#check/blob-sums.ts";
import { Pace } from "#check/pace.ts";
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

/** Reads each blob whose sum is known, so many bytes a second, and compares the sums. */
export class BlobReader {
  readonly #parts: Parts;
  readonly #sums: BlobSums;

  constructor(parts: Parts, bytesPerSecond: number) {
    const { meta, blobs, clock, signal } = parts;
    const pace = new Pace({ clock, bytesPerSecond, signal });
    this.#parts = parts;
    this.#sums = new BlobSums({ meta, blobs, spent: async (bytes) => await pace.spend(bytes) });
  }

  get counts(): ReadCounts {
    return this.#sums.counts;
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
    for (const extent of extents) {
      const kind = await this.#sums.damageOf(extent);
      if (kind === undefined) continue;
      const { blob } = extent;
      // What was deleted meanwhile may be cut short.
      if ((await this.#parts.meta.get(referenceKey(blob, at.contentId))) === undefined) continue;
      await this.#parts.found.problem({ kind, where: `${at.where}, blob ${blob}` });
    }
  }
}
