import { realpath, stat } from "node:fs/promises";
import { isAbsolute, relative } from "node:path";
import { ControlError } from "#base/control-error.ts";
import type { Catalog } from "#catalog/catalog.ts";
import { eachBucket } from "#catalog/each-bucket.ts";
import type { Bucket, VolumeSettings } from "#object/bucket.ts";
import type { OpenVolumes } from "#process/open-volumes.ts";
import { Volume } from "#volume/volume.ts";

export interface VolumeDeskParts {
  readonly catalog: Catalog;
  readonly volumes: OpenVolumes;
  /** Where the server keeps its own; undefined: nowhere. */
  readonly dataDirectory: string | undefined;
}

/** What the control API must know of directories. */
export class VolumeDesk {
  readonly #parts: VolumeDeskParts;

  constructor(parts: VolumeDeskParts) {
    this.#parts = parts;
  }

  /** The directory behind a path. Fails: InvalidArgument. */
  async directory(path: string): Promise<string> {
    if (!isAbsolute(path)) throw invalid(path, "give an absolute path on the server");
    try {
      const real = await realpath(path);
      if ((await stat(real)).isDirectory()) return real;
    } catch (cause) {
      throw invalid(path, String(cause instanceof Error ? cause.message : cause));
    }
    throw invalid(path, "it is no directory");
  }

  /** Fails: FailedPrecondition when the server's own files or another volume would share the directory. */
  async requireFree(directory: string): Promise<void> {
    const { dataDirectory } = this.#parts;
    if (dataDirectory !== undefined && overlaps(directory, await realpath(dataDirectory))) {
      throw taken(directory, "the server's own data directory");
    }
    for await (const row of eachBucket(this.#parts.catalog, { after: "" })) {
      const { name } = row;
      if ("damage" in row) {
        const message = `bucket "${name}" may be a volume in the same directory: its record cannot be read`;
        throw new ControlError("FailedPrecondition", message, { cause: row.damage });
      }
      const { volume } = row.bucket;
      if (volume !== undefined && overlaps(directory, volume.path)) {
        throw taken(directory, `the volume "${name}"`);
      }
    }
  }

  /** Tries what a volume rests on. Fails: InvalidArgument. */
  async try({ path: root, sizeBytes: quotaBytes, uid, gid, umask }: VolumeSettings): Promise<void> {
    try {
      const volume = await Volume.open({ root, quotaBytes, uid, gid, umask });
      await volume[Symbol.asyncDispose]();
    } catch (cause) {
      throw invalid(root, String(cause instanceof Error ? cause.message : cause));
    }
  }

  /** undefined when it was not measured yet, or cannot be reached now. */
  async usedBytes(bucket: Bucket): Promise<number | undefined> {
    try {
      return await (await this.#parts.volumes.of(bucket)).usage.usedBytes();
    } catch {
      return undefined;
    }
  }
}

/** One is the other, or holds it. */
function overlaps(one: string, other: string): boolean {
  return isWithin(one, other) || isWithin(other, one);
}

function isWithin(inner: string, outer: string): boolean {
  const way = relative(outer, inner);
  return way === "" || (!way.startsWith("..") && !isAbsolute(way));
}

function invalid(path: string, why: string): ControlError {
  return new ControlError("InvalidArgument", `path "${path}": ${why}`);
}

function taken(path: string, by: string): ControlError {
  const message = `path "${path}" shares its directory with ${by}`;
  return new ControlError("FailedPrecondition", message);
}
