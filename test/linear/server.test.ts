/**
 * Clients of a real server with several workers, which are killed and stopped meanwhile: what each client
 * saw is what some order of their operations would show. An answer that never came may stand for either.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "#base/clock.ts";
import { makeBucket } from "#test/fault/call.ts";
import { requireLinearizable, run, type Store } from "#test/linear/clients.ts";
import { httpStore } from "#test/linear/http-store.ts";
import { processTree } from "#test/support/process.ts";
import { Random } from "#test/support/random.ts";
import { type RealServer, startRealServer } from "#test/support/real-server.ts";
import { LONG } from "#test/support/runs.ts";

const WORKERS = 4;
const CLIENTS = 8;
const ROUNDS = LONG ? 40 : 1;
/** A round goes on until so many were answered, and so many blows dealt. */
const OPERATIONS = LONG ? 5_000 : 800;
const BLOWS = LONG ? 40 : 8;
/** While all workers are dead nobody is let in. A server that refuses so many in a row does not come back. */
const REFUSED_MAX = 10_000;
const REFUSED_PAUSE_MS = 20;
/** About the limit of what lives in a record. */
const SIZES = [10, 70_000];

test("what clients saw while workers died and hung, some order of their operations explains", async (t) => {
  if (process.platform !== "linux") {
    t.skip("the workers of a server are found in /proc");
    return;
  }
  const server = await startRealServer(t, { workers: WORKERS, flags: ["--access-log", "false"] });
  for (let round = 1; round <= ROUNDS; round += 1) {
    const bucket = await madeBucket(server, `linear-${round}`);
    const store = new CountingStore(httpStore(server, bucket));
    const harm = new Harm(server, new Random(round));
    const goesOn = () => store.answered < OPERATIONS || harm.blows < BLOWS;
    const harming = harm.go();
    const given = { clients: CLIENTS, groups: 4, seed: round, goesOn, sizes: SIZES };
    const histories = await run(store, given).finally(() => harm.stop());
    await harming;
    requireLinearizable(histories);

    const all = [...histories.values()].flat();
    const lost = all.filter(({ output }) => output === undefined);
    t.diagnostic(`${all.length} operations, ${lost.length} of them lost`);
  }
});

/** Nobody may be there to make it: all workers may have died a moment ago. */
async function madeBucket(server: RealServer, name: string): Promise<string> {
  for (;;) {
    try {
      return await makeBucket(server, name);
    } catch (cause) {
      if (!(cause instanceof Error && "code" in cause)) throw cause;
      await systemClock.sleep(100);
    }
  }
}

/** Counts what was answered: how long the server takes to come back says nothing about how much was seen. */
class CountingStore implements Store {
  readonly #store: Store;
  #refusedInARow = 0;
  answered = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  readonly perform: Store["perform"] = async (...asked) => {
    const told = await this.#store.perform(...asked);
    if (told === "refused") {
      this.#refusedInARow += 1;
      assert.ok(this.#refusedInARow < REFUSED_MAX, "the server lets nobody in any more");
      await systemClock.sleep(REFUSED_PAUSE_MS);
    } else {
      this.#refusedInARow = 0;
      if (told !== undefined) this.answered += 1;
    }
    return told;
  };
}

/** Kills a worker or the committer, or stops one for a while, again and again. */
class Harm {
  readonly #server: RealServer;
  readonly #random: Random;
  #stopped = false;
  blows = 0;

  constructor(server: RealServer, random: Random) {
    this.#server = server;
    this.#random = random;
  }

  async go(): Promise<void> {
    while (!this.#stopped) {
      await systemClock.sleep(100 + this.#random.below(400));
      const [, ...others] = processTree(this.#server.pid);
      const victim = others[this.#random.below(Math.max(1, others.length))];
      if (victim !== undefined) await this.#strike(victim);
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  async #strike(victim: number): Promise<void> {
    this.blows += 1;
    if (this.#random.once(2)) {
      send(victim, "SIGKILL");
      return;
    }
    send(victim, "SIGSTOP");
    await systemClock.sleep(50 + this.#random.below(300));
    send(victim, "SIGCONT");
  }
}

/** It may be gone already. */
function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Its end is what was asked for.
  }
}
