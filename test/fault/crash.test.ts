/**
 * Processes that are killed under load. The kernel lives on, so this proves the order of the steps;
 * that each step reaches the disk is what the stores' own tests and their calls of fsync are for.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "#base/clock.ts";
import { call, expectCall, listKeys, makeBucket, sentUpload, type Target } from "#test/fault/call.ts";
import { processTree } from "#test/support/process.ts";
import { startRealServer } from "#test/support/real-server.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

const LONG = process.env["LODE_LONG"] === "1";
const ROUNDS = LONG ? 50 : 3;
const SIZES = [0, 1_000, 300 * 1_024, 128 * 1_024, 128 * 1_024 + 1];
const PART_BYTES = 5 * 2 ** 20;

/** What a client knows of its keys: the last state that was acknowledged, and those that may be. */
class Ledger {
  readonly #known = new Map<string, readonly (string | undefined)[]>();

  get keys(): string[] {
    return [...this.#known.keys()];
  }

  /** Sends a write of `key`; a connection that breaks leaves it open whether it happened. */
  async write(key: string, body: string | undefined, send: () => Promise<unknown>): Promise<boolean> {
    const before = this.states(key);
    this.#known.set(key, [...before, body]);
    try {
      await send();
      this.#known.set(key, [body]);
      return true;
    } catch (cause) {
      if (!isBroken(cause)) throw cause;
      return false;
    }
  }

  /** Digests of what the key may hold now; undefined: nothing. */
  states(key: string): readonly (string | undefined)[] {
    return this.#known.get(key) ?? [undefined];
  }
}

test("what was acknowledged is there and whole after kill -9 of every process", async (t) => {
  const dataDirectory = await temporaryDirectory();
  const ledger = new Ledger();
  for (let round = 0; round < ROUNDS; round += 1) {
    const server = await startRealServer(t, { workers: 2, dataDirectory });
    assert.deepEqual(readdirSync(join(dataDirectory, "blobs", "tmp")), []);
    const bucket = await makeBucket(server, "crash");
    await requireLedger(server, bucket, ledger);
    const writing = load(server, bucket, { ledger, round, until: () => false });
    // Not a moment of its own, but one that differs: some hundreds of writes are behind, some under way.
    await systemClock.sleep(200 + ((round * 137) % 400));
    await server.kill();
    await writing;
    assert.ok(ledger.keys.length > 0);
  }
  const server = await startRealServer(t, { workers: 2, dataDirectory });
  await requireLedger(server, "/crash", ledger);
  assert.deepEqual(readdirSync(join(dataDirectory, "blobs", "tmp")), []);
});

test("a worker that is killed is replaced, and meanwhile the others serve", async (t) => {
  const server = await startRealServer(t, { workers: 3 });
  const bucket = await makeBucket(server, "worker");
  const ledger = new Ledger();
  for (let round = 0; round < ROUNDS; round += 1) {
    let killed = false;
    const writing = load(server, bucket, { ledger, round, until: () => killed });
    await systemClock.sleep(100);
    const [, victim = 0, ...others] = processTree(server.pid);
    process.kill(victim, "SIGKILL");
    await requireServes(server, bucket);
    killed = true;
    await writing;
    await untilReady(server.adminEndpoint);
    const now = processTree(server.pid);
    assert.equal(now.length, 4);
    assert.ok(!now.includes(victim) && others.every((pid) => now.includes(pid)));
    await requireLedger(server, bucket, ledger);
  }
});

interface Load {
  readonly ledger: Ledger;
  readonly round: number;
  readonly until: () => boolean;
}

/** Writers that go on until they are told to stop, or the server is gone. */
async function load(server: Target, bucket: string, options: Load): Promise<void> {
  const writers = Array.from({ length: 8 }, (_, writer) => {
    return writer === 0 ? completeUploads : putObjects;
  });
  await Promise.all(writers.map((write, writer) => write(server, bucket, { ...options, writer })));
}

type Writing = Load & { readonly writer: number };

/** New keys of every size, one key again and again, and keys that go. */
async function putObjects(server: Target, bucket: string, writing: Writing): Promise<void> {
  const { ledger, round, writer } = writing;
  for (let index = 0; !writing.until(); index += 1) {
    const key = `${round}-${writer}-${index}`;
    const size = SIZES[index % SIZES.length] ?? 0;
    const done = [
      await putOne(server, `${bucket}/${key}`, { ledger, key, body: contentOf(key, size) }),
      await putOne(server, `${bucket}/again-${writer}`, {
        ledger,
        key: `again-${writer}`,
        body: contentOf(key, size),
      }),
      index % 3 !== 0 ||
        (await ledger.write(key, undefined, () =>
          expectCall(server, { method: "DELETE", path: `${bucket}/${key}` }, 204),
        )),
    ];
    if (done.includes(false) && !(await answers(server))) return;
  }
}

async function completeUploads(server: Target, bucket: string, writing: Writing): Promise<void> {
  const { ledger, round, writer } = writing;
  for (let index = 0; !writing.until(); index += 1) {
    const key = `upload-${round}-${writer}-${index}`;
    const parts = [contentOf(key, PART_BYTES), contentOf(`${key} `, 10_000)];
    try {
      const { complete } = await sentUpload(server, `${bucket}/${key}`, parts);
      await ledger.write(key, digestOf(Buffer.concat(parts)), () => expectCall(server, complete));
    } catch (cause) {
      if (!isBroken(cause)) throw cause;
    }
    if (!(await answers(server))) return;
  }
}

async function putOne(
  server: Target,
  path: string,
  { ledger, key, body }: { readonly ledger: Ledger; readonly key: string; readonly body: Buffer },
): Promise<boolean> {
  return await ledger.write(key, digestOf(body), () =>
    expectCall(server, { method: "PUT", path, body }),
  );
}

/** Every key holds what it may hold, whole, and the list names exactly the keys that can be read. */
async function requireLedger(server: Target, bucket: string, ledger: Ledger): Promise<void> {
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

/** Requests on new connections, which no killed worker is given. */
async function requireServes(server: Target, bucket: string): Promise<void> {
  const path = `${bucket}/meanwhile`;
  for (let index = 0; index < 20; index += 1) {
    await tryTwice(() => expectCall(server, { method: "PUT", path, body: "x" }));
    await tryTwice(() => expectCall(server, { method: "GET", path }));
  }
}

/** A connection that the victim held breaks once, as it would with any server. */
async function tryTwice(send: () => Promise<unknown>): Promise<void> {
  try {
    await send();
  } catch (cause) {
    if (!isBroken(cause)) throw cause;
    await send();
  }
}

async function untilReady(adminEndpoint: string): Promise<void> {
  for (;;) {
    const { status } = await fetch(`${adminEndpoint}/health/ready`);
    if (status === 200) return;
    await systemClock.sleep(20);
  }
}

async function answers(server: Target): Promise<boolean> {
  try {
    await tryTwice(() => call(server, { method: "GET", path: "/" }));
    return true;
  } catch {
    return false;
  }
}

function isBroken(cause: unknown): boolean {
  const codes = ["ECONNRESET", "ECONNREFUSED", "EPIPE"];
  return cause instanceof Error && "code" in cause && codes.includes(String(cause.code));
}

/** Bytes that name their key all over, so that a piece of another object would show. */
function contentOf(key: string, sizeBytes: number): Buffer {
  return Buffer.alloc(sizeBytes, `${key};`);
}

function digestOf(body: Uint8Array): string {
  return createHash("md5").update(body).digest("hex");
}
