import type { BlobStore } from "#blob/store.ts";
import type { Found } from "#check/problem.ts";
import { readable } from "#check/reading.ts";
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
    const { blob } = extent;
    const problem = await problemOfExtent(this.#blobs, extent);
    if (problem === undefined) return;
    const { kind, bytes } = problem;
    if (kind === "blob-missing" && !(await this.#isHeld(blob, held))) return;
    const there = bytes === undefined ? "" : `: ${bytes} bytes`;
    await this.#found.problem({ kind, where: `${held.where}, blob ${blob}${there}` });
  }

  /** By now: what was deleted since the check began has taken its blobs along. */
  async #isHeld(blob: string, { contentId }: Held): Promise<boolean> {
    if (!this.#isServed) return true;
    return (await this.#meta.get(referenceKey(blob, contentId))) !== undefined;
  }
}

interface ExtentProblem {
  readonly kind: "blob-missing" | "blob-size" | "blob-unreadable";
  /** How many are there. */
  readonly bytes?: number;
}

/** Holds one extent against the size of its blob, whose bytes are not read. */
export async function problemOfExtent(
  blobs: BlobStore,
  { blob, offset, sizeBytes, crc32, seal }: Extent,
): Promise<ExtentProblem | undefined> {
  const size = await readable(blobs.size(blob));
  if ("refused" in size) return { kind: "blob-unreadable" };
  const { read: there } = size;
  if (there === undefined) return { kind: "blob-missing" };
  const clear = seal?.sizeBytes ?? there;
  const stored = seal === undefined ? there : sealedSize(seal.sizeBytes);
  const end = offset + sizeBytes;
  const isWhole = crc32 === undefined || (offset === 0 && end === clear);
  if (there === stored && end <= clear && isWhole) return undefined;
  return { kind: "blob-size", bytes: there };
}
