import type { Add } from "#meta/store.ts";
import { usageKey } from "#versioned/keys.ts";

/** What a bucket holds. Each commit that changes it adds its share to one counter. */
export interface Usage {
  readonly versions: number;
  readonly bytes: number;
  readonly deleteMarkers: number;
  readonly uploads: number;
  readonly partBytes: number;
}

const NO_USAGE: Usage = {
  versions: 0,
  bytes: 0,
  deleteMarkers: 0,
  uploads: 0,
  partBytes: 0,
};

export function addUsage(bucketId: string, change: Partial<Usage>): Add {
  const { versions, bytes, deleteMarkers, uploads, partBytes } = { ...NO_USAGE, ...change };
  return { key: usageKey(bucketId), amounts: [versions, bytes, deleteMarkers, uploads, partBytes] };
}

export function usageOf(amounts: readonly number[]): Usage {
  const [versions = 0, bytes = 0, deleteMarkers = 0, uploads = 0, partBytes = 0] = amounts;
  return { versions, bytes, deleteMarkers, uploads, partBytes };
}
