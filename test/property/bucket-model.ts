import type { Versioning } from "#object/bucket.ts";

export interface ModelVersion {
  /** As the engine named it; "null" for the null version. */
  readonly id: string;
  /** undefined: a delete marker. */
  readonly bytes: Buffer | undefined;
}

/** What a bucket is for its users, as obviously right as can be. */
export class BucketModel {
  /** Of each key, the newest first. */
  readonly versions = new Map<string, readonly ModelVersion[]>();
  versioning: Versioning = undefined;

  of(key: string): readonly ModelVersion[] {
    return this.versions.get(key) ?? [];
  }

  /** undefined when there is none, or a delete marker lies on it. */
  current(key: string): Buffer | undefined {
    return this.of(key)[0]?.bytes;
  }

  put(key: string, id: string, bytes: Buffer): void {
    this.#lay(key, { id, bytes });
  }

  /** `id` of the delete marker, where there is one. */
  delete(key: string, id: string | undefined): void {
    if (this.versioning === undefined) this.versions.delete(key);
    else this.#lay(key, { id: id ?? "null", bytes: undefined });
  }

  deleteVersion(key: string, id: string): void {
    const left = this.of(key).filter((version) => version.id !== id);
    if (left.length === 0) this.versions.delete(key);
    else this.versions.set(key, left);
  }

  /** Only where versions were never kept. */
  rename(from: string, to: string): void {
    const moved = this.of(from);
    this.versions.delete(from);
    this.versions.set(to, moved);
  }

  keys(): string[] {
    return [...this.versions.keys()].filter((key) => this.current(key) !== undefined);
  }

  /** Where versions are not kept, the null version is replaced. */
  #lay(key: string, version: ModelVersion): void {
    const kept = this.of(key).filter(({ id }) => this.versioning === "Enabled" || id !== "null");
    this.versions.set(key, [version, ...kept]);
  }
}
