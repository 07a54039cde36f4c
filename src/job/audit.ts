import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { adoptBatches, type ReadyBatch, readyBatches, removeBatch } from "#audit/spool.ts";
import { assert } from "#base/assert.ts";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { Bucket } from "#object/bucket.ts";
import type { Engine } from "#object/engine.ts";
import { bucketName, objectKey } from "#object/name.ts";

export interface AuditJob {
  readonly root: string;
  readonly catalog: Catalog;
  readonly engine: Engine;
  readonly clock: Clock;
  /** Of the bucket that an organization's records go to, when it is made. */
  readonly region: string;
  /** Who gets what an organization that was deleted has left; undefined: it was not. */
  readonly heirOf: (organizationId: string) => Promise<string | undefined>;
  /** How long a process keeps a file to itself. */
  readonly batchMs: number;
  readonly count: (delivered: { readonly batches: number; readonly bytes: number }) => void;
  readonly log: Log;
  readonly signal: AbortSignal;
}

const compress = promisify(gzip);
const IDLE_MS = 1_000;
/** A file that has not been written to for this much longer than a batch lasts has lost its process. */
const ABANDONED_MS = 60_000;

/**
 * Delivers audit records into their organization's bucket until the signal, and once more after it. What
 * cannot be delivered stays and is tried again.
 */
export async function runAudit(job: AuditJob): Promise<void> {
  const { clock, signal } = job;
  const deliveries = new Deliveries(job);
  while (!signal.aborted) {
    await deliveries.all();
    await clock.sleep(IDLE_MS, signal).catch(() => undefined);
  }
}

/** Delivers what is ready now. A failure is logged; what is left stays. */
export async function deliverAll(job: AuditJob): Promise<void> {
  await new Deliveries(job).all();
}

/** A failure is logged once for as long as it stays the same: it is tried again each second. */
export class Deliveries {
  readonly #job: AuditJob;
  /** What was told last, by organization; "" for all of them. */
  #told = new Map<string, string>();

  constructor(job: AuditJob) {
    this.#job = job;
  }

  /** Delivers what is ready now. What fails of one organization keeps no other waiting. */
  async all(): Promise<void> {
    const { root, clock, batchMs } = this.#job;
    const failed = new Map<string, unknown>();
    try {
      await adoptBatches(root, { nowMs: clock.now(), idleMs: batchMs + ABANDONED_MS });
      for (const batch of await readyBatches(root)) {
        // Its later ones wait, so that they come in order.
        if (failed.has(batch.organizationId)) continue;
        await deliver(this.#job, batch).catch((cause) => failed.set(batch.organizationId, cause));
      }
    } catch (cause) {
      failed.set("", cause);
    }
    this.#tell(failed);
  }

  #tell(failed: ReadonlyMap<string, unknown>): void {
    const before = this.#told;
    this.#told = new Map([...failed].map(([organization, cause]) => [organization, String(cause)]));
    for (const [organization, cause] of failed) {
      if (before.get(organization) === String(cause)) continue;
      const message = "audit records could not be delivered; they are kept and tried again";
      this.#job.log.error(message, cause, { organization });
    }
  }
}

/** `cw-<organization>-audit-logs`, as CoreWeave names it. */
function auditBucketName(organizationId: string): string {
  return `cw-${organizationId}-audit-logs`;
}

async function deliver(job: AuditJob, batch: ReadyBatch): Promise<void> {
  const { organizationId } = batch;
  const heir = await job.heirOf(organizationId);
  const bucket = await auditBucket(job, heir ?? organizationId);
  const key = heir === undefined ? keyOf(batch) : `deleted/${organizationId}/${keyOf(batch)}`;
  const body = await compress(wholeLines(await readFile(batch.path)));
  await job.engine.put(
    { bucket, key: objectKey(key) },
    {
      body: {
        sizeBytes: body.length,
        chunks: (async function* chunks() {
          yield body;
        })(),
        algorithm: undefined,
        hasSha256: false,
        claims: () => ({ md5: undefined, sha256: undefined, checksum: undefined }),
      },
      attributes: {
        headers: { "content-type": "application/gzip" },
        userMetadata: {},
        tags: [],
        storageClass: "STANDARD",
      },
      conditions: {},
    },
  );
  // A crash before this delivers the same records again, under the same key.
  await removeBatch(batch);
  job.count({ batches: 1, bytes: body.length });
}

/** `data-plane/2026/01/31/23/20260131T235959Z-….ndjson.gz` */
function keyOf({ plane, startedMs, name }: ReadyBatch): string {
  const iso = new Date(startedMs).toISOString();
  const hour = iso.slice(0, 13).replaceAll("-", "/").replace("T", "/");
  const second = `${iso.slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
  return `${plane}/${hour}/${second}-${name.slice(name.indexOf("-") + 1)}.ndjson.gz`;
}

async function auditBucket({ catalog, region }: AuditJob, organizationId: string): Promise<Bucket> {
  const name = bucketName(auditBucketName(organizationId));
  if ((await catalog.find(name)) === undefined) {
    await catalog.create(name, { id: organizationId, region });
  }
  const bucket = await catalog.bucket(name);
  // Nobody can make a bucket of such a name. Should one be another's all the same, they learn nothing.
  assert(bucket.organizationId === organizationId, "an audit bucket is its organization's");
  return bucket;
}

/** A process that was killed may have left half a line at the end. */
function wholeLines(bytes: Buffer): Buffer {
  return bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1);
}
