/**
 * Clients that mean harm, many at a time, at a real server: its memory and descriptors stay bounded, it
 * gives back what they held when they go, and a client that behaves is served all the while.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { Agent } from "node:http";
import { connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { systemClock } from "#base/clock.ts";
import { expectCall, makeBucket, put, signedHead, type Target } from "#test/fault/call.ts";
import { processTree, residentBytes } from "#test/support/process.ts";
import { type RealServer, startRealServer } from "#test/support/real-server.ts";
import { LONG } from "#test/support/runs.ts";

const MEBIBYTE = 2 ** 20;
const TIMES = LONG ? 5 : 1;
const LARGE_BYTES = 32 * MEBIBYTE;
/** All processes of the server together, whatever is done to it. */
const RESIDENT_BYTES_MAX = 1_024 * MEBIBYTE;
/** Descriptors beside those of connections: files, pipes, databases that are opened meanwhile. */
const OTHER_DESCRIPTORS = 60;
/** What a test process itself needs of them. */
const OWN_DESCRIPTORS = 300;
/** Requests of the client that behaves, at least, while each attack lasts. */
const SERVED_MIN = 30;
const HEADERS = "GET / HTTP/1.1\r\nHost: h\r\n";

interface Attack {
  readonly connections: number;
  /** What is sent on a connection at once. */
  readonly opening: (server: Target, bucket: string) => string;
  /** What is sent on it again and again. */
  readonly drip?: string;
  /** Whether answers are read. */
  readonly reads?: boolean;
  /** Our direction is ended. */
  readonly halfCloses?: boolean;
}

const ATTACKS: Readonly<Record<string, Attack>> = {
  "idle connections": { connections: 10_000, opening: () => "" },
  "headers that never end": {
    connections: 1_000 * TIMES,
    opening: () => HEADERS,
    drip: "X: y\r\n",
  },
  "floods of headers": {
    connections: 300 * TIMES,
    opening: () => `${HEADERS}${"X-Flood: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n".repeat(20_000)}`,
    reads: true,
  },
  "bodies that never end": {
    connections: 500 * TIMES,
    opening: (server, bucket) =>
      signedHead(server, { method: "PUT", path: `${bucket}/slow`, body: Buffer.alloc(300_000) }),
    drip: "x",
  },
  "answers that nobody reads": {
    connections: 300 * TIMES,
    opening: (server, bucket) => signedHead(server, { method: "GET", path: `${bucket}/large` }),
  },
  "requests that are sent at once, and answers that nobody reads": {
    connections: 60 * TIMES,
    opening: (server, bucket) =>
      signedHead(server, { method: "GET", path: `${bucket}?list-type=2&max-keys=10` }).repeat(200),
  },
  "half-closed connections": {
    connections: 500 * TIMES,
    opening: (server, bucket) => signedHead(server, { method: "GET", path: `${bucket}/large` }),
    halfCloses: true,
  },
};

test("whatever clients do, the server stays within its bounds and serves others", async (t) => {
  if (process.platform !== "linux") {
    t.skip("memory and descriptors of a process are read from /proc");
    return;
  }
  const server = await startRealServer(t, { workers: 2, flags: ["--access-log", "false"] });
  const bucket = await makeBucket(server, "hostile");
  await put(server, `${bucket}/large`, Buffer.alloc(LARGE_BYTES, "large"));
  await serve(server, bucket, () => false);
  const before = descriptorsOf(server);
  for (const [what, attack] of Object.entries(ATTACKS)) {
    await t.test(what, async (subtest) => {
      await withstand(subtest, { server, bucket, attack, before });
    });
  }
});

interface Withstood {
  readonly server: RealServer;
  readonly bucket: string;
  readonly attack: Attack;
  /** Descriptors when nobody was there. */
  readonly before: number;
}

async function withstand(t: TestContext, given: Withstood): Promise<void> {
  const { server, bucket, attack, before } = given;
  const count = Math.min(attack.connections, openFilesMax() - OWN_DESCRIPTORS);
  let attacking = true;
  const serving = serve(server, bucket, () => attacking);
  const sockets = await attackers(server, bucket, { ...attack, connections: count });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  const drip = attack.drip ?? "";
  const dripping = setInterval(() => {
    for (const socket of drip === "" ? [] : sockets) socket.write(drip);
  }, 500);
  // Every attacker has been heard by now; and so have those who behave.
  await serve(server, bucket, () => false);
  const [memory, descriptors] = [residentOf(server), descriptorsOf(server)];
  clearInterval(dripping);
  attacking = false;
  const served = await serving;
  for (const socket of sockets) socket.destroy();

  t.diagnostic(
    `${count} connections: ${Math.round(memory / MEBIBYTE)} MiB, ${descriptors} descriptors; ${served}`,
  );
  assert.ok(memory < RESIDENT_BYTES_MAX, `${memory} bytes resident`);
  // A connection, and perhaps the file that is sent over it.
  assert.ok(descriptors <= before + 2 * count + OTHER_DESCRIPTORS, `${descriptors} descriptors`);
  while (descriptorsOf(server) > before + OTHER_DESCRIPTORS) await systemClock.sleep(50);
}

async function attackers(server: Target, bucket: string, attack: Attack): Promise<Socket[]> {
  const { hostname, port } = new URL(server.endpoint);
  const sockets: Socket[] = [];
  const open = async () => {
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    // The server may end it, and should.
    socket.on("error", () => undefined);
    await new Promise((resolve) => socket.once("connect", resolve).once("close", resolve));
    sockets.push(socket);
    if (attack.reads === true) socket.resume();
    else socket.pause();
    const opening = attack.opening(server, bucket);
    if (opening !== "") socket.write(opening);
    if (attack.halfCloses === true) socket.end();
  };
  // Not all at the same moment: the queue of connections that wait is short.
  for (let left = attack.connections; left > 0; left -= AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(left, AT_ONCE) }, open));
  }
  return sockets;
}
const AT_ONCE = 100;

let clients = 0;

/** Puts and gets, at least so many, for as long as it is told. What came back is what was sent. */
async function serve(target: Target, bucket: string, goesOn: () => boolean): Promise<string> {
  clients += 1;
  const client = clients;
  const server = { ...target, agent: new Agent({ keepAlive: true }) };
  const tookMs: number[] = [];
  for (let turn = 0; turn < SERVED_MIN || goesOn(); turn += 1) {
    const path = `${bucket}/good-${client}-${turn % 10}`;
    const began = performance.now();
    await put(server, path, `turn ${turn}`);
    const { body } = await expectCall(server, { method: "GET", path });
    tookMs.push(performance.now() - began);
    assert.equal(body.toString(), `turn ${turn}`);
  }
  server.agent.destroy();
  tookMs.sort((a, b) => a - b);
  const at = (share: number) => tookMs[Math.floor(tookMs.length * share)]?.toFixed(1);
  return `${tookMs.length} pairs of requests served, half within ${at(0.5)} ms, 99 % within ${at(0.99)} ms`;
}

function residentOf(server: RealServer): number {
  return residentBytes(processTree(server.pid));
}

function descriptorsOf(server: RealServer): number {
  return processTree(server.pid).reduce((sum, pid) => sum + openFilesOf(pid), 0);
}

function openFilesOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}

/** What this process, and each that it starts, may have open. */
function openFilesMax(): number {
  const text = execFileSync("sh", ["-c", "ulimit -Hn"], { encoding: "utf8" }).trim();
  return text === "unlimited" ? Number.POSITIVE_INFINITY : Number(text);
}
