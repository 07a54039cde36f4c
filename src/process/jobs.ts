import { systemClock } from "#base/clock.ts";
import type { Keyring } from "#base/keyring.ts";
import type { Log } from "#base/log.ts";
import type { Metrics } from "#base/metrics.ts";
import { randomHex } from "#base/random.ts";
import type { BlobStore } from "#blob/store.ts";
import { Catalog } from "#catalog/catalog.ts";
import { openIdentities } from "#catalog/identities.ts";
import { JobOrders } from "#catalog/job-orders.ts";
import { JobPlace } from "#catalog/job-place.ts";
import { Organizations } from "#catalog/organizations.ts";
import { ENGINE_LIMITS } from "#compose.ts";
import type { Config } from "#config.ts";
import { runAccessKeys } from "#job/access-keys.ts";
import { type AuditJob, deliverAll, runAudit } from "#job/audit.ts";
import { runGarbage } from "#job/garbage.ts";
import { runLifecycle } from "#job/lifecycle.ts";
import { runOrphans } from "#job/orphans.ts";
import { runRecount } from "#job/recount.ts";
import type { Running } from "#job/running.ts";
import { runScrub } from "#job/scrub.ts";
import { SCRUB, type ScrubSettings } from "#job/scrub-record.ts";
import { runVolumes } from "#job/volumes.ts";
import type { MetaStore } from "#meta/store.ts";
import { DAY_MS } from "#object/lifecycle-due.ts";
import { watchDirectory } from "#process/directory-watch.ts";
import type { Fleet } from "#process/fleet.ts";
import { endSoon } from "#process/last-words.ts";
import { OpenVolumes } from "#process/open-volumes.ts";
import { VersionedEngine } from "#versioned/engine.ts";
import type { Stores } from "#versioned/store.ts";

export interface Jobs {
  /** Where audit records wait. */
  readonly audit: string;
  readonly metadata: string;
  readonly meta: MetaStore;
  readonly blobs: BlobStore;
  readonly keyring: Keyring;
  readonly fleet: Fleet;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly running: Running;
  readonly firstOrganizationId: string;
}

/** What goes on beside the requests, until the signal. Each is known by its name while it does. */
export async function runJobs(config: Config, jobs: Jobs): Promise<void> {
  const { meta, blobs, keyring, log, running } = jobs;
  const stores = { meta, blobs, keyring, clock: systemClock, limits: ENGINE_LIMITS };
  const catalog = new Catalog(meta, systemClock);
  const engine = new VersionedEngine(stores);
  const volumes = new OpenVolumes(systemClock, log);
  const parts: Parts = { ...jobs, config, stores, catalog, engine, volumes };
  const named = Object.entries(JOBS);
  await Promise.all(named.map(([name, job]) => running.while(name, async () => await job(parts))));
  await running.while("the closing of volumes", async () => await volumes[Symbol.asyncDispose]());
}

const JOBS: Readonly<Record<string, (parts: Parts) => Promise<void>>> = {
  "the watch over the data directory": watchMetadata,
  "the sweep and the digests of volumes": sweepVolumes,
  "the garbage": collectGarbage,
  "the orphaned blobs": removeOrphans,
  "the lifecycle rules": expire,
  "the recount": recount,
  "the scrub": readAgain,
  "the delivery of audit records": deliverAudit,
  "the access keys that ended": forgetAccessKeys,
};

interface Parts extends Jobs {
  readonly config: Config;
  readonly stores: Stores;
  readonly catalog: Catalog;
  readonly engine: VersionedEngine;
  readonly volumes: OpenVolumes;
}

async function watchMetadata({ metadata, log, signal }: Parts): Promise<void> {
  await watchDirectory({ path: metadata, clock: systemClock, gone: endSoon(log, 2), signal });
}

async function sweepVolumes(parts: Parts): Promise<void> {
  const { catalog, volumes, metrics, log, running, signal } = parts;
  await runVolumes({
    catalog,
    volumeOf: volumes.of,
    clock: systemClock,
    count: ({ uploads, leftovers, records }) => {
      metrics.volumeSwept.inc({ what: "uploads" }, uploads);
      metrics.volumeSwept.inc({ what: "leftovers" }, leftovers);
      metrics.volumeSwept.inc({ what: "records" }, records);
    },
    ...{ log, running, signal },
  });
}

async function collectGarbage(parts: Parts): Promise<void> {
  const { config, stores, fleet, metrics, log, signal } = parts;
  await runGarbage({
    stores,
    graceMs: config.garbageGraceSeconds * 1_000,
    oldestReadMs: async () => await fleet.oldestMs(),
    log,
    count: (collected) => {
      metrics.garbageEntries.inc(collected.entries);
      metrics.garbageBlobs.inc(collected.blobs);
    },
    signal,
  });
}

async function removeOrphans({ stores, fleet, metrics, log, signal }: Parts): Promise<void> {
  const oldestMs = async () => await fleet.oldestMs();
  const count = (removed: number) => metrics.orphanBlobs.inc(removed);
  await runOrphans({ stores, oldestMs, count, log, signal });
}

async function expire({
  config,
  meta,
  catalog,
  engine,
  metrics,
  log,
  signal,
}: Parts): Promise<void> {
  await runLifecycle({
    place: new JobPlace(meta, systemClock, "lifecycle"),
    holder: randomHex(8),
    catalog,
    engine,
    clock: systemClock,
    dayMs: config.lifecycleDaySeconds * 1_000,
    metrics: metrics.lifecycle,
    log,
    signal,
  });
}

async function recount({ meta, catalog, metrics, log, signal }: Parts): Promise<void> {
  await runRecount({
    meta,
    catalog,
    organizations: new Organizations(meta, systemClock),
    place: new JobPlace(meta, systemClock, "recount"),
    holder: randomHex(8),
    clock: systemClock,
    found: ({ counter, name, amounts }) => {
      metrics.usage.repairs.inc({ counter });
      log.warn("a counter of usage was put right", { counter, name, added: String(amounts) });
    },
    failed: (what, cause) => log.error("usage could not be counted again", cause, { what }),
    log,
    signal,
  });
}

async function readAgain(parts: Parts): Promise<void> {
  const { config, meta, blobs, catalog, metrics, log, signal } = parts;
  await runScrub({
    ...{ meta, blobs, catalog, log, signal, ...scrubSettings(config) },
    place: new JobPlace(meta, systemClock, SCRUB),
    orders: new JobOrders(meta, SCRUB),
    holder: randomHex(8),
    clock: systemClock,
    metrics: metrics.scrub,
  });
}

export function scrubSettings({ scrubIntervalDays, scrubMibPerSecond }: Config): ScrubSettings {
  return { intervalMs: scrubIntervalDays * DAY_MS, bytesPerSecond: scrubMibPerSecond * 2 ** 20 };
}

async function forgetAccessKeys({ meta, keyring, log, signal }: Parts): Promise<void> {
  const { keys } = openIdentities({ meta, keyring, clock: systemClock });
  await runAccessKeys({ keys, clock: systemClock, log, signal });
}

async function deliverAudit(parts: Parts): Promise<void> {
  await runAudit(auditJob(parts.config, parts));
}

/** Delivers what processes handed over as they ended. */
export async function deliverLeft(config: Config, jobs: Jobs): Promise<void> {
  const { meta, blobs, keyring } = jobs;
  const stores = { meta, blobs, keyring, clock: systemClock, limits: ENGINE_LIMITS };
  const catalog = new Catalog(meta, systemClock);
  const engine = new VersionedEngine(stores);
  await deliverAll(auditJob(config, { ...jobs, catalog, engine }));
}

function auditJob(config: Config, parts: Pick<Parts, keyof Jobs | "catalog" | "engine">): AuditJob {
  const { audit, meta, catalog, engine, metrics, log, signal, firstOrganizationId } = parts;
  const organizations = new Organizations(meta, systemClock);
  return {
    root: audit,
    heirOf: async (id) => ((await organizations.isDeleted(id)) ? firstOrganizationId : undefined),
    catalog,
    engine,
    clock: systemClock,
    region: config.region,
    batchMs: config.auditBatchSeconds * 1_000,
    count: ({ batches, bytes }) => {
      metrics.audit.batches.inc(batches);
      metrics.audit.bytes.inc(bytes);
    },
    log,
    signal,
  };
}
