/**
 * Clients of a real server with several workers, which are killed and stopped meanwhile: what each client
 * saw is what some order of their operations would show. An answer that never came may stand for either.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "#base/clock.ts";
import { makeBucket } from "#test/fault/call.ts";
import { requireLinearizable, run } from "#test/linear/clients.ts";
import { httpStore } from "#test/linear/http-store.ts";
import { processTree } from "#test/support/process.ts";
import { Random } from "#test/support/random.ts";
import { type RealServer, startRealServer } from "#test/support/real-server.ts";
import { LONG } from "#test/support/runs.ts";

const WORKERS = 4;
const CLIENTS = 8;
const ROUNDS = LONG ? 100 : 1;
const ROUND_MS = LONG ? 20_000 : 5_000;
/** About the limit of what lives in a record. */
const SIZES = [10, 70_000];

test("what clients saw while workers died and hung, some order of their operations explains", async (t) => {
  if (process.platform !== "linux") {
    t.skip("the workers of a server are found in /proc");
    return;
  }
  const server = await startRealServer(t, { workers: WORKERS, flags: ["--access-log", "false"] });
  for (let round = 1; round <= ROUNDS; round += 1) {
    const bucket = await makeBucket(server, `linear-${round}`);
    const end = systemClock.now() + ROUND_MS;
    const goesOn = () => systemClock.now() < end;
    const harming = harm(server, new Random(round), goesOn);
    const given = { clients: CLIENTS, groups: 4, seed: round, goesOn, sizes: SIZES };
    const histories = await run(httpStore(server, bucket), given);
    const harmed = await harming;
    requireLinearizable(histories);

    const all = [...histories.values()].flat();
    const lost = all.filter(({ output }) => output === undefined);
    t.diagnostic(`${all.length} operations, ${lost.length} of them lost, ${harmed} blows`);
    assert.ok(all.length > 200 && harmed > 3);
  }
});

/** Kills a worker, or stops one for a while, again and again. */
async function harm(server: RealServer, random: Random, goesOn: () => boolean): Promise<number> {
  let blows = 0;
  while (goesOn()) {
    await systemClock.sleep(100 + random.below(400));
    const [, ...workers] = processTree(server.pid);
    const victim = workers[random.below(Math.max(1, workers.length))];
    if (victim === undefined) continue;
    blows += 1;
    if (random.once(2)) {
      send(victim, "SIGKILL");
      continue;
    }
    send(victim, "SIGSTOP");
    await systemClock.sleep(50 + random.below(300));
    send(victim, "SIGCONT");
  }
  return blows;
}

/** It may be gone already. */
function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Its end is what was asked for.
  }
}
