import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { memoryOf, processTree } from "../target/process-tree.ts";

/** What a server takes at one moment. */
export interface Sample {
  readonly seconds: number;
  readonly requests: number;
  /** Of its processes together, files that they share left out. */
  readonly memoryBytes: number;
  readonly descriptors: number;
  readonly metadataBytes: number;
  readonly blobBytes: number;
  readonly blobs: number;
  /** What the clients have there. */
  readonly liveBytes: number;
}

const COLUMNS = [
  ...["seconds", "requests", "memoryBytes", "descriptors"],
  ...["metadataBytes", "blobBytes", "blobs", "liveBytes"],
] as readonly (keyof Sample)[];

export function sampleOf(
  pid: number,
  dataDirectory: string,
  rest: Pick<Sample, "seconds" | "requests" | "liveBytes">,
): Sample {
  const blobs = filesBelow(join(dataDirectory, "blobs"));
  const metadata = filesBelow(join(dataDirectory, "metadata"));
  return {
    ...rest,
    memoryBytes: memoryOf(pid).anonBytes,
    descriptors: processTree(pid).reduce((sum, member) => sum + descriptorsOf(member), 0),
    metadataBytes: bytesOf(metadata),
    blobBytes: bytesOf(blobs),
    blobs: blobs.length,
  };
}

export function csvOf(samples: readonly Sample[]): string {
  const lines = samples.map((sample) => COLUMNS.map((name) => Math.round(sample[name])).join(","));
  return `${[COLUMNS.join(","), ...lines].join("\n")}\n`;
}

function descriptorsOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0; // It has ended.
  }
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
