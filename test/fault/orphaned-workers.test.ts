/** Workers whose supervisor was killed, and the server that is started after it. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { systemClock } from "#base/clock.ts";
import { expectCall, makeBucket, put, signedHead } from "#test/fault/call.ts";
import { committerOf, run, workersOf } from "#test/support/process.ts";
import { RawSocket } from "#test/support/raw-socket.ts";
import { type RealServer, startRealServer } from "#test/support/real-server.ts";
import { LONG } from "#test/support/runs.ts";

const BODY = Buffer.alloc(3_000_000, "body ");
const HALF = BODY.length / 2;
/** More than the buffers of a connection take. */
const LARGE = Buffer.alloc(60_000_000, "large ");

for (const workers of [1, 3]) {
  test(`workers whose supervisor is killed finish what is under way, take nothing new and end (${workers})`, async (t) => {
    const server = await startRealServer(t, { workers });
    const bucket = await makeBucket(server, "orphans");
    await put(server, `${bucket}/large`, LARGE);
    await using upload = await uploading(server, `${bucket}/uploaded`);
    await using download = await downloading(server, `${bucket}/large`);
    await using idle = await RawSocket.connect(server.endpoint);
    const left = [...workersOf(server.pid), committerOf(server.pid) ?? 0].filter((pid) => pid > 0);

    process.kill(server.pid, "SIGKILL");

    // They have heard of it when idle connections end, and none can be made.
    assert.equal(await idle.ended(), "");
    await assert.rejects(RawSocket.connect(server.endpoint), { code: "ECONNREFUSED" });
    download.readOn();
    const got = await download.response();
    assert.equal(got.status, 200);
    assert.ok(got.body.equals(LARGE));
    await upload.send(BODY.subarray(HALF));
    const { status, headers } = await upload.response();
    assert.equal(status, 200);
    assert.equal(headers["connection"], "close");
    await untilGone(left);
    await server.kill();
    const again = await startRealServer(t, { dataDirectory: server.dataDirectory });
    const kept = await expectCall(again, { method: "GET", path: `${bucket}/uploaded` });
    assert.ok(kept.body.equals(BODY));
  });
}

test("workers whose supervisor is killed while they drain go on with it", async (t) => {
  const server = await startRealServer(t, { workers: 2 });
  const bucket = await makeBucket(server, "draining");
  await using upload = await uploading(server, `${bucket}/key`);
  await using idle = await RawSocket.connect(server.endpoint);
  const left = workersOf(server.pid);
  process.kill(server.pid, "SIGTERM");
  assert.equal(await idle.ended(), "");

  process.kill(server.pid, "SIGKILL");

  await untilGone([server.pid]);
  await upload.send(BODY.subarray(HALF));
  assert.equal((await upload.response()).status, 200);
  await untilGone(left);
  await server.kill();
});

test("a worker that answers a supervisor which is just gone does not end by that", async (t) => {
  const server = await startRealServer(t);
  const bucket = await makeBucket(server, "answering");
  await using upload = await uploading(server, `${bucket}/key`);
  const left = workersOf(server.pid);
  for (const pid of left) process.kill(pid, "SIGSTOP");
  // The supervisor hands it over, and when it answers it has done so.
  await using _next = await RawSocket.connect(server.endpoint);
  await fetch(`${server.adminEndpoint}/health/live`);
  process.kill(server.pid, "SIGKILL");
  await untilGone([server.pid]);

  for (const pid of left) process.kill(pid, "SIGCONT");

  await upload.send(BODY.subarray(HALF));
  assert.equal((await upload.response()).status, 200);
  await untilGone(left);
  await server.kill();
});

test("a server that is started takes the directory from workers that still finish: what they do is cut off, whole or not at all", async (t) => {
  const server = await startRealServer(t, { workers: 3 });
  const bucket = await makeBucket(server, "taken");
  const uploads = await Promise.all(
    Array.from({ length: 6 }, (_, at) => uploading(server, `${bucket}/${at}`)),
  );
  const left = workersOf(server.pid);
  process.kill(server.pid, "SIGKILL");

  const again = await startRealServer(t, { workers: 3, dataDirectory: server.dataDirectory });

  assert.deepEqual(left.filter(isThere), []);
  await server.kill();
  for (const upload of uploads) {
    assert.equal(await upload.ended(), "");
    await upload[Symbol.asyncDispose]();
  }
  const { body } = await expectCall(again, { method: "GET", path: `${bucket}?list-type=2` });
  assert.match(body.toString(), /<KeyCount>0<\/KeyCount>/);
  await put(again, `${bucket}/0`, BODY);
});

test("workers that still finish keep a check that mends from a directory that they write to, and end for it", async (t) => {
  const server = await startRealServer(t, { workers: 2 });
  const bucket = await makeBucket(server, "checked");
  await using upload = await uploading(server, `${bucket}/key`);
  const left = workersOf(server.pid);
  const check = ["bin/lode", "check", "--data", server.dataDirectory, "--repair"];
  const command = [process.execPath, ...check];
  const refused = await run(t, { command });
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /in use by another Lode server/);
  process.kill(server.pid, "SIGKILL");

  const mended = await run(t, { command });

  assert.equal(mended.code, 0, mended.stderr);
  assert.deepEqual(left.filter(isThere), []);
  assert.equal(await upload.ended(), "");
  await server.kill();
});

test("what is not finished within the time to drain is cut off", { skip: !LONG }, async (t) => {
  const server = await startRealServer(t, { workers: 2 });
  const bucket = await makeBucket(server, "slow");
  await using upload = await uploading(server, `${bucket}/key`);
  const left = workersOf(server.pid);

  process.kill(server.pid, "SIGKILL");

  const stop = new AbortController();
  const sending = send(upload, stop.signal);
  await untilGone(left);
  stop.abort();
  await sending;
  await server.kill();
});

/** The first half of a body is on its way, and a worker waits for the rest. */
async function uploading(server: RealServer, path: string): Promise<RawSocket> {
  const socket = await RawSocket.connect(server.endpoint);
  const headers = { "content-length": String(BODY.length), expect: "100-continue" };
  await socket.send(signedHead(server, { method: "PUT", path, headers, body: BODY }));
  assert.equal((await socket.response()).status, 100);
  await socket.send(BODY.subarray(0, HALF));
  return socket;
}

/** The answer has begun, and nothing more of it is read. */
async function downloading(server: RealServer, path: string): Promise<RawSocket> {
  const socket = await RawSocket.connect(server.endpoint);
  await socket.send(signedHead(server, { method: "GET", path }));
  await socket.begins();
  socket.stopReading();
  return socket;
}

/** A little at a time, so that it is never silent. */
async function send(socket: RawSocket, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await socket.send("x");
    await systemClock.sleep(1_000, signal).catch(() => undefined);
  }
}

async function untilGone(pids: readonly number[]): Promise<void> {
  while (pids.some(isThere)) await systemClock.sleep(20);
}

/** One that has ended and that nobody has asked about has no command line any more. */
function isThere(pid: number): boolean {
  const path = `/proc/${pid}/cmdline`;
  return existsSync(path) && readFileSync(path).length > 0;
}
