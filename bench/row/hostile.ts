import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Bench } from "../bench.ts";
import { payload } from "../client/payload.ts";
import { Session } from "../client/session.ts";
import { Fleet } from "../driver/fleet.ts";
import { Histogram } from "../driver/histogram.ts";
import { keyOf } from "../driver/job.ts";
import type { Attacked } from "../hostile/attacker.ts";
import { ATTACKS, type AttackName, LARGE_BYTES, LARGE_KEY, SMALL_KEY } from "../hostile/attacks.ts";
import { ClientProcess } from "../hostile/client-process.ts";
import type { Served } from "../hostile/polite.ts";
import { createBucket } from "../target/bucket.ts";
import { LODE_CREDENTIALS, startLode } from "../target/lode.ts";
import {
  descriptorsOf,
  memoryOf,
  openFilesOf,
  proportionalBytesOf,
} from "../target/process-tree.ts";
import type { Target } from "../target/target.ts";
import { attempt } from "./measure.ts";

const SMALL_BYTES = 1024;
const KEPT = "kept/";
const PER_SECOND = 200;
const KEEP_ALIVE_CONNECTIONS = 4;
const KEEP_ALIVE_SECONDS_MAX = 600;
const SAMPLE_MS = 500;
/** In which the server takes in what so many have asked for at once; it counts as their coming. */
const SETTLE_MS = 4_000;
/** In which it notices that all have gone. */
const LEAVE_MS = 1_000;
/** Those that are left over, beside connections: files and databases that were opened meanwhile. */
const DESCRIPTORS_SLACK = 60;
/** It is waited so long for fewer than that, which shows what is given back late. */
const GIVEN_BACK_MS_MAX = 20_000;
const SETTLED_SLACK = 4;
const MB = 1e6;
/** A client that behaves waits so many times as long as with nobody else there, at the most. */
const RATIO_MAX = 2;

/** What clients that behave wait, with nobody else there and then beside hostile ones of each kind in turn. */
export async function hostileRows(bench: Bench): Promise<void> {
  const dataDirectory = join(bench.directory, "hostile");
  const flags = ["--access-log", "false"];
  await using server = await startLode({ dataDirectory, workers: bench.workers, flags });
  const endpoint = { host: "127.0.0.1", port: server.port, ...LODE_CREDENTIALS };
  const target = { name: "lode", endpoint, pid: server.pid, bucket: "lode-bench-hostile" };
  await createBucket(target);
  {
    using session = new Session(endpoint);
    const { bucket } = target;
    const put = async (key: string, body: Buffer) =>
      await session.call({ method: "PUT", bucket, key, body });
    await put(SMALL_KEY, payload(SMALL_BYTES));
    await put(keyOf(KEPT, 0), payload(SMALL_BYTES));
    await put(LARGE_KEY, payload(LARGE_BYTES));
  }
  await politely(target, () => setTimeout((bench.scale.hostile.seconds * 1000) / 2));
  // The names of the table's own keys.
  for (const name of Object.keys(ATTACKS) as AttackName[]) {
    using crowd = new Crowd(bench, target, name);
    await round(bench, target, {
      ...{ name, come: () => crowd.come(), act: () => crowd.act(), leave: () => crowd.leave() },
    });
  }
  const { keepAliveRequests } = bench.scale.hostile;
  const name = `${keepAliveRequests.toLocaleString("en-US")} requests on ${KEEP_ALIVE_CONNECTIONS} connections`;
  const nothing = async (): Promise<string> => "";
  const act = () => keptAlive(bench, target);
  await round(bench, target, { name, come: nothing, act, leave: nothing });
}

interface Round {
  readonly name: string;
  /** Resolves when they are there. */
  readonly come: () => Promise<unknown>;
  /** What they do then; resolves to what came of it, if that is known by then. */
  readonly act: () => Promise<string>;
  /** All at once; resolves to what came of it. */
  readonly leave: () => Promise<string>;
}

async function round(
  bench: Bench,
  target: Target,
  { name, come, act, leave }: Round,
): Promise<void> {
  const row = `GET 1 KiB at ${PER_SECOND}/s, beside ${name}`;
  await attempt(bench, { row, target }, async () => {
    const quietMs = (bench.scale.hostile.seconds * 1000) / 2;
    const before = held(target);
    using watch = new Watch(target);
    const { served: quiet } = await politely(target, () => setTimeout(quietMs));
    const { served: greeted } = await politely(target, come);
    const { served, outcome: did } = await politely(target, act);
    const { served: left, outcome: told } = await politely(target, leave);
    const during = watch.most();
    const after = await givenBack(target, before);
    if (after.descriptors > before.descriptors + DESCRIPTORS_SLACK) {
      bench.ledger.fail(`${row}: ${after.descriptors} descriptors afterwards`);
    }
    for (const { errors, errorSample } of [greeted, served, left]) {
      if (errors > 0)
        bench.ledger.fail(`${row}: ${errors} wrong answers, the first: ${errorSample}`);
    }
    const [calm, beside] = [latenciesOf(quiet), latenciesOf(served)];
    const errors = served.errors + greeted.errors + left.errors;
    const mostMs = (of: Served): string => latenciesOf(of).p99Ms.toFixed(2);
    const times = (of: keyof typeof calm): string => (beside[of] / calm[of]).toFixed(2);
    const megabytes = (bytes: number): string => (bytes / MB).toFixed(0);
    const note = [
      `${did}${told}`,
      `p99 ${mostMs(greeted)} ms while they came, ${mostMs(left)} ms as they left`,
      `quiet ${calm.p50Ms.toFixed(2)} and ${calm.p99Ms.toFixed(2)} ms: ${times("p50Ms")} and ${times("p99Ms")} times that (wanted ${RATIO_MAX})`,
      `PSS ${megabytes(before.bytes)} MB before and ${megabytes(after.bytes)} after, of it ${megabytes(during.anonBytes)} of its own at the most`,
      `${before.descriptors} descriptors before and ${after.descriptors} after, with those of blob directories ${during.openFiles} at the most`,
    ].join("; ");
    bench.ledger.record({
      ...{ row, target: target.name, unit: "op", count: served.requests, note },
      ...{ seconds: served.seconds, perSecond: served.requests / served.seconds },
      ...{ ...beside, errors },
    });
  });
}

/** Serves clients that behave for as long as something else goes on. */
async function politely<T>(
  { endpoint, bucket }: Target,
  meanwhile: () => Promise<T>,
): Promise<{ readonly served: Served; readonly outcome: T }> {
  const clients = { kind: "polite", endpoint, bucket, perSecond: PER_SECOND } as const;
  using polite = await ClientProcess.polite(clients);
  const outcome = await meanwhile();
  return { served: await polite.stop(), outcome };
}

/** Hostile clients of one kind. */
class Crowd implements Disposable {
  readonly #bench: Bench;
  readonly #target: Target;
  readonly #attack: AttackName;
  #attackers: ClientProcess<Attacked> | undefined;

  constructor(bench: Bench, target: Target, attack: AttackName) {
    this.#bench = bench;
    this.#target = target;
    this.#attack = attack;
  }

  async come(): Promise<void> {
    const { endpoint, bucket } = this.#target;
    const attack = this.#attack;
    const connections = ATTACKS[attack].connections(this.#bench.scale.hostile);
    const clients = { kind: "attack", endpoint, bucket, attack, connections } as const;
    this.#attackers = await ClientProcess.attack(clients);
    await setTimeout(SETTLE_MS);
  }

  async act(): Promise<string> {
    await setTimeout(this.#bench.scale.hostile.seconds * 1000);
    return "";
  }

  async leave(): Promise<string> {
    if (this.#attackers === undefined) throw new Error("nobody has come");
    const { wanted, opened, ended } = await this.#attackers.stop();
    const text = wanted === opened ? `${opened} connections` : `${opened} of ${wanted} connections`;
    await setTimeout(LEAVE_MS);
    return `${text}, ${ended} ended by the server`;
  }

  [Symbol.dispose](): void {
    this.#attackers?.[Symbol.dispose]();
  }
}

/** Load that is not hostile but for its number. */
async function keptAlive({ fleet: { size }, scale }: Bench, target: Target): Promise<string> {
  using fleet = new Fleet(size);
  fleet.yieldProcessor();
  const { ops, seconds, errors, errorSample } = await fleet.run({
    ...{ kind: "get", endpoint: target.endpoint, bucket: target.bucket, prefix: KEPT },
    ...{ first: 0, count: 1, sizeBytes: SMALL_BYTES, connections: KEEP_ALIVE_CONNECTIONS },
    ...{ seconds: KEEP_ALIVE_SECONDS_MAX, opsMax: scale.hostile.keepAliveRequests },
  });
  if (errors > 0) throw new Error(errorSample);
  return `${ops} requests in ${seconds.toFixed(0)} s`;
}

interface Held {
  readonly bytes: number;
  readonly descriptors: number;
}

function held({ pid = 0 }: Target): Held {
  return { bytes: proportionalBytesOf(pid), descriptors: descriptorsOf(pid).others };
}

interface Most {
  readonly anonBytes: number;
  readonly openFiles: number;
}

/**
 * Looks now and then at what a server holds, at what the kernel counts anyway: to walk through its memory, or
 * its 10,000 descriptors, would take the time that is measured.
 */
class Watch implements Disposable {
  readonly #timer: NodeJS.Timeout;
  readonly #pid: number;
  #most: Most = { anonBytes: 0, openFiles: 0 };

  constructor({ pid = 0 }: Target) {
    this.#pid = pid;
    this.#timer = setInterval(() => this.most(), SAMPLE_MS);
  }

  most(): Most {
    this.#most = {
      anonBytes: Math.max(this.#most.anonBytes, memoryOf(this.#pid).anonBytes),
      openFiles: Math.max(this.#most.openFiles, openFilesOf(this.#pid)),
    };
    return this.#most;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** What is held when connections have gone, or when that took too long. */
async function givenBack(target: Target, before: Held): Promise<Held> {
  const lateMs = performance.now() + GIVEN_BACK_MS_MAX;
  for (;;) {
    const now = held(target);
    const isBack = now.descriptors <= before.descriptors + SETTLED_SLACK;
    if (isBack || performance.now() > lateMs) return now;
    await setTimeout(SAMPLE_MS);
  }
}

function latenciesOf({ histogram }: Served): { readonly p50Ms: number; readonly p99Ms: number } {
  const all = new Histogram();
  all.add(histogram);
  return { p50Ms: all.percentile(0.5) / 1000, p99Ms: all.percentile(0.99) / 1000 };
}
