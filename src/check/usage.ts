import { asBuffer } from "#base/bytes.ts";
import type { Clock } from "#base/clock.ts";
import { bucketsIn } from "#catalog/catalog.ts";
import type { Found } from "#check/problem.ts";
import { entriesIn, guardOf, spanOf } from "#check/walk.ts";
import { unpackCounter } from "#meta/counter.ts";
import type { Entry, MetaStore, MetaView } from "#meta/store.ts";
import type { Bucket } from "#object/bucket.ts";
import { zoneUsageKey } from "#versioned/keys.ts";
import { type Drift, recountBucket, recountZones } from "#versioned/recount.ts";
import { amountsOf, type UsageChange } from "#versioned/usage.ts";

/** What there is of each bucket, as it is come across. */
export class UsageSums {
  readonly #sums = new Map<string, number[]>();

  add(bucketId: string, change: UsageChange): void {
    const sum = this.#sums.get(bucketId) ?? amountsOf([]);
    addTo(sum, amountsOf([change]));
    this.#sums.set(bucketId, sum);
  }

  of(bucketId: string): readonly number[] {
    return this.#sums.get(bucketId) ?? [];
  }
}

interface Parts {
  readonly meta: MetaStore;
  readonly view: MetaView;
  readonly clock: Clock;
  readonly found: Found;
  readonly buckets: ReadonlyMap<string, Bucket>;
}

/** Holds the counters of buckets and zones against what was come across. */
export async function checkUsage(parts: Parts, sums: UsageSums): Promise<void> {
  const { meta, view, clock, found, buckets } = parts;
  const zones = new Map<string, number[]>();
  for (const bucket of buckets.values()) {
    const zone = zoneUsageKey(bucket.organizationId, bucket.region).toString();
    zones.set(zone, zones.get(zone) ?? amountsOf([]));
    addTo(zones.get(zone) ?? [], sums.of(bucket.id));
  }
  const seen = new Set<string>();
  // A sum that lacks what cannot be read is none to write down.
  const canCount = !found.has("unreadable-record");
  const tell = async (where: string, recount: () => Promise<readonly Drift[] | undefined>) =>
    await found.problem({
      kind: "usage-wrong",
      where,
      repair: canCount ? async () => (await recount()) !== undefined : undefined,
    });
  for await (const entry of entriesIn(view, spanOf("n"))) {
    const id = asBuffer(entry.key).toString("hex", 1);
    const bucket = buckets.get(id);
    seen.add(id);
    if (bucket === undefined) {
      await found.problem({
        kind: "usage-wrong",
        where: `bucket ${id}, which is not there`,
        repair: canCount ? async () => await drop(meta, entry) : undefined,
      });
    } else if (!isSame(unpackCounter(entry.value), sums.of(id))) {
      await tell(`bucket ${bucket.name}`, async () => await recountBucket({ meta, clock }, bucket));
    }
  }
  for (const bucket of buckets.values()) {
    if (seen.has(bucket.id) || isSame([], sums.of(bucket.id))) continue;
    await tell(`bucket ${bucket.name}`, async () => await recountBucket({ meta, clock }, bucket));
  }
  await checkZones(parts, zones, tell);
}

async function checkZones(
  { meta, view, clock }: Parts,
  zones: Map<string, number[]>,
  tell: (where: string, recount: () => Promise<readonly Drift[] | undefined>) => Promise<void>,
): Promise<void> {
  const organizations = new Set<string>();
  for await (const entry of entriesIn(view, spanOf("N"))) {
    const name = asBuffer(entry.key).toString();
    const sum = zones.get(name) ?? [];
    zones.delete(name);
    if (!isSame(unpackCounter(entry.value), sum)) organizations.add(name);
  }
  for (const [name, sum] of zones) if (!isSame([], sum)) organizations.add(name);
  for (const name of organizations) {
    const [organizationId = "", zone = ""] = name.slice(1).split("/");
    const ofAll = async () =>
      await recountZones({ meta, clock }, organizationId, (at) => bucketsIn(at, organizationId));
    await tell(`organization ${organizationId}, zone ${zone}`, ofAll);
  }
}

async function drop(meta: MetaStore, entry: Entry): Promise<boolean> {
  const writes = [{ key: entry.key, value: undefined }];
  return (await meta.commit({ guards: [guardOf(entry)], writes })) !== undefined;
}

/** Amounts that are absent are zero. */
function isSame(first: readonly number[], second: readonly number[]): boolean {
  const length = Math.max(first.length, second.length);
  return Array.from({ length }, (_, at) => at).every(
    (at) => (first[at] ?? 0) === (second[at] ?? 0),
  );
}

function addTo(sum: number[], amounts: readonly number[]): void {
  for (const [at, amount] of amounts.entries()) sum[at] = (sum[at] ?? 0) + amount;
}
