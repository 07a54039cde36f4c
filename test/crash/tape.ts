import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import type { Disk } from "#blob/disk.ts";
import { systemDisk } from "#blob/disk.ts";
import type { Change, MetaStore, Write } from "#meta/store.ts";

/** When something began and when it was told to be done, in ticks; Infinity while it is under way. */
export interface Span {
  readonly begun: number;
  readonly ended: number;
}

/** A name that comes to stand in a directory, or goes from it. */
export interface NameChange {
  readonly path: string;
  /** undefined: it goes. */
  readonly file: number | typeof DIRECTORY | undefined;
  readonly span: Span;
}

/** Instead of a file's number. */
export const DIRECTORY = "directory";

export interface WrittenBytes {
  readonly file: number;
  readonly at: number;
  readonly bytes: Buffer;
  readonly span: Span;
}

export interface Sync {
  /** A file's number, or a directory's path. */
  readonly of: number | string;
  readonly span: Span;
}

export interface Commit {
  readonly sequence: number;
  readonly change: Change;
  readonly span: Span;
}

/**
 * All that was asked of a disk and of a metadata store, in the order in which it began and ended: what
 * a power cut at any tick might leave can be told from it.
 */
export class Tape {
  readonly names: NameChange[] = [];
  readonly writes: WrittenBytes[] = [];
  readonly syncs: Sync[] = [];
  readonly commits: Commit[] = [];
  #ticks = 0;

  get ticks(): number {
    return this.#ticks;
  }

  tick(): number {
    this.#ticks += 1;
    return this.#ticks;
  }

  /** Runs `work`, and tells `keep` its span: once, and the end when there is one. */
  async timed<T>(keep: (span: Span) => void, work: () => Promise<T>): Promise<T> {
    const span = { begun: this.tick(), ended: Number.POSITIVE_INFINITY };
    keep(span);
    const result = await work();
    span.ended = this.tick();
    return result;
  }

  /** The system's disk, with everything it is asked put on the tape. */
  disk(inner: Disk = systemDisk): Disk {
    const files = new WeakMap<FileHandle, number>();
    const directories = new WeakMap<FileHandle, string>();
    const standing = new Map<string, number>();
    let made = 0;
    return {
      create: async (path) => {
        const file = made;
        made += 1;
        standing.set(path, file);
        const keep = (span: Span) => this.names.push({ path, file, span });
        const handle = await this.timed(keep, () => inner.create(path));
        files.set(handle, file);
        return handle;
      },
      write: (handle, pieces, at) => {
        const file = numberOf(files, handle);
        const bytes = Buffer.concat(pieces);
        const keep = (span: Span) => this.writes.push({ file, at, bytes, span });
        return this.timed(keep, () => inner.write(handle, pieces, at));
      },
      syncFile: (handle) => {
        const of = numberOf(files, handle);
        return this.timed(
          (span) => this.syncs.push({ of, span }),
          () => inner.syncFile(handle),
        );
      },
      rename: (from, to) => {
        const file = standing.get(from);
        if (file === undefined) throw new Error(`${from} was never made`);
        standing.delete(from);
        standing.set(to, file);
        const keep = (span: Span) => {
          this.names.push({ path: from, file: undefined, span }, { path: to, file, span });
        };
        return this.timed(keep, () => inner.rename(from, to));
      },
      remove: (path) => {
        const keep = (span: Span) => {
          if (standing.delete(path)) this.names.push({ path, file: undefined, span });
        };
        return this.timed(keep, () => inner.remove(path));
      },
      openDirectory: async (path) => {
        const handle = await inner.openDirectory(path);
        directories.set(handle, String(path));
        return handle;
      },
      syncDirectory: (handle) => {
        const of = directories.get(handle) ?? "";
        const keep = (span: Span) => this.syncs.push({ of, span });
        return this.timed(keep, () => inner.syncDirectory(handle));
      },
      makeDirectory: async (path) => {
        const begun = this.tick();
        const first = await inner.makeDirectory(path);
        const span = { begun, ended: this.tick() };
        for (let made = path; made.length >= (first ?? `${path}/`).length; made = dirname(made)) {
          this.names.push({ path: made, file: DIRECTORY, span });
        }
        return first;
      },
    };
  }

  /** A metadata store whose applied commits are put on the tape. */
  meta(inner: MetaStore): MetaStore {
    return {
      get: (key) => inner.get(key),
      scan: (range) => inner.scan(range),
      scanPacked: (range) => inner.scanPacked(range),
      snapshot: () => inner.snapshot(),
      commit: async (change) => {
        const copy = copyOf(change);
        const span = { begun: this.tick(), ended: Number.POSITIVE_INFINITY };
        const sequence = await inner.commit(change);
        if (sequence === undefined) return undefined;
        span.ended = this.tick();
        this.commits.push({ sequence, change: copy, span });
        return sequence;
      },
      [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
    };
  }
}

/** A commit writes its stamps into the buffers that it is given. */
export function copyOf({ guards, writes, adds = [] }: Change): Change {
  return {
    guards: guards.map(({ key, revision }) => ({ key: Buffer.from(key), revision })),
    writes: writes.map(({ key, value, ...stamps }: Write) => ({
      ...{ key: Buffer.from(key), value: value && Buffer.from(value), ...stamps },
    })),
    adds: adds.map(({ key, amounts }) => ({ key: Buffer.from(key), amounts: [...amounts] })),
  };
}

function numberOf(files: WeakMap<FileHandle, number>, handle: FileHandle): number {
  const found = files.get(handle);
  if (found === undefined) throw new Error("a file that the disk did not make");
  return found;
}
