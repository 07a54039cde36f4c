import { MemoryBlobStore } from "#blob/memory.ts";
import type { BlobStore } from "#blob/store.ts";
import { MemoryMetaStore } from "#meta/memory.ts";
import type { MetaStore } from "#meta/store.ts";
import { PART_BYTES_MIN } from "#test/model/uploads.ts";
import { TEST_KEYRING } from "#test/support/keyring.ts";
import { MovableClock } from "#test/support/movable-clock.ts";
import type { Stores } from "#versioned/store.ts";

const START_MS = Date.UTC(2026, 0, 2);

/** With limits so small that histories of few bytes reach them. */
export function storesOver(meta: MetaStore, blobs: BlobStore, clock = newClock()) {
  const limits = { inlineBytesMax: 16, partBytesMin: PART_BYTES_MIN };
  return { meta, blobs, clock, limits, keyring: TEST_KEYRING } satisfies Stores;
}

export function memoryStores() {
  const clock = newClock();
  return storesOver(new MemoryMetaStore(), new MemoryBlobStore(clock), clock);
}

export function newClock(): MovableClock {
  return new MovableClock(START_MS);
}
