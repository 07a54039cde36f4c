import { open, rm } from "node:fs/promises";
import { join } from "node:path";

const TRIES = 7;
const BYTES = 4_096;

/** How long the disk under a directory takes to make a block durable: the median of a few, in milliseconds. */
export async function syncMs(directory: string): Promise<number> {
  const path = join(directory, "sync-speed.tmp");
  try {
    await using file = await open(path, "w");
    const took: number[] = [];
    for (let index = 0; index < TRIES; index += 1) {
      await file.write(Buffer.alloc(BYTES, index), 0, BYTES, index * BYTES);
      const began = performance.now();
      await file.datasync();
      took.push(performance.now() - began);
    }
    return took.sort((a, b) => a - b)[TRIES >> 1] ?? 0;
  } finally {
    await rm(path, { force: true });
  }
}
