import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { FileBlobStore } from "#blob/files.ts";
import { LmdbMetaStore } from "#meta/lmdb.ts";
import type { Left } from "#test/crash/cut.ts";
import type { Recording } from "#test/crash/recording.ts";
import { type Commit, copyOf } from "#test/crash/tape.ts";
import { newClock, storesOver } from "#test/model/stores.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

/** Makes what a cut left anew, in a directory of its own, and opens the real stores on it. */
export class Replica implements AsyncDisposable {
  readonly #recording: Recording;
  readonly #root: string;
  /** Holds the first `#replayed` commits: those of one cut after the other. */
  readonly #base: LmdbMetaStore;
  readonly #commits: readonly Commit[];
  #replayed = 0;
  #opened = 0;
  #laid: string[] = [];

  static async of(recording: Recording): Promise<Replica> {
    return new Replica(recording, await temporaryDirectory());
  }

  private constructor(recording: Recording, root: string) {
    this.#recording = recording;
    this.#root = root;
    this.#base = new LmdbMetaStore(join(root, "base"));
    this.#commits = recording.tape.commits.toSorted((a, b) => a.sequence - b.sequence);
  }

  /** Cuts come with no fewer commits than the one before. */
  async open({ files, commits }: Left) {
    await this.#replay(commits);
    this.#opened += 1;
    const metadata = join(this.#root, `metadata-${this.#opened}`);
    mkdirSync(metadata);
    copyFileSync(join(this.#root, "base", "data.mdb"), join(metadata, "data.mdb"));
    const blobRoot = join(this.#root, "blobs");
    this.#lay(blobRoot, files);
    await FileBlobStore.sweepTemporary(blobRoot);
    const blobs = await FileBlobStore.open({ root: blobRoot, owner: `start-${this.#opened}` });
    const meta = new LmdbMetaStore(metadata);
    return {
      stores: storesOver(meta, blobs, newClock()),
      blobRoot,
      [Symbol.asyncDispose]: async () => {
        await meta[Symbol.asyncDispose]();
        await blobs[Symbol.asyncDispose]();
        rmSync(metadata, { recursive: true });
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#base[Symbol.asyncDispose]();
  }

  async #replay(commits: number): Promise<void> {
    const more = this.#commits.slice(this.#replayed, commits);
    this.#replayed = Math.max(this.#replayed, commits);
    // Those that wait together are one transaction, in their order.
    const replayed = more.map(({ change }) => this.#base.commit(copyOf(change)));
    for (const [index, sequence] of (await Promise.all(replayed)).entries()) {
      if (sequence === more[index]?.sequence) continue;
      throw new Error(`commit ${more[index]?.sequence} was replayed as ${sequence}`);
    }
  }

  #lay(blobRoot: string, files: Left["files"]): void {
    for (const path of this.#laid) rmSync(path, { force: true });
    this.#laid = [];
    for (const [path, bytes] of files) {
      const to = join(blobRoot, relative(this.#recording.blobRoot, path));
      mkdirSync(dirname(to), { recursive: true });
      writeFileSync(to, bytes);
      this.#laid.push(to);
    }
  }
}
