/**
 * Power cuts under load. Histories run side by side over LMDB and files while every call of the disk is
 * recorded; then, for every moment of the recording, what a power cut then might leave is made anew, and
 * the real stores are opened on it: what was acknowledged is there and whole, what was under way is whole
 * or absent, lists agree with reads, and the jobs that clear up take what is left over and no more.
 */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { Disk } from "#blob/disk.ts";
import { Catalog } from "#catalog/catalog.ts";
import { cutAt, type Left } from "#test/crash/cut.ts";
import { drawnFate, FATES } from "#test/crash/fates.ts";
import { FAULTY_DISKS } from "#test/crash/faulty-disks.ts";
import { type Lane, type Recording, record } from "#test/crash/recording.ts";
import { Replica } from "#test/crash/replica.ts";
import { isSame, settled } from "#test/model/one-of.ts";
import { BUCKETS, histories } from "#test/model/step.ts";
import type { storesOver } from "#test/model/stores.ts";
import { Subject } from "#test/model/subject.ts";
import { remainsOf } from "#test/support/remains.ts";
import { LONG, runs } from "#test/support/runs.ts";
import { VersionedEngine } from "#versioned/engine.ts";
import { collectGarbage } from "#versioned/garbage.ts";
import { removeOrphans } from "#versioned/orphans.ts";

const LANES = 4;
const STEPS = 12;
/** Of each moment, besides one of the named ones in turn. */
const DRAWN_FATES = LONG ? 10 : 1;
/** The jobs that clear up look at every directory: in a short run not after each cut. */
const CLEARED_EVERY = LONG ? 1 : 5;

test("a power cut at any moment loses nothing that was acknowledged and leaves nothing half", async (t) => {
  let states = 0;
  await fc.assert(
    fc.asyncProperty(histories(LANES, STEPS), async (all) => {
      states += await requireEveryCut(await record(all));
    }),
    { ...runs({ short: 1, long: 100 }), endOnFailure: true },
  );
  t.diagnostic(`${states} states of the disk`);
});

for (const [fault, change] of Object.entries(FAULTY_DISKS)) {
  test(`a disk that ${fault} is found out`, async () => {
    assert.ok(await isFoundOut(change));
  });
}

/** How the lanes of a history meet depends on the machine: what one recording does not show, the next one may. */
async function isFoundOut(change: (disk: Disk) => Disk): Promise<boolean> {
  for (const all of fc.sample(histories(LANES, STEPS), { numRuns: 5, seed: 3 })) {
    const found = await requireEveryCut(await record(all, change)).catch((cause: Error) => cause);
    if (found instanceof Error) return found.message.startsWith("cut at ");
  }
  return false;
}

test("a metadata store that acknowledges what it has not synced is found out", async () => {
  const [all = []] = fc.sample(histories(LANES, STEPS), { numRuns: 1, seed: 3 });
  const recording = await record(all);
  const { commits } = recording.tape;
  const late = commits.map((commit, at) => ({
    ...commit,
    span: { ...commit.span, ended: commits[at + 1]?.span.ended ?? Infinity },
  }));
  commits.splice(0, commits.length, ...late);

  await assert.rejects(requireEveryCut(recording));
});

type LaidStores = ReturnType<typeof storesOver>;

interface Cut extends Left {
  readonly tick: number;
  readonly fate: string;
}

/** How many states were looked at; those that are alike count once. */
async function requireEveryCut(recording: Recording): Promise<number> {
  await using replica = await Replica.of(recording);
  const cuts = cutsOf(recording);
  for (const [index, cut] of cuts.entries()) {
    await using opened = await replica.open(cut);
    try {
      assert.deepEqual(readdirSync(join(opened.blobRoot, "tmp")), []);
      const found = await requireAcknowledged(recording, cut, opened.stores);
      if (index % CLEARED_EVERY === 0) await requireCleared(found, opened.stores);
    } catch (cause) {
      throw new Error(`cut at ${cut.tick} of ${recording.tape.ticks}, ${cut.fate}`, { cause });
    }
  }
  return cuts.length;
}

function cutsOf({ tape, lanes }: Recording): readonly Cut[] {
  const seen = new Map<string, Cut>();
  const named = Object.entries(FATES);
  for (let tick = 0; tick <= tape.ticks; tick += 1) {
    const drawn = Array.from({ length: DRAWN_FATES }, (_, at) => {
      const seed = tick * 1_000 + at;
      return [`fate ${seed}`, drawnFate(seed)] as const;
    });
    for (const [name, fate] of [...named.slice(tick % 5, (tick % 5) + 1), ...drawn]) {
      const left = cutAt(tape, tick, fate);
      const files = [...left.files].map(([path, bytes]) => `${path} ${bytes.length}`);
      const known = lanes.map((lane) => Object.values(progressOf(lane, tick)));
      seen.set(`${left.commits} ${known} ${files.sort()}`, { ...left, tick, fate: name });
    }
  }
  return [...seen.values()].sort((a, b) => a.commits - b.commits);
}

/** How many of a lane's calls were answered, and how many had been made. */
function progressOf({ spans }: Lane, tick: number) {
  const answered = spans.filter(({ ended }) => ended <= tick).length;
  const made = spans.filter(({ begun }) => begun <= tick).length;
  return { answered, made };
}

type Found = readonly (readonly [lane: Lane, state: number])[];

async function requireAcknowledged(
  { lanes }: Recording,
  { tick }: Cut,
  stores: LaidStores,
): Promise<Found> {
  const found: [Lane, number][] = [];
  for (const lane of lanes) found.push([lane, await stateOf(lane, tick, stores)]);
  return found;
}

/** The jobs leave what live records refer to, and everything looks as it did. */
async function requireCleared(found: Found, stores: LaidStores): Promise<void> {
  // Later than any of the histories.
  const later = { ...stores, clock: { ...stores.clock, now: () => stores.clock.now() + 1e9 } };
  const signal = new AbortController().signal;
  const none = { ageMsMin: 0, waitMs: 0, oldestMs: async () => Infinity, signal };
  while ((await collectGarbage(later, { beforeMs: later.clock.now() })).entries > 0);
  await removeOrphans(stores, none);
  const remains = await remainsOf(stores);
  assert.deepEqual(remains.blobs, remains.referred);
  assert.deepEqual(remains.references, remains.expectedReferences);
  assert.deepEqual([remains.strays, remains.garbage], [[], 0]);
  for (const [lane, state] of found) requireShown(await viewsOf(lane, stores), lane, state);
}

/** After how many calls the lane's buckets looked as they do: those answered, or one more. */
async function stateOf(lane: Lane, tick: number, stores: LaidStores): Promise<number> {
  const { answered, made } = progressOf(lane, tick);
  const views = await viewsOf(lane, stores);
  for (let state = answered; state < made; state += 1) {
    if (isSame(views, lane.shown[state])) return state;
  }
  requireShown(views, lane, made);
  return made;
}

function requireShown(views: unknown, { shown, suffix, calls }: Lane, state: number): void {
  if (isSame(views, shown[state])) return;
  const after = `lane ${suffix} after ${state} calls, the last ${calls[state - 1]?.kind}`;
  assert.deepEqual(views, settled(shown[state], views), after);
  assert.fail(after);
}

async function viewsOf({ suffix }: Lane, stores: LaidStores) {
  const { meta, clock } = stores;
  const engine = new VersionedEngine(stores);
  const subject = new Subject({
    ...{ catalog: new Catalog(meta, clock), engine, clock, suffix, collect: async () => {} },
  });
  return await Promise.all(BUCKETS.map((bucket) => subject.view(bucket)));
}
