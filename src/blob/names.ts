import { join } from "node:path";
import { assert } from "#base/assert.ts";
import type { BlobId } from "#blob/store.ts";

const BLOB_ID = /^[0-9a-f]{32}$/;
/** Ends the name of a file that has the sums of its blocks behind its blob's bytes; others have the bytes alone. */
const SUMMED = ".sum";

/** Whose blob a file is, and whether sums stand in it. */
export interface BlobFile {
  readonly id: BlobId;
  readonly isSummed: boolean;
}

/** Where a file stands below the root: 256 directories, by the first two digits. */
export function pathOf({ id, isSummed }: BlobFile): string {
  assert(BLOB_ID.test(id), "a blob id is 32 hexadecimal digits");
  return join(id.slice(0, 2), isSummed ? `${id}${SUMMED}` : id);
}

/** Those that a blob may have, the one that is made now first. */
export function filesOf(id: BlobId): readonly BlobFile[] {
  return [
    { id, isSummed: true },
    { id, isSummed: false },
  ];
}

/** By the name in its directory; undefined for what is no blob's. */
export function fileOf(name: string): BlobFile | undefined {
  const isSummed = name.endsWith(SUMMED);
  const id = isSummed ? name.slice(0, -SUMMED.length) : name;
  return BLOB_ID.test(id) ? { id, isSummed } : undefined;
}
