/** Several processes over one directory, as the workers of a server are, and two servers. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { systemClock } from "#base/clock.ts";
import { S3Error } from "#base/error.ts";
import { type Running, start } from "#test/support/process.ts";
import { listAll, newRoot, openVolume, seenFrom, testVolume } from "#test/volume/volume.ts";
import { HIDDEN_NAME } from "#volume/key-path.ts";
import { lockName } from "#volume/publish.ts";
import { sweepLeftovers } from "#volume/sweep.ts";
import { Volume } from "#volume/volume.ts";

const LONG = process.env["LODE_LONG"] === "1";
const ROUNDS = LONG ? 40 : 4;
const KEYS = 60;
const COUNTS = 40;

let started = 0;

/** Where there are several machines, in turn on each of them. */
function work(t: TestContext, root: string, ...args: readonly string[]): Running {
  started += 1;
  const seen = seenFrom(started, root);
  return start(t, { command: [process.execPath, "test/volume/worker.ts", seen, ...args] });
}

async function end(running: Running): Promise<string> {
  const { code, stdout, stderr } = await running.ended;
  assert.deepEqual([code, stderr], [0, ""]);
  return stdout;
}

test("of processes that create the same keys, each key has one creator", async (t) => {
  const root = await newRoot(t);
  const names = ["one", "two", "three"];
  const said = await Promise.all(
    names.map(async (name) => end(work(t, root, "create", name, String(KEYS)))),
  );
  const { s3 } = await openVolume(t, { root });
  for (let at = 0; at < KEYS; at += 1) {
    const creators = names.filter((_, index) => said[index]?.includes(`created ${at}\n`));
    assert.equal(creators.length, 1, `${at}: ${creators}`);
    assert.equal(await s3.text(`d${at % 5}/${at}`), creators[0]);
  }
});

test("processes that add to a number by If-Match lose no addition", async (t) => {
  const { s3, root } = await openVolume(t);
  await s3.put("count", "0");
  const workers = [1, 2, 3].map(() => work(t, root, "count", String(COUNTS)));
  await Promise.all(workers.map(end));
  assert.equal(await s3.text("count"), String(3 * COUNTS));
});

test("a lock of a process that was killed is taken over, that of one that lives is not", async (t) => {
  // Patience is counted in attempts.
  const clock = { ...systemClock, sleep: async () => await systemClock.sleep(1) };
  const { s3, volume, root, at } = await openVolume(t, { clock });
  await s3.put("a", "old");
  const name = lockName((await volume.tree.root.stats()).ino, "a");
  for (let turn = 0; turn < 3; turn += 1) {
    const holder = work(t, root, "hold", name);
    await holder.prints(/held/);
    await assert.rejects(s3.put("a", "refused"), (cause) => {
      return cause instanceof S3Error && cause.code === "SlowDown";
    });
    holder.signal("SIGKILL");
    await holder.ended;
  }
  await s3.put("a", "new");
  assert.equal(await s3.text("a"), "new");
  assert.deepEqual(readdirSync(at(HIDDEN_NAME, "locks")), []);
});

test("what was acknowledged is there and whole after kill -9, and nothing else is seen", async (t) => {
  const root = await newRoot(t);
  const ledger = new Ledger();
  for (let round = 0; round < ROUNDS; round += 1) {
    const workers = ["w1", "w2"].map((name) => work(t, root, "write", name));
    await Promise.all(workers.map(async (worker) => worker.prints(/is .*upload/)));
    await systemClock.sleep(50 + ((round * 137) % 300));
    for (const worker of workers) worker.signal("SIGKILL");
    for (const worker of workers) ledger.read((await worker.ended).stdout);
    await requireLedger(root, ledger);
  }
  const { volume, at } = await openVolume(t, { root });
  await sweepLeftovers(volume);
  assert.deepEqual(readdirSync(at(HIDDEN_NAME, "tmp")), []);
  assert.deepEqual(readdirSync(at(HIDDEN_NAME, "locks")), []);
  assert.equal(readdirSync(at(HIDDEN_NAME, "owners")).length, 1);
});

/** What each key may hold: digests, "none" for nothing. */
class Ledger {
  readonly states = new Map<string, Set<string>>();

  read(said: string): void {
    // The last line may have been cut off.
    for (const line of said.slice(0, said.lastIndexOf("\n")).split("\n")) {
      const [verb, key = "", state = ""] = line.split(" ");
      if (verb === "is") this.states.set(key, new Set([state]));
      if (verb === "may") this.states.set(key, this.of(key).add(state));
    }
  }

  of(key: string): Set<string> {
    return this.states.get(key) ?? new Set(["none"]);
  }
}

async function requireLedger(root: string, ledger: Ledger): Promise<void> {
  await using opened = await Volume.open({ root });
  const volume = testVolume(root, opened);
  const { s3 } = volume;
  const found = new Map<string, string>();
  for (const { key, etag } of await listAll(volume)) {
    if (key.endsWith("/")) continue;
    const bytes = await s3.bytes(key);
    const state = createHash("md5").update(bytes).digest("hex");
    found.set(key, state);
    assert.ok(ledger.of(key).has(state), `${key} holds what nobody acknowledged or tried`);
    if (!etag.includes("-")) assert.equal(etag, state, key);
    assert.doesNotMatch(etag, /-0$/, `${key} has lost what S3 knows of it`);
  }
  for (const [key, states] of ledger.states) {
    if (!found.has(key)) assert.ok(states.has("none"), `${key} was acknowledged and is gone`);
    // The state is known now: what was only tried is settled.
    ledger.states.set(key, new Set([found.get(key) ?? "none"]));
  }
}
