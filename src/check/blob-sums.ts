import { hasher } from "#base/checksum.ts";
import type { BlobStore, ByteRange } from "#blob/store.ts";
import { readable } from "#check/reading.ts";
import type { MetaView } from "#meta/store.ts";
import { referenceSpan } from "#versioned/keys.ts";
import type { Extent } from "#versioned/record.ts";

/** What is wrong with the bytes of a blob. */
export type BlobDamage = "blob-damaged" | "blob-unreadable";

export interface ReadCounts {
  readonly blobs: number;
  readonly bytes: number;
}

interface BlobSumsParts {
  readonly meta: MetaView;
  readonly blobs: BlobStore;
  /** Told of what was read, chunk by chunk: it may rest, or fail to end it. */
  readonly spent: (bytes: number) => Promise<void>;
}

/** Of blobs that are read for several extents, so many are remembered; others may be read more than once. */
const SHARED_MAX = 100_000;

/** Reads blobs, one at a time, and compares their sums: those of their blocks, and that of the whole. */
export class BlobSums {
  readonly #parts: BlobSumsParts;
  readonly #shared = new Map<string, BlobDamage | undefined>();
  #blobs = 0;
  #bytes = 0;

  constructor(parts: BlobSumsParts) {
    this.#parts = parts;
  }

  /** Slices of blobs count as blobs. */
  get counts(): ReadCounts {
    return { blobs: this.#blobs, bytes: this.#bytes };
  }

  /**
   * undefined: it is what was written, or it is not there, which is told elsewhere. Of a slice of a blob nothing else
   * is read, but where it is encrypted. Fails: as `spent`; StorageError "unavailable".
   */
  async damageOf(extent: Extent): Promise<BlobDamage | undefined> {
    const { blob, offset, sizeBytes, crc32, seal } = extent;
    const isWhole = crc32 !== undefined || seal !== undefined;
    if (this.#shared.has(blob)) {
      const known = this.#shared.get(blob);
      if (known === undefined || isWhole) return known;
    }
    if (!isWhole) return await this.#read(blob, { from: offset, to: offset + sizeBytes });
    const damage = await this.#readWhole(blob, crc32);
    const references = await this.#parts.meta.scan({ ...referenceSpan(blob), limit: 2 });
    const isShared = references.length > 1 || crc32 === undefined;
    if (isShared && this.#shared.size < SHARED_MAX) this.#shared.set(blob, damage);
    return damage;
  }

  async #readWhole(blob: string, due: number | undefined): Promise<BlobDamage | undefined> {
    const size = await readable(this.#parts.blobs.size(blob));
    if ("refused" in size) return "blob-unreadable";
    const { read: to } = size;
    return to === undefined ? undefined : await this.#read(blob, { from: 0, to }, due);
  }

  async #read(blob: string, range: ByteRange, due?: number): Promise<BlobDamage | undefined> {
    const { blobs, spent } = this.#parts;
    const crc = hasher("CRC32");
    const chunks = blobs.readChecked(blob, range)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await readable(chunks.next());
        if ("refused" in next) return await this.#refused(blob, next.refused);
        const { done = false, value: chunk } = next.read;
        if (done) break;
        crc.update(chunk);
        this.#bytes += chunk.length;
        await spent(chunk.length);
      }
    } finally {
      await chunks.return?.();
    }
    this.#blobs += 1;
    const isSame = due === undefined || crc.digest().readUInt32BE(0) === due;
    return isSame ? undefined : "blob-damaged";
  }

  /** undefined when it was removed. */
  async #refused(blob: string, why: "corrupt" | "unavailable"): Promise<BlobDamage | undefined> {
    const size = await readable(this.#parts.blobs.size(blob));
    if ("read" in size && size.read === undefined) return undefined;
    return why === "corrupt" ? "blob-damaged" : "blob-unreadable";
  }
}
