/** Writers that remember what they were told, for tests that then take the server away. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Agent } from "node:http";
import { systemClock } from "#base/clock.ts";
import { expectCall, listKeys, sentUpload, type Target } from "#test/fault/call.ts";
import { LONG } from "#test/support/runs.ts";

const WRITERS = LONG ? 8 : 4;
/** Of each writer, which makes and replaces and deletes them again and again. */
const KEYS = 13;
const SIZES = [0, 1_000, 300 * 1_024, 64 * 1_024, 64 * 1_024 + 1];
const PART_BYTES = 5 * 2 ** 20;
export const BACKOFF_MS = 50;

/** What a client knows of its keys: the last state that was acknowledged, and those that may be. */
export class Ledger {
  readonly #known = new Map<string, readonly (string | undefined)[]>();

  get keys(): string[] {
    return [...this.#known.keys()];
  }

  /** Sends a write of `key`; a connection that breaks leaves it open whether it happened. */
  async write(key: string, body: string | undefined, send: () => Promise<unknown>): Promise<void> {
    const before = this.states(key);
    this.#known.set(key, [...before, body]);
    try {
      await send();
      this.#known.set(key, [body]);
    } catch (cause) {
      await requireBroken(cause);
    }
  }

  /** Digests of what the key may hold now; undefined: nothing. */
  states(key: string): readonly (string | undefined)[] {
    return this.#known.get(key) ?? [undefined];
  }
}

interface Load {
  readonly ledger: Ledger;
  readonly round: number;
  readonly stop: AbortSignal;
  /** Breaks what has no answer. */
  readonly giveUp?: AbortSignal;
}

/** Writers that go on until they are told to stop, whatever becomes of the server. */
export async function load(target: Target, bucket: string, options: Load): Promise<void> {
  const server = { ...target, agent: new Agent({ keepAlive: true }) };
  const writers = Array.from({ length: WRITERS }, (_, writer) => {
    return writer === 0 ? completeUploads : putObjects;
  });
  await Promise.all(writers.map((write, writer) => write(server, bucket, { ...options, writer })));
}

type Writing = Load & { readonly writer: number };

/** Objects of every size, over others and gone again, and one key at every turn. */
async function putObjects(server: Target, bucket: string, writing: Writing): Promise<void> {
  const { ledger, round, writer, stop, giveUp: signal } = writing;
  const send = (key: string, body: Buffer) =>
    ledger.write(key, digestOf(body), () =>
      expectCall(server, { method: "PUT", path: `${bucket}/${key}`, body, signal }),
    );
  for (let index = 0; !stop.aborted; index += 1) {
    const key = `${writer}-${index % KEYS}`;
    const content = contentOf(`${key} ${round} ${index}`, SIZES[index % SIZES.length] ?? 0);
    await send(key, content);
    await send(`again-${writer}`, content);
    if (index % 4 !== 0) continue;
    const removal = { method: "DELETE", path: `${bucket}/${key}`, signal };
    await ledger.write(key, undefined, () => expectCall(server, removal, 204));
  }
}

async function completeUploads(server: Target, bucket: string, writing: Writing): Promise<void> {
  const { ledger, round, writer, stop, giveUp: signal } = writing;
  for (let index = 0; !stop.aborted; index += 1) {
    const key = `upload-${writer}-${index % 3}`;
    const content = `${key} ${round} ${index}`;
    const parts = [contentOf(content, PART_BYTES), contentOf(`${content} last`, 10_000)];
    try {
      const { complete } = await sentUpload(server, { path: `${bucket}/${key}`, parts, signal });
      const whole = digestOf(Buffer.concat(parts));
      await ledger.write(key, whole, () => expectCall(server, { ...complete, signal }));
    } catch (cause) {
      await requireBroken(cause);
    }
  }
}

/** Every key holds what it may hold, whole, and the list names exactly the keys that can be read. */
export async function requireLedger(target: Target, bucket: string, ledger: Ledger): Promise<void> {
  const server = { ...target, agent: new Agent({ keepAlive: true }) };
  const listed = new Set(await listKeys(server, bucket));
  const found = new Set<string>();
  const keys = ledger.keys;
  const check = async (key: string) => {
    const got = await expectCall(server, { method: "GET", path: `${bucket}/${key}` }, 200, 404);
    const state = got.status === 200 ? digestOf(got.body) : undefined;
    if (state !== undefined) found.add(key);
    assert.ok(ledger.states(key).includes(state), `${key} is not what was acknowledged`);
  };
  for (let from = 0; from < keys.length; from += 32) {
    await Promise.all(keys.slice(from, from + 32).map(check));
  }
  assert.deepEqual([...listed].sort(), [...found].sort());
}

/** Waits before the next try, as clients do. Fails: `cause` when it is not what a killed process leaves. */
export async function requireBroken(cause: unknown): Promise<void> {
  if (!isBroken(cause)) throw cause;
  await systemClock.sleep(BACKOFF_MS);
}

/** A worker's end breaks connections; that of the committer leaves unknown what it was given, which is told as 503. */
export function isBroken(cause: unknown): boolean {
  const codes = ["ECONNRESET", "ECONNREFUSED", "EPIPE", "ABORT_ERR", "HTTP_503"];
  return cause instanceof Error && "code" in cause && codes.includes(String(cause.code));
}

/** Bytes that name their write all over, so that a piece of another would show. */
function contentOf(name: string, sizeBytes: number): Buffer {
  return Buffer.alloc(sizeBytes, `${name};`);
}

function digestOf(body: Uint8Array): string {
  return createHash("md5").update(body).digest("hex");
}
