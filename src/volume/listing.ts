import type { ListAsk, ListedObject, ListPage } from "#object/engine.ts";
import { NOTHING_MD5 } from "#volume/current.ts";
import { derivedEtag, modifiedMsOf } from "#volume/identity.ts";
import { pathOfKey } from "#volume/key-path.ts";
import { type Bytes, bytesOf, textOf } from "#volume/shown-name.ts";
import type { Volume } from "#volume/volume.ts";
import { type Step, Walk } from "#volume/walk.ts";

/** Enough to keep the threads busy that ask the file system. */
const BATCH_MAX = 256;

/** Files and empty directories in the order of their keys. No file is read. */
export async function listObjects(volume: Volume, ask: ListAsk): Promise<ListPage> {
  const page = new Page(ask);
  const base = page.prefix.slice(0, page.prefix.lastIndexOf("/") + 1);
  // The prefix may be what no path begins with.
  if (ask.limit === 0 || (base !== "" && pathOfKey(textOf(base)) instanceof Error)) {
    return page.result();
  }
  await using walk = await Walk.begin(volume, {
    base,
    namePrefix: page.prefix.slice(base.length),
    after: page.after,
    passesOver: (key) => page.passesOver(key),
    batchMax: () => Math.min(BATCH_MAX, page.room + 1),
  });
  for (let step = await walk?.next(); step !== undefined; step = await walk?.next()) {
    if (!(await page.take(step))) break;
  }
  return page.result();
}

/** What one answer shows: keys and common prefixes as bytes, until it is full. */
class Page {
  readonly prefix: Bytes;
  readonly after: Bytes;
  readonly #delimiter: Bytes;
  readonly #limit: number;
  readonly #objects: ListedObject[] = [];
  readonly #prefixes: string[] = [];
  /** The common prefix below which nothing is shown any more. */
  #rolledUp: Bytes | undefined;
  #last: Bytes | undefined;
  #isFull = false;

  constructor({ prefix, delimiter, after, limit }: ListAsk) {
    this.prefix = bytesOf(prefix);
    this.after = bytesOf(after);
    this.#delimiter = bytesOf(delimiter);
    this.#limit = limit;
    // The page before ended with it.
    if (this.#commonPrefix(this.after) === this.after) this.#rolledUp = this.after;
  }

  get room(): number {
    return this.#limit - this.#objects.length - this.#prefixes.length;
  }

  passesOver(key: Bytes): boolean {
    return this.#rolledUp !== undefined && key.startsWith(this.#rolledUp);
  }

  /** False: more would follow, but this was all. */
  async take(step: Step): Promise<boolean> {
    const { key } = step;
    if (this.passesOver(key)) return true;
    const common = this.#commonPrefix(key);
    // Where the start lies inside, what is to be shown of it may all be before.
    if (step.kind === "directory" && (common === undefined || this.after.startsWith(key))) {
      await step.enter();
      return true;
    }
    if (!key.startsWith(this.prefix)) return true;
    this.#isFull = this.room === 0;
    if (this.#isFull) return false;
    this.#last = common ?? key;
    if (common !== undefined) {
      this.#rolledUp = common;
      this.#prefixes.push(textOf(common));
    } else if (step.kind !== "directory") {
      this.#objects.push(listed(step));
    }
    return true;
  }

  result(): ListPage {
    const next = this.#isFull && this.#last !== undefined ? textOf(this.#last) : undefined;
    return { objects: this.#objects, prefixes: this.#prefixes, next };
  }

  #commonPrefix(key: Bytes): Bytes | undefined {
    if (this.#delimiter === "" || !key.startsWith(this.prefix)) return undefined;
    const cut = key.indexOf(this.#delimiter, this.prefix.length);
    return cut < 0 ? undefined : key.slice(0, cut + this.#delimiter.length);
  }
}

function listed(step: Exclude<Step, { kind: "directory" }>): ListedObject {
  const { key, identity } = step;
  const record = step.kind === "file" ? step.record : undefined;
  const isFile = step.kind === "file";
  return {
    key: textOf(key),
    sizeBytes: isFile ? identity.sizeBytes : 0,
    etag: isFile ? (record?.etag ?? derivedEtag(identity)) : NOTHING_MD5,
    modifiedMs: modifiedMsOf(identity),
    storageClass: "STANDARD",
    checksumAlgorithm: record?.checksum?.algorithm,
    checksumType: record?.checksum?.type,
  };
}
