import { type FileHandle, mkdir, open, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import {
  AUDIT_PLANES,
  type AuditPlane,
  type AuditRecord,
  type AuditStream,
} from "#audit/record.ts";
import { type Clock, deadline } from "#base/clock.ts";

/** Records wait this long before they are written to the disk, and not longer. */
const WRITE_MS = 1_000;
/** A file is handed over for delivery at this size or age. */
const BATCH_BYTES_MAX = 8 * 2 ** 20;
/** What may wait in memory for a disk that does not keep up; more is lost, counted and told. */
const WAITING_CHARS_MAX = 16 * 2 ** 20;

const OPEN = ".open";
const READY = ".ready";

export interface SpoolParts {
  readonly root: string;
  /** Tells the files of one process from another's, and of its next start. */
  readonly owner: string;
  readonly clock: Clock;
  readonly batchMs: number;
  /** Told of records that could not be kept. */
  readonly lost: (count: number, cause: unknown) => void;
}

/**
 * Keeps audit records of this process on the disk until they are delivered. To append costs a request
 * nothing but memory: the disk is written behind it, once a second; a process that ends cleanly loses
 * none, one that is killed at most the last second's.
 */
export class AuditSpool {
  readonly #parts: SpoolParts;
  readonly #batches = new Map<string, Batch>();
  readonly #undecided = new Set<Promise<void>>();
  #waitingChars = 0;
  #files = 0;
  #closed = false;

  constructor(parts: SpoolParts) {
    this.#parts = parts;
  }

  static async open(parts: SpoolParts): Promise<AuditSpool> {
    await mkdir(parts.root, { recursive: true, mode: 0o700 });
    return new AuditSpool(parts);
  }

  append(stream: AuditStream, record: AuditRecord): void {
    this.#append(stream, record);
  }

  /**
   * Appends what may be the last record of its stream, and hands the file over: when it resolves they are on
   * the disk, to stay. Fails: as the disk does.
   */
  async appendLast(stream: AuditStream, record: AuditRecord): Promise<void> {
    const batch = this.#append(stream, record);
    if (batch === undefined) throw new Error("the audit record is lost");
    await this.#end(batch);
    if (batch.failure !== undefined) throw batch.failure;
  }

  /** Appends it as soon as it is known to be wanted; when nobody can tell, it is lost and told as such. */
  appendIf(wanted: Promise<boolean>, stream: AuditStream, record: AuditRecord): void {
    const work = wanted
      .then((isWanted) => {
        if (isWanted) this.append(stream, record);
      })
      .catch((cause) => this.#parts.lost(1, cause))
      .finally(() => this.#undecided.delete(work));
    this.#undecided.add(work);
  }

  /** Resolves when it is known of all records until now whether they are wanted, and these are appended. */
  async decided(): Promise<void> {
    await Promise.all(this.#undecided);
  }

  /** Writes out what waits and hands everything over. Nothing is appended after it. */
  async close(): Promise<void> {
    await this.decided();
    this.#closed = true;
    await Promise.all([...this.#batches.values()].map((batch) => this.#end(batch)));
  }

  /** undefined: it is lost, and told as such. */
  #append(stream: AuditStream, record: AuditRecord): Batch | undefined {
    const line = `${JSON.stringify(record)}\n`;
    if (this.#closed || this.#waitingChars + line.length > WAITING_CHARS_MAX) {
      this.#parts.lost(1, new Error("the disk does not keep up with the audit records"));
      return undefined;
    }
    const batch = this.#batchOf(stream);
    batch.lines.push(line);
    this.#waitingChars += line.length;
    if (batch.timed) return batch;
    batch.timed = true;
    deadline(WRITE_MS, () => {
      batch.timed = false;
      this.#write(batch).catch((cause) => this.#parts.lost(0, cause));
    });
    return batch;
  }

  #batchOf(stream: AuditStream): Batch {
    const id = `${stream.organizationId}.${stream.plane}`;
    const known = this.#batches.get(id);
    if (known !== undefined) return known;
    this.#files += 1;
    const { owner, clock, batchMs } = this.#parts;
    const batch: Batch = {
      id,
      name: `${id}.${clock.now()}-${owner}-${this.#files}`,
      lines: [],
      timed: false,
      file: undefined,
      sizeBytes: 0,
      work: Promise.resolve(),
      failure: undefined,
    };
    this.#batches.set(id, batch);
    deadline(batchMs, () => {
      this.#end(batch).catch((cause) => this.#parts.lost(0, cause));
    });
    return batch;
  }

  /** One write of a file at a time, in order. Never rejects. */
  async #write(batch: Batch): Promise<void> {
    batch.work = batch.work.then(async () => {
      const { lines } = batch;
      if (lines.length === 0) return;
      batch.lines = [];
      const text = lines.join("");
      try {
        batch.file ??= await open(this.#path(batch.name + OPEN), "a", 0o600);
        await batch.file.appendFile(text);
        batch.sizeBytes += text.length;
      } catch (cause) {
        batch.failure = cause;
        this.#parts.lost(lines.length, cause);
      } finally {
        this.#waitingChars -= text.length;
      }
    });
    await batch.work;
    if (batch.sizeBytes >= BATCH_BYTES_MAX) await this.#end(batch);
  }

  /** From here on records of the stream go to another file, and this one is handed over. */
  async #end(batch: Batch): Promise<void> {
    if (this.#batches.get(batch.id) !== batch) return await batch.work;
    this.#batches.delete(batch.id);
    await this.#write(batch);
    batch.work = batch.work.then(() => this.#handOver(batch));
    await batch.work;
  }

  async #handOver(batch: Batch): Promise<void> {
    const { file, name } = batch;
    if (file === undefined) return;
    try {
      await file.sync();
      await file.close();
      await rename(this.#path(name + OPEN), this.#path(name + READY));
      await using directory = await open(this.#parts.root);
      await directory.sync();
    } catch (cause) {
      batch.failure = cause;
      // The file is still there: it is adopted later.
      this.#parts.lost(0, cause);
    }
  }

  #path(name: string): string {
    return join(this.#parts.root, name);
  }
}

interface Batch {
  readonly id: string;
  readonly name: string;
  lines: string[];
  timed: boolean;
  file: FileHandle | undefined;
  sizeBytes: number;
  work: Promise<void>;
  /** Why some of its records are lost, or not known to stay. */
  failure: unknown;
}

/** A file of records that waits for delivery. */
export interface ReadyBatch extends AuditStream {
  readonly path: string;
  /** When its first record was made. */
  readonly startedMs: number;
  /** Unlike any other's, whoever delivers it and however often. */
  readonly name: string;
}

const NAME = /^([a-z0-9]{3,32})\.(data-plane|control-plane)\.((\d{13})-[A-Za-z0-9-]+)\.ready$/;

/** The oldest first. */
export async function readyBatches(root: string): Promise<readonly ReadyBatch[]> {
  const batches = (await readdir(root)).flatMap((file): ReadyBatch[] => {
    const [, organizationId, plane, name, startedMs] = NAME.exec(file) ?? [];
    const known = AUDIT_PLANES.find((each): each is AuditPlane => each === plane);
    if (organizationId === undefined || known === undefined || name === undefined) return [];
    return [
      { organizationId, plane: known, name, path: join(root, file), startedMs: Number(startedMs) },
    ];
  });
  return batches.sort((a, b) => a.startedMs - b.startedMs);
}

/** Hands over what processes have left that were killed: files that nobody wrote to for `idleMs`. */
export async function adoptBatches(
  root: string,
  { nowMs, idleMs }: { readonly nowMs: number; readonly idleMs: number },
): Promise<void> {
  for (const file of await readdir(root)) {
    if (!file.endsWith(OPEN)) continue;
    const path = join(root, file);
    const found = await stat(path).catch(() => undefined);
    if (found === undefined) continue;
    // Written before the clock was set back: from now on it is known whether anybody still writes to it.
    if (found.mtimeMs > nowMs) await utimes(path, nowMs / 1_000, nowMs / 1_000);
    if (found.mtimeMs > nowMs - idleMs) continue;
    await rename(path, path.slice(0, -OPEN.length) + READY);
  }
}

export async function removeBatch({ path }: ReadyBatch): Promise<void> {
  await rm(path, { force: true });
}
