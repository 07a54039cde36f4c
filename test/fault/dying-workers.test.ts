/** Workers that die while the supervisor has something to tell them. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { systemClock } from "#base/clock.ts";
import { expectCall, makeBucket } from "#test/fault/call.ts";
import { committerOf, workersOf } from "#test/support/process.ts";
import { startRealServer } from "#test/support/real-server.ts";

const LOOK_MS = 5;
/** A supervisor has tried to start another one in this time. */
const TRIES_MS = 1_500;
/** So many looks at a process that has done nothing in between. */
const IDLE_LOOKS = 150;
/** Turns what never appears into a failure. */
const LOOKS_MAX = 4_000;

test("a worker that dies as it begins to listen does not end its supervisor", async (t) => {
  const server = await startRealServer(t, { workers: 2 });
  const [victim = 0, other = 0] = workersOf(server.pid);
  process.kill(victim, "SIGKILL");
  const fresh = await appears(() =>
    workersOf(server.pid).find((pid) => pid !== victim && pid !== other),
  );
  // It has been told to start, and has not asked yet for the address to listen on.
  await appears(() => (read(`/proc/${fresh}/maps`).includes("data.mdb") ? fresh : undefined));
  process.kill(server.pid, "SIGSTOP");
  await untilIdle(fresh);
  process.kill(fresh, "SIGKILL");
  // Nobody has asked about it: until then all of it is gone but its number.
  await appears(() => (/\) Z /.test(read(`/proc/${fresh}/stat`)) ? fresh : undefined));

  process.kill(server.pid, "SIGCONT");

  await appears(() => workersOf(server.pid).find((pid) => ![victim, other, fresh].includes(pid)));
  await expectCall(server, { method: "GET", path: "/" });
  assert.equal(await server.stop(), 0);
});

test("a supervisor that can start no process for want of descriptors tries again until it can", async (t) => {
  // So many that there is a process which commits for all.
  const server = await startRealServer(t, { workers: 3 });
  if (spawnSync("prlimit", ["--version"]).status !== 0) return t.skip("there is no prlimit");
  const limit = (files: string) =>
    assert.equal(spawnSync("prlimit", ["--pid", `${server.pid}`, `--nofile=${files}`]).status, 0);
  const [victim = 0, ...others] = workersOf(server.pid);
  const committer = committerOf(server.pid) ?? 0;
  limit("8:");
  for (const pid of [victim, committer]) process.kill(pid, "SIGKILL");
  await systemClock.sleep(TRIES_MS);

  limit("1024:");

  await appears(() => workersOf(server.pid).find((pid) => pid !== victim && !others.includes(pid)));
  await appears(() => [committerOf(server.pid)].find((pid) => pid !== committer));
  await untilReady(server.adminEndpoint);
  assert.ok(others.every((pid) => workersOf(server.pid).includes(pid)));
  await makeBucket(server, "bucket");
});

async function untilReady(adminEndpoint: string): Promise<void> {
  while ((await fetch(`${adminEndpoint}/health/ready`)).status !== 200) {
    await systemClock.sleep(LOOK_MS);
  }
}

async function appears<T>(look: () => T | undefined): Promise<T> {
  for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
    const found = look();
    if (found !== undefined) return found;
    await systemClock.sleep(LOOK_MS);
  }
  throw new Error("it never came");
}

async function untilIdle(pid: number): Promise<void> {
  let before = "";
  for (let idle = 0; idle < IDLE_LOOKS; ) {
    const now = busyOf(pid);
    idle = now === before ? idle + 1 : 0;
    before = now;
    await systemClock.sleep(LOOK_MS);
  }
}

/** Processor time in user and kernel mode, in ticks. */
function busyOf(pid: number): string {
  const fields = read(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ") ?? [];
  return `${fields[11]} ${fields[12]}`;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // It has ended meanwhile.
    return "";
  }
}
