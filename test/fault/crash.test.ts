/**
 * Processes that are killed under load. The kernel lives on, so this proves the order of the steps;
 * that each step reaches the disk is what the stores' own tests and their calls of fsync are for.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { Agent } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { deadline, systemClock } from "#base/clock.ts";
import {
  call,
  expectCall,
  listKeys,
  makeBucket,
  sentUpload,
  type Target,
} from "#test/fault/call.ts";
import { processTree } from "#test/support/process.ts";
import { startRealServer } from "#test/support/real-server.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

const LONG = process.env["LODE_LONG"] === "1";
const ROUNDS = LONG ? 50 : 3;
const WRITERS = LONG ? 8 : 4;
/** Of each writer, which makes and replaces and deletes them again and again. */
const KEYS = 13;
const SIZES = [0, 1_000, 300 * 1_024, 64 * 1_024, 64 * 1_024 + 1];
const PART_BYTES = 5 * 2 ** 20;
const BACKOFF_MS = 50;
/** How long a client waits for an answer before it tries again. */
const PATIENCE_MS = 2_000;

/** What a client knows of its keys: the last state that was acknowledged, and those that may be. */
class Ledger {
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

test("what was acknowledged is there and whole after kill -9 of every process", async (t) => {
  const dataDirectory = await temporaryDirectory();
  const ledger = new Ledger();
  for (let round = 0; round < ROUNDS; round += 1) {
    const server = await startRealServer(t, { workers: 2, dataDirectory });
    assert.deepEqual(readdirSync(join(dataDirectory, "blobs", "tmp")), []);
    const bucket = await makeBucket(server, "crash");
    await requireLedger(server, bucket, ledger);
    const stop = new AbortController();
    const writing = load(server, bucket, { ledger, round, stop: stop.signal });
    // Some hundreds of writes are behind, some under way, and each round differs.
    await systemClock.sleep(200 + ((round * 137) % 400));
    await server.kill();
    stop.abort();
    await writing;
  }
  const server = await startRealServer(t, { workers: 2, dataDirectory });
  assert.ok(ledger.keys.length > 0);
  await requireLedger(server, "/crash", ledger);
  assert.deepEqual(readdirSync(join(dataDirectory, "blobs", "tmp")), []);
});

test("a worker that is killed is replaced, and meanwhile the others serve", async (t) => {
  const server = await startRealServer(t, { workers: 3 });
  const bucket = await makeBucket(server, "worker");
  const other = await makeBucket(server, "meanwhile");
  const ledger = new Ledger();
  for (let round = 0; round < ROUNDS; round += 1) {
    const [stop, giveUp] = [new AbortController(), new AbortController()];
    const signals = { stop: stop.signal, giveUp: giveUp.signal };
    const writing = load(server, bucket, { ledger, round, ...signals });
    await systemClock.sleep(100);
    const [, victim = 0, ...others] = processTree(server.pid);
    process.kill(victim, "SIGKILL");
    await systemClock.sleep(BACKOFF_MS);
    await requireServes(server, other, giveUp.signal);
    await untilReady(server.adminEndpoint);
    stop.abort();
    deadline(PATIENCE_MS, () => giveUp.abort());
    await writing;
    const now = processTree(server.pid);
    assert.equal(now.length, 4);
    assert.ok(!now.includes(victim) && others.every((pid) => now.includes(pid)));
    await requireLedger(server, bucket, ledger);
  }
});

test("a connection on its way to a worker that dies is not left open", async (t) => {
  const server = await startRealServer(t, { workers: 2 });
  const [, victim = 0] = processTree(server.pid);
  process.kill(victim, "SIGSTOP");
  const given = new AbortController();
  const asked = Array.from({ length: 4 }, () =>
    call(server, { method: "GET", path: "/", signal: given.signal }).then(
      () => "answered",
      (cause) => (isBroken(cause) && !given.signal.aborted ? "closed" : "left open"),
    ),
  );
  await Promise.race(asked);
  process.kill(victim, "SIGKILL");
  await untilReady(server.adminEndpoint);
  deadline(PATIENCE_MS, () => given.abort());

  assert.ok(!(await Promise.all(asked)).includes("left open"));
});

interface Load {
  readonly ledger: Ledger;
  readonly round: number;
  readonly stop: AbortSignal;
  /** Breaks what has no answer. */
  readonly giveUp?: AbortSignal;
}

/** Writers that go on until they are told to stop, whatever becomes of the server. */
async function load(target: Target, bucket: string, options: Load): Promise<void> {
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
async function requireLedger(target: Target, bucket: string, ledger: Ledger): Promise<void> {
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

/** Requests on new connections; one that the victim held breaks, as it would with any server. */
async function requireServes(server: Target, bucket: string, signal: AbortSignal): Promise<void> {
  const path = `${bucket}/key`;
  let served = 0;
  while (served < 20) {
    try {
      await expectCall(server, { method: "PUT", path, body: "x", signal: soon(signal) });
      await expectCall(server, { method: "GET", path, signal: soon(signal) });
      served += 1;
    } catch (cause) {
      await requireBroken(cause);
    }
  }
}

function soon(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
}

async function untilReady(adminEndpoint: string): Promise<void> {
  for (;;) {
    const { status } = await fetch(`${adminEndpoint}/health/ready`);
    if (status === 200) return;
    await systemClock.sleep(20);
  }
}

/** Waits before the next try, as clients do. Fails: `cause` when it is not a broken connection. */
async function requireBroken(cause: unknown): Promise<void> {
  if (!isBroken(cause)) throw cause;
  await systemClock.sleep(BACKOFF_MS);
}

function isBroken(cause: unknown): boolean {
  const codes = ["ECONNRESET", "ECONNREFUSED", "EPIPE", "ABORT_ERR"];
  return cause instanceof Error && "code" in cause && codes.includes(String(cause.code));
}

/** Bytes that name their write all over, so that a piece of another would show. */
function contentOf(name: string, sizeBytes: number): Buffer {
  return Buffer.alloc(sizeBytes, `${name};`);
}

function digestOf(body: Uint8Array): string {
  return createHash("md5").update(body).digest("hex");
}
