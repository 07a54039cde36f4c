import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";

const existing = new Set<string>();

/** A directory of this run's own, removed with all that is in it. */
export class TemporaryDirectory implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
    existing.add(path);
  }

  static async make(parent: string): Promise<TemporaryDirectory> {
    return new TemporaryDirectory(await mkdtemp(join(parent, "lode-bench-")));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
    existing.delete(this.path);
  }

  /** For an interrupted benchmark, which cannot wait. */
  static removeAllNow(): void {
    for (const path of existing) rmSync(path, { recursive: true, force: true });
  }
}
