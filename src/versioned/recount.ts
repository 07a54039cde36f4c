import { type Clock, restAfter } from "#base/clock.ts";
import { StorageError } from "#base/error.ts";
import { unpackCounter } from "#meta/counter.ts";
import type { Add, Change, Guard, MetaStore, MetaView, Write } from "#meta/store.ts";
import type { Bucket } from "#object/bucket.ts";
import { PART_NUMBER_MAX } from "#object/name.ts";
import {
  afterKey,
  closedSpan,
  openClosedKey,
  openZoneUsageKey,
  partKey,
  REPAIR_KEY,
  type Span,
  usageKey,
  zoneUsageKey,
  zoneUsageSpan,
} from "#versioned/keys.ts";
import { usageOfVersion } from "#versioned/plan.ts";
import {
  type PartRecord,
  packJson,
  type UploadRecord,
  unpackJson,
  unpackVersion,
} from "#versioned/record.ts";
import { amountsOf, type UsageChange } from "#versioned/usage.ts";

/**
 * Counts what there is and puts the counters right.
 *
 * Each commit changes records and counters together, so that in one view of the store the difference
 * between the two is the same whoever writes meanwhile: it is taken from a snapshot, and added whenever
 * that comes to pass. Only another repair changes it; each writes one record that all of them guard.
 * While a snapshot is read, LMDB uses no page again that was freed since.
 */
export interface Recounting {
  readonly meta: MetaStore;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/** What was wrong with a counter: what had to be added, amount by amount. */
export interface Drift {
  readonly counter: "bucket" | "zone";
  /** The bucket's name, or the zone's. */
  readonly name: string;
  readonly amounts: readonly number[];
}

/** Versions carry bodies of up to 64 KiB. */
const VERSIONS_AT_ONCE = 100;
const RECORDS_AT_ONCE = 1_000;
const ATTEMPTS_MAX = 5;
const BREATH_MS = 1;

/**
 * A bucket's counter. Resolves to undefined when others came in between again and again, or when the
 * bucket is no longer as it was given.
 */
export async function recountBucket(
  recounting: Recounting,
  bucket: Bucket,
): Promise<readonly Drift[] | undefined> {
  const key = usageKey(bucket.id);
  await forgetNonsense(recounting, key, [bucket.guard]);
  return await repaired(recounting, async (view) => {
    const entry = await view.get(bucket.guard.key);
    if (entry?.revision !== bucket.guard.revision) return undefined;
    const { amounts: there } = await read(view, key);
    const amounts = difference(await countBucket(view, bucket, recounting), there);
    const drifts = [{ counter: "bucket", name: bucket.name, amounts } as const].filter(isWrong);
    // A bucket that is deleted takes its counter along; nothing may bring it back.
    return {
      drifts,
      guards: [bucket.guard],
      writes: [],
      adds: drifts.map(() => ({ key, amounts })),
    };
  });
}

/**
 * The counters of an organization's zones, against those of its buckets; zones that it has left go.
 * `bucketsOf` finds the buckets in the view that it is given. Resolves as recountBucket.
 * Fails: StorageError "corrupt" when a bucket's counter is damaged, which is counted first.
 */
export async function recountZones(
  recounting: Recounting,
  organizationId: string,
  bucketsOf: (view: MetaView) => Promise<readonly Bucket[]>,
): Promise<readonly Drift[] | undefined> {
  for (const zone of await zonesIn(recounting.meta, organizationId)) {
    await forgetNonsense(recounting, zoneUsageKey(organizationId, zone), []);
  }
  return await repaired(recounting, async (view) => {
    const sums = await sumsOf(view, await bucketsOf(view));
    const left = await zonesIn(view, organizationId);
    for (const zone of sums.keys()) left.delete(zone);
    const repair = { drifts: [] as Drift[], guards: [] as Guard[], writes: [] as Write[] };
    for (const name of left) {
      const key = zoneUsageKey(organizationId, name);
      const { amounts, revision } = await read(view, key);
      repair.writes.push({ key, value: undefined });
      repair.guards.push({ key, revision });
      const drift = { counter: "zone", name, amounts: negative(amounts) } as const;
      if (isWrong(drift)) repair.drifts.push(drift);
    }
    const adds: Add[] = [];
    for (const [name, sum] of sums) {
      const key = zoneUsageKey(organizationId, name);
      const amounts = difference(sum, (await read(view, key)).amounts);
      const drift = { counter: "zone", name, amounts } as const;
      if (!isWrong(drift)) continue;
      repair.drifts.push(drift);
      adds.push({ key, amounts });
    }
    return { ...repair, adds };
  });
}

/** By zone, as the buckets' own counters have it. Fails: StorageError "corrupt". */
async function sumsOf(
  view: MetaView,
  buckets: readonly Bucket[],
): Promise<Map<string, readonly number[]>> {
  const sums = new Map<string, readonly number[]>();
  for (const { id, name, region } of buckets) {
    const { amounts } = await read(view, usageKey(id));
    if (isNonsense(amounts)) {
      throw new StorageError("corrupt", `the usage counter of bucket "${name}" is damaged`);
    }
    sums.set(region, difference(sums.get(region) ?? [], negative(amounts)));
  }
  return sums;
}

/** What damage has made of a counter cannot be mended by adding to it: then it begins at nothing. */
async function forgetNonsense(
  { meta, clock }: Recounting,
  key: Buffer,
  guards: readonly Guard[],
): Promise<void> {
  const { amounts } = await read(meta, key);
  if (!isNonsense(amounts)) return;
  await meta.commit({ guards, writes: [{ key, value: undefined }, markAt(clock)] });
}

function isNonsense(amounts: readonly number[]): boolean {
  return !amounts.every((amount) => Number.isSafeInteger(amount));
}

/** Makes every other repair look again. */
function markAt(clock: Clock): Write {
  return { key: REPAIR_KEY, value: packJson({ repairedMs: clock.now() }) };
}

interface Repair extends Change {
  readonly drifts: readonly Drift[];
}

async function repaired(
  { meta, clock }: Recounting,
  find: (view: MetaView) => Promise<Repair | undefined>,
): Promise<readonly Drift[] | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    using view = meta.snapshot();
    const last = await view.get(REPAIR_KEY);
    const repair = await find(view);
    if (repair === undefined) return undefined;
    const { drifts, guards, writes, adds = [] } = repair;
    if (writes.length === 0 && adds.length === 0) return drifts;
    const guard = { key: REPAIR_KEY, revision: last?.revision ?? 0 };
    const change = { guards: [guard, ...guards], writes: [markAt(clock), ...writes], adds };
    if ((await meta.commit(change)) !== undefined) return drifts;
  }
  return undefined;
}

async function countBucket(
  view: MetaView,
  { id }: Bucket,
  recounting: Recounting,
): Promise<readonly number[]> {
  let sum = amountsOf([]);
  const add = (changes: readonly UsageChange[]) => {
    sum = difference(sum, negative(amountsOf(changes)));
  };
  const versions = { span: closedSpan("v", id, ""), limit: VERSIONS_AT_ONCE };
  for await (const page of pages(view, versions, recounting)) {
    add(page.map(({ value }) => usageOfVersion(unpackVersion(value).record, 1)));
  }
  const uploads = { span: closedSpan("u", id, ""), limit: RECORDS_AT_ONCE };
  for await (const page of pages(view, uploads, recounting)) {
    for (const { key, value } of page) {
      const { storageClass } = unpackJson<UploadRecord>(value).attributes;
      add([{ storageClass, uploads: 1 }]);
      const uploadId = openClosedKey(Buffer.from(key)).rest.toString("hex");
      const span = { from: partKey(uploadId, 0), to: partKey(uploadId, PART_NUMBER_MAX + 1) };
      for await (const parts of pages(view, { span, limit: RECORDS_AT_ONCE }, recounting)) {
        const sizes = parts.map((part) => unpackJson<PartRecord>(part.value).sizeBytes);
        add(sizes.map((partBytes) => ({ storageClass, partBytes })));
      }
    }
  }
  return sum;
}

interface Pages {
  readonly span: Span;
  readonly limit: number;
}

/** Rests after each page as long as it took, so that requests come first. */
async function* pages(
  view: MetaView,
  { span, limit }: Pages,
  { clock, signal }: Omit<Recounting, "meta">,
) {
  for (let from: Buffer = span.from; ; ) {
    signal?.throwIfAborted();
    const startedMs = clock.now();
    const page = await view.scan({ from, to: span.to, limit });
    yield page;
    const last = page.at(-1);
    if (last === undefined || page.length < limit) return;
    from = afterKey(Buffer.from(last.key));
    await clock.sleep(restAfter(clock.now() - startedMs, BREATH_MS), signal);
  }
}

/** Those that the organization has counters of. */
async function zonesIn(view: MetaView, organizationId: string): Promise<Set<string>> {
  const zones = new Set<string>();
  const { from, to } = zoneUsageSpan(organizationId);
  for (let at = from; ; ) {
    const entries = await view.scan({ from: at, to, limit: RECORDS_AT_ONCE });
    for (const { key } of entries) zones.add(openZoneUsageKey(key).zone);
    const last = entries.at(-1);
    if (last === undefined || entries.length < RECORDS_AT_ONCE) return zones;
    at = afterKey(Buffer.from(last.key));
  }
}

async function read(
  view: MetaView,
  key: Uint8Array,
): Promise<{ readonly amounts: readonly number[]; readonly revision: number }> {
  const entry = await view.get(key);
  if (entry === undefined) return { amounts: [], revision: 0 };
  return { amounts: unpackCounter(entry.value), revision: entry.revision };
}

function difference(first: readonly number[], second: readonly number[]): number[] {
  return amountsOf([]).map((_, index) => (first[index] ?? 0) - (second[index] ?? 0));
}

function negative(amounts: readonly number[]): number[] {
  return amounts.map((amount) => -amount);
}

function isWrong({ amounts }: Drift): boolean {
  return amounts.some((amount) => amount !== 0);
}
