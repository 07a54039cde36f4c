import { randomBelow, randomBytes } from "#base/random.ts";
import type { Client, Reply } from "#prove/client.ts";
import { completed, startUpload } from "#prove/multipart.ts";
import type { Pace } from "./pace.ts";

/** So that what there is stays within a few hundred megabytes. */
const KEYS = 48;
const SMALL_BYTES_MAX = 32 * 2 ** 10;
const LARGE_BYTES_MAX = 2 * 2 ** 20;
const PART_BYTES = 5 * 2 ** 20;
const EXAMPLES_MAX = 20;

/** Bodies are cut from it, so that each is known by where it begins. */
const POOL = randomBytes(2 * PART_BYTES);

export interface Tally {
  requests: number;
  /** Bytes that were read and found to be what was written. */
  verifiedBytes: number;
  /** Answers that were neither right nor a refusal. */
  readonly wrong: string[];
  wrongCount: number;
  /** 503, and connections that broke: it was not told what came of them. */
  refused: number;
}

export function newTally(): Tally {
  return { requests: 0, verifiedBytes: 0, wrong: [], wrongCount: 0, refused: 0 };
}

/** One client that knows what each of its keys must hold, and looks whether it does. */
export class Lane {
  readonly #client: Client;
  readonly #prefix: string;
  readonly #tally: Tally;
  readonly #there = new Map<string, Buffer>();

  constructor(client: Client, name: string, tally: Tally) {
    this.#client = client;
    this.#prefix = `lane-${name}/`;
    this.#tally = tally;
  }

  /** What is there of it. */
  get liveBytes(): number {
    return [...this.#there.values()].reduce((sum, body) => sum + body.length, 0);
  }

  /** Of bodies that are longer than `inlineBytesMax`. */
  liveBlobBytes(inlineBytesMax: number): number {
    const bodies = [...this.#there.values()].filter((body) => body.length > inlineBytesMax);
    return bodies.reduce((sum, body) => sum + body.length, 0);
  }

  async run(pace: Pace, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await pace.turn(signal);
      if (!signal.aborted) await this.#step(this.#anyKey());
    }
    for (const key of [...this.#there.keys()]) await this.#get(key);
  }

  async #step(key: string): Promise<void> {
    const drawn = randomBelow(100);
    if (drawn < 22) await this.#put(key, bodyOf(randomBelow(SMALL_BYTES_MAX)));
    else if (drawn < 28) await this.#put(key, bodyOf(randomBelow(LARGE_BYTES_MAX)));
    else if (drawn < 29) await this.#upload(key);
    else if (drawn < 65) await this.#get(key);
    else if (drawn < 75) await this.#range(key);
    else if (drawn < 90) await this.#delete(key);
    else if (drawn < 95) await this.#rename(key, this.#anyKey());
    else await this.#list();
  }

  #anyKey(): string {
    return `${this.#prefix}${randomBelow(KEYS)}`;
  }

  async #put(key: string, body: Buffer): Promise<void> {
    const reply = await this.#told(this.#client.put(key, body));
    await this.#settle(reply, { key, body, ok: 200 });
  }

  async #upload(key: string): Promise<void> {
    const body = bodyOf(PART_BYTES + 1 + randomBelow(PART_BYTES - 1));
    const parts = [body.subarray(0, PART_BYTES), body.subarray(PART_BYTES)];
    try {
      const upload = await startUpload(this.#client, key, parts);
      this.#tally.requests += parts.length + 1;
      const reply = await this.#told(completed(this.#client, upload));
      await this.#settle(reply, { key, body, ok: 200 });
    } catch (cause) {
      this.#wrong(`upload of ${key}: ${cause instanceof Error ? cause.message : cause}`);
    }
  }

  async #delete(key: string): Promise<void> {
    const reply = await this.#told(this.#client.delete(key));
    await this.#settle(reply, { key, body: undefined, ok: 204 });
  }

  async #rename(from: string, to: string): Promise<void> {
    const body = this.#there.get(from);
    if (from === to || body === undefined) return;
    const headers = { "x-amz-rename-source": `/${this.#client.bucket}/${from}` };
    const ask = { method: "PUT", key: to, query: { renameObject: "" }, headers };
    const reply = await this.#told(this.#client.ask(ask));
    await this.#settle(reply, { key: to, body, ok: 200 });
    if (reply.status === 200) this.#there.delete(from);
    else await this.#settle(reply, { key: from, body: undefined, ok: 200 });
  }

  async #get(key: string): Promise<void> {
    const reply = await this.#told(this.#client.get(key));
    if (isRefused(reply)) return;
    const due = this.#there.get(key);
    if (isOf(reply, due)) this.#tally.verifiedBytes += due?.length ?? 0;
    else this.#wrong(`GET ${key}: ${reply.status}, ${reply.body.length} bytes, not ${due?.length}`);
  }

  async #range(key: string): Promise<void> {
    const due = this.#there.get(key);
    if (due === undefined || due.length === 0) return;
    const first = randomBelow(due.length);
    const last = first + randomBelow(due.length - first);
    const reply = await this.#told(this.#client.get(key, { range: `bytes=${first}-${last}` }));
    if (isRefused(reply)) return;
    const slice = due.subarray(first, last + 1);
    if (reply.status === 206 && reply.body.equals(slice)) this.#tally.verifiedBytes += slice.length;
    else this.#wrong(`GET ${key} ${first}-${last}: ${reply.status}`);
  }

  async #list(): Promise<void> {
    const listed = await this.#client.list(this.#prefix);
    this.#tally.requests += 1;
    const due = [...this.#there.keys()].sort();
    if (listed.join() !== due.join()) {
      this.#wrong(`list of ${this.#prefix}: ${listed.length} keys, not ${due.length}`);
    }
  }

  /** What a write has done; of one whose outcome is not known a read tells. */
  async #settle(reply: Reply, { key, body, ok }: Settled): Promise<void> {
    if (reply.status === ok) return this.#is(key, body);
    if (!isRefused(reply)) this.#wrong(`write of ${key}: ${reply.status} ${reply.code}`);
    const before = this.#there.get(key);
    for (let read = await this.#client.get(key); ; read = await this.#client.get(key)) {
      if (isRefused(read)) continue;
      if (isOf(read, body)) this.#is(key, body);
      else if (!isOf(read, before))
        this.#wrong(`${key} is neither what it was nor what was written`);
      return;
    }
  }

  #is(key: string, body: Buffer | undefined): void {
    if (body === undefined) this.#there.delete(key);
    else this.#there.set(key, body);
  }

  async #told(asked: Promise<Reply>): Promise<Reply> {
    const reply = await asked;
    this.#tally.requests += 1;
    if (isRefused(reply)) this.#tally.refused += 1;
    return reply;
  }

  #wrong(what: string): void {
    this.#tally.wrongCount += 1;
    if (this.#tally.wrong.length < EXAMPLES_MAX) this.#tally.wrong.push(what);
  }
}

interface Settled {
  readonly key: string;
  readonly body: Buffer | undefined;
  readonly ok: number;
}

function bodyOf(sizeBytes: number): Buffer {
  const at = randomBelow(POOL.length - sizeBytes);
  return POOL.subarray(at, at + sizeBytes);
}

function isRefused({ status }: Reply): boolean {
  return status === 503 || status === 0;
}

function isOf({ status, body }: Reply, due: Buffer | undefined): boolean {
  return due === undefined ? status === 404 : status === 200 && body.equals(due);
}
