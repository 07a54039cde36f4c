import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { descriptorsOf, memoryOf, proportionalBytesOf } from "../target/process-tree.ts";

/** What a server takes at one moment. */
export interface Sample {
  readonly seconds: number;
  readonly requests: number;
  /** Of its processes together, files that they share left out. */
  readonly memoryBytes: number;
  /** With them, each counted once. */
  readonly proportionalBytes: number;
  /** All but those of blob directories. */
  readonly descriptors: number;
  /** Opened one by one as blobs are first written to them, and kept: up to 256 in each worker. */
  readonly blobDirectories: number;
  readonly metadataBytes: number;
  readonly blobBytes: number;
  readonly blobs: number;
  /** What the clients have there. */
  readonly liveBytes: number;
  /** Blobs that no object of theirs holds: replaced, deleted, or still being written. */
  readonly garbageBytes: number;
}

/** What the clients know. */
export interface Known {
  readonly seconds: number;
  readonly requests: number;
  readonly liveBytes: number;
  /** Of it, what lies in blobs and not in records. */
  readonly liveBlobBytes: number;
}

const COLUMNS = [
  ...["seconds", "requests", "memoryBytes", "proportionalBytes", "descriptors"],
  ...["blobDirectories", "metadataBytes", "blobBytes", "blobs", "liveBytes", "garbageBytes"],
] as readonly (keyof Sample)[];

export function sampleOf(
  pid: number,
  dataDirectory: string,
  { liveBlobBytes, ...known }: Known,
): Sample {
  const { blobDirectories, others } = descriptorsOf(pid);
  const blobs = filesBelow(join(dataDirectory, "blobs"));
  const metadata = filesBelow(join(dataDirectory, "metadata"));
  const blobBytes = bytesOf(blobs);
  return {
    ...known,
    memoryBytes: memoryOf(pid).anonBytes,
    proportionalBytes: proportionalBytesOf(pid),
    descriptors: others,
    blobDirectories,
    metadataBytes: bytesOf(metadata),
    blobBytes,
    blobs: blobs.length,
    garbageBytes: Math.max(0, blobBytes - liveBlobBytes),
  };
}

export function csvOf(samples: readonly Sample[]): string {
  const lines = samples.map((sample) => COLUMNS.map((name) => Math.round(sample[name])).join(","));
  return `${[COLUMNS.join(","), ...lines].join("\n")}\n`;
}

function filesBelow(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .map((each) => join(each.parentPath, each.name));
}

function bytesOf(paths: readonly string[]): number {
  return paths.reduce((sum, path) => sum + sizeOf(path), 0);
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0; // It has gone since it was listed.
  }
}
