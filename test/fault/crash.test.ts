/**
 * Processes that are killed under load. The kernel lives on, so this proves the order of the steps;
 * that each step reaches the disk is what the stores' own tests and their calls of fsync are for.
 */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { deadline, systemClock } from "#base/clock.ts";
import { call, expectCall, makeBucket, type Target } from "#test/fault/call.ts";
import {
  BACKOFF_MS,
  isBroken,
  Ledger,
  load,
  requireBroken,
  requireLedger,
} from "#test/fault/load.ts";
import {
  committerOf,
  processTree,
  ROOT_ENVIRONMENT,
  serveCommand,
  start,
  workersOf,
} from "#test/support/process.ts";
import { startRealServer } from "#test/support/real-server.ts";
import { LONG } from "#test/support/runs.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

const ROUNDS = LONG ? 200 : 4;
const WORKERS = 4;
/** When dead workers have been replaced, and those that replace them do not serve yet. */
const RESTARTING_MS = 560;
const DYING_ROUNDS = LONG ? 40 : 2;
/** How long a client waits for an answer before it tries again. */
const PATIENCE_MS = 2_000;

test("what was acknowledged is there and whole after kill -9 of every process", async (t) => {
  const dataDirectory = await temporaryDirectory();
  const ledger = new Ledger();
  for (let round = 0; round < ROUNDS; round += 1) {
    const server = await startRealServer(t, { workers: WORKERS, dataDirectory });
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
  const server = await startRealServer(t, { workers: WORKERS, dataDirectory });
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
    const [victim = 0, ...others] = workersOf(server.pid);
    process.kill(victim, "SIGKILL");
    await systemClock.sleep(BACKOFF_MS);
    await requireServes(server, other, giveUp.signal);
    await untilReady(server.adminEndpoint);
    stop.abort();
    deadline(PATIENCE_MS, () => giveUp.abort());
    await writing;
    const now = workersOf(server.pid);
    assert.equal(now.length, 3);
    assert.ok(!now.includes(victim) && others.every((pid) => now.includes(pid)));
    await requireLedger(server, bucket, ledger);
  }
});

test("the process that commits for all is killed: workers go on, and another takes its place", async (t) => {
  const server = await startRealServer(t, { workers: 3 });
  const bucket = await makeBucket(server, "committer");
  const ledger = new Ledger();
  for (let round = 0; round < ROUNDS; round += 1) {
    const stop = new AbortController();
    const workers = workersOf(server.pid);
    const victim = committerOf(server.pid) ?? 0;
    const writing = load(server, bucket, { ledger, round, stop: stop.signal });
    await systemClock.sleep(100 + ((round * 137) % 400));
    process.kill(victim, "SIGKILL");
    while ((committerOf(server.pid) ?? victim) === victim) await systemClock.sleep(20);
    stop.abort();
    await writing;
    assert.deepEqual(workersOf(server.pid), workers);
    await requireLedger(server, bucket, ledger);
  }
});

test("where the path of the data is too long for a socket's, one process commits for all as well, and leaves nothing", async (t) => {
  const temporary = await temporaryDirectory();
  const dataDirectory = join(await temporaryDirectory(), "long".repeat(30));
  const environment = { TMPDIR: temporary };
  const server = await startRealServer(t, { workers: 3, dataDirectory, environment });
  const bucket = await makeBucket(server, "long");
  // Node keeps what it has compiled there too.
  const made = () => readdirSync(temporary).filter((name) => name.startsWith("lode-"));
  assert.equal(made().length, 1);
  assert.notEqual(committerOf(server.pid), undefined);
  await expectCall(server, { method: "PUT", path: `${bucket}/key`, body: "x" });

  assert.equal(await server.stop(), 0);

  assert.deepEqual(made(), []);
});

test("the process that commits for all hangs: it is ended, and what waited for it may be sent again", async (t) => {
  const server = await startRealServer(t, { workers: 3 });
  const bucket = await makeBucket(server, "hanging");
  const victim = committerOf(server.pid) ?? 0;
  process.kill(victim, "SIGSTOP");

  const waiting = await call(server, { method: "PUT", path: `${bucket}/key`, body: "first" });

  assert.equal(waiting.status, 503);
  assert.notEqual(committerOf(server.pid), victim);
  await expectCall(server, { method: "PUT", path: `${bucket}/key`, body: "second" });
});

for (const [when, waitMs] of Object.entries({ "workers die": 0, "others start": RESTARTING_MS })) {
  test(`a server that is told to stop as ${when} stops, and is not held up`, async (t) => {
    for (let round = 0; round < DYING_ROUNDS; round += 1) {
      const command = serveCommand(await temporaryDirectory(), "--workers", "4");
      const running = start(t, { command, environment: ROOT_ENVIRONMENT });
      await running.prints(/ready s3=/);
      // Of some the end is known by then, of some it is not, of some it is half.
      for (const victim of processTree(running.pid).slice(1)) process.kill(victim, "SIGKILL");
      await systemClock.sleep(waitMs + round * 20);
      running.signal("SIGTERM");

      const { code, stderr } = await running.ended;

      assert.equal(code, 0, stderr);
      assert.doesNotMatch(stderr, /still run after the time to drain/);
    }
  });
}

test("a connection on its way to a worker that dies is not left open", async (t) => {
  const server = await startRealServer(t, { workers: 2 });
  const [victim = 0] = workersOf(server.pid);
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
