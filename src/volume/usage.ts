import { type FileHandle, open, readdir, rm, statfs } from "node:fs/promises";
import type { Clock } from "#base/clock.ts";
import { S3Error } from "#base/error.ts";
import { randomHex } from "#base/random.ts";
import { isRemovedButOpen } from "#volume/key-path.ts";
import type { OpenDirectory } from "#volume/open-directory.ts";
import { readSmall } from "#volume/read-small.ts";
import { replaceDurably } from "#volume/write-durably.ts";

/** What the whole volume took when all of it was looked at. */
interface Measured {
  /** Names the measurement; what processes count is since the one they name. */
  readonly id: string;
  readonly bytes: number;
  readonly atMs: number;
}

/** What one process has added since, or taken away. */
interface Counted {
  readonly since: string;
  readonly bytes: number;
}

/** Room that is kept for a write until it is known what it took. */
export interface Reservation extends Disposable {
  /** It is on the disk; `bytes` may differ, and be negative when it replaced more. */
  readonly settle: (bytes: number) => Promise<void>;
}

interface Options {
  readonly hidden: OpenDirectory;
  readonly ownerId: string;
  readonly clock: Clock;
  /** Looks at the whole volume: the bytes that it takes. */
  readonly measure: () => Promise<number>;
  readonly quotaBytes?: number | undefined;
}

const MEASURED = "measured.json";
/** How long what other processes count may be out of date. */
const FRESH_MS = 1_000;
/** The disk is asked before a write of this size: of smaller ones it says itself when it is full. */
const ASKED_FROM_BYTES = 2 ** 20;

/**
 * How much of its quota a volume uses: the last measurement, which also sees what other programs write,
 * and what the servers have written since. Each process counts in a file of its own that the others
 * read, so that together they exceed the quota by at most what they write within a second.
 */
export class Usage implements AsyncDisposable {
  readonly #options: Options;
  readonly #file: FileHandle;
  #own: Counted = { since: "", bytes: 0 };
  #others = 0;
  #measured: Measured | undefined;
  #readMs = Number.NEGATIVE_INFINITY;
  #reservedBytes = 0;
  #measuring: Promise<number> | undefined;

  private constructor(options: Options, file: FileHandle) {
    this.#options = options;
    this.#file = file;
  }

  /** Fails: as open(2). */
  static async open(options: Options): Promise<Usage> {
    const { hidden, ownerId } = options;
    return new Usage(options, await open(hidden.entry(`usage/${ownerId}`), "wx", 0o600));
  }

  /** The quota of the volume; undefined: what the disk has. */
  get quotaBytes(): number | undefined {
    return this.#options.quotaBytes;
  }

  /** As far as it is known; undefined when the volume was never measured. */
  async usedBytes(): Promise<number | undefined> {
    await this.#refresh();
    if (this.#measured === undefined) return undefined;
    return Math.max(0, this.#measured.bytes + this.#others + this.#own.bytes);
  }

  /** Fails: InsufficientStorage. */
  async reserve(bytes: number): Promise<Reservation> {
    if (bytes >= ASKED_FROM_BYTES) await this.#askDisk(bytes);
    const { quotaBytes } = this.#options;
    if (quotaBytes !== undefined) {
      const used = (await this.usedBytes()) ?? (await this.#measureFirst());
      if (used + this.#reservedBytes + bytes > quotaBytes) {
        const message = `The volume has a quota of ${quotaBytes} bytes and no room for ${bytes} more. Nothing was stored. Delete data or raise the quota.`;
        throw new S3Error("InsufficientStorage", {}, { message });
      }
    }
    this.#reservedBytes += bytes;
    let left = bytes;
    const release = () => {
      this.#reservedBytes -= left;
      left = 0;
    };
    return {
      settle: async (taken) => {
        release();
        await this.count(taken);
      },
      [Symbol.dispose]: release,
    };
  }

  /** Of what is on the disk, or gone from it. */
  async count(bytes: number): Promise<void> {
    this.#own = { ...this.#own, bytes: this.#own.bytes + bytes };
    if (this.#options.quotaBytes !== undefined) await this.#tell();
  }

  /** Takes over a measurement that began at `atMs`. */
  async setMeasured(bytes: number, atMs: number): Promise<void> {
    const { hidden, ownerId } = this.#options;
    const measured: Measured = { id: randomHex(8), bytes, atMs };
    const temporary = hidden.entry(`tmp/${ownerId}-${measured.id}`);
    await replaceDurably(hidden.entry(`usage/${MEASURED}`), JSON.stringify(measured), temporary);
    this.#readMs = Number.NEGATIVE_INFINITY;
    await this.#refresh();
  }

  /** Drops what processes counted that are gone, where a measurement has seen it since. */
  async forgetOthers(ownerIds: readonly string[]): Promise<void> {
    const { hidden, ownerId } = this.#options;
    const alive = new Set([...ownerIds, ownerId, MEASURED]);
    for (const name of await readdir(hidden.entry("usage"))) {
      if (alive.has(name) || isRemovedButOpen(name) || this.#measured === undefined) continue;
      const path = hidden.entry(`usage/${name}`);
      const counted = parse<Counted>((await readSmall(path)) ?? "");
      if (counted?.since !== this.#measured.id) await rm(path, { force: true });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
    // What was counted stays true until the next measurement.
    if (this.#own.bytes !== 0 && this.#options.quotaBytes !== undefined) return;
    await rm(this.#options.hidden.entry(`usage/${this.#options.ownerId}`), { force: true });
  }

  /** Where there is a quota it must be known what it leaves, however long that takes once. */
  async #measureFirst(): Promise<number> {
    const beganMs = this.#options.clock.now();
    this.#measuring ??= this.#options.measure().finally(() => {
      this.#measuring = undefined;
    });
    await this.setMeasured(await this.#measuring, beganMs);
    return (await this.usedBytes()) ?? 0;
  }

  async #askDisk(bytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.#options.hidden.entry("."));
    if (bavail * bsize >= bytes) return;
    const message = `The disk of the volume has no room for ${bytes} bytes. Nothing was stored. Delete data or add space.`;
    throw new S3Error("InsufficientStorage", {}, { message });
  }

  async #tell(): Promise<void> {
    await this.#file.write(JSON.stringify(this.#own).padEnd(80), 0);
  }

  async #refresh(): Promise<void> {
    const { hidden, ownerId, clock } = this.#options;
    const ageMs = clock.now() - this.#readMs;
    if (ageMs >= 0 && ageMs < FRESH_MS) return;
    const text = await readSmall(hidden.entry(`usage/${MEASURED}`));
    const measured: Measured | undefined = text === undefined ? undefined : parse(text);
    if (measured !== undefined && measured.id !== this.#own.since) {
      // Some of what was counted until now the measurement may not have seen; the next one will.
      this.#own = { since: measured.id, bytes: 0 };
      await this.#tell();
    }
    let others = 0;
    for (const name of await readdir(hidden.entry("usage"))) {
      if (name === MEASURED || name === ownerId || isRemovedButOpen(name)) continue;
      const counted = await readSmall(hidden.entry(`usage/${name}`));
      const { since, bytes } = parse<Counted>(counted ?? "") ?? { since: "", bytes: 0 };
      if (since === (measured?.id ?? "")) others += bytes;
    }
    this.#measured = measured;
    this.#others = others;
    this.#readMs = clock.now();
  }
}

/** undefined for a file that is just being written. */
function parse<T>(text: string): T | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
