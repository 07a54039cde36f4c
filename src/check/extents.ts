import type { BlobStore } from "#blob/store.ts";
import type { Found } from "#check/problem.ts";
import type { MetaStore } from "#meta/store.ts";
import { referenceKey } from "#versioned/keys.ts";
import type { Extent } from "#versioned/record.ts";
import { sealedSize } from "#versioned/sealed-chunks.ts";

export interface Held {
  readonly where: string;
  readonly contentId: string;
}

interface ExtentsParts {
  readonly meta: MetaStore;
  readonly blobs: BlobStore;
  /** Others write meanwhile. */
  readonly isServed: boolean;
}

/** Holds extents against the blobs that they are of. */
export class Extents {
  readonly #meta: MetaStore;
  readonly #blobs: BlobStore;
  readonly #isServed: boolean;
  readonly #found: Found;
  extents = 0;

  constructor({ meta, blobs, isServed }: ExtentsParts, found: Found) {
    this.#meta = meta;
    this.#blobs = blobs;
    this.#isServed = isServed;
    this.#found = found;
  }

  async check(extents: readonly Extent[], held: Held): Promise<void> {
    for (const extent of extents) await this.#check(extent, held);
  }

  async #check(extent: Extent, held: Held): Promise<void> {
    this.extents += 1;
    const { blob, seal } = extent;
    const there = await this.#blobs.size(blob);
    if (there === undefined) {
      if (await this.#isHeld(blob, held)) {
        await this.#found.problem({ kind: "blob-missing", where: `${held.where}, blob ${blob}` });
      }
      return;
    }
    const clear = seal?.sizeBytes ?? there;
    const stored = seal === undefined ? there : sealedSize(seal.sizeBytes);
    const end = extent.offset + extent.sizeBytes;
    const isWhole = extent.crc32 === undefined || (extent.offset === 0 && end === clear);
    if (there === stored && end <= clear && isWhole) return;
    const where = `${held.where}, blob ${blob}: ${there} bytes`;
    await this.#found.problem({ kind: "blob-size", where });
  }

  /** By now: what was deleted since the check began has taken its blobs along. */
  async #isHeld(blob: string, { contentId }: Held): Promise<boolean> {
    if (!this.#isServed) return true;
    return (await this.#meta.get(referenceKey(blob, contentId))) !== undefined;
  }
}
