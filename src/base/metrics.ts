import { Counter, Gauge, Registry } from "prom-client";
import { RequestMetrics } from "#base/request-metrics.ts";

/** What the sweeps of lifecycle rules do. */
export class LifecycleMetrics {
  readonly actions: Counter<"action">;
  readonly examined: Counter<string>;
  readonly left: Counter<string>;
  readonly failures: Counter<string>;
  readonly buckets: Gauge<string>;
  readonly running: Gauge<string>;
  readonly ended: Gauge<string>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.actions = new Counter({
      name: "lode_lifecycle_actions_total",
      help: "What lifecycle rules removed: expired, noncurrent, markers, uploads.",
      labelNames: ["action"],
      registers,
    });
    this.examined = new Counter({
      name: "lode_lifecycle_examined_total",
      help: "Objects, versions and uploads that lifecycle sweeps have looked at.",
      registers,
    });
    this.left = new Counter({
      name: "lode_lifecycle_left_total",
      help: "What a sweep left for the next one, since it was changed at that moment.",
      registers,
    });
    this.failures = new Counter({
      name: "lode_lifecycle_failures_total",
      help: "Buckets that a sweep could not finish; the log says why.",
      registers,
    });
    this.buckets = new Gauge({
      name: "lode_lifecycle_sweep_buckets",
      help: "Buckets that this sweep, or the last one, has finished since the process took it up.",
      registers,
    });
    this.running = new Gauge({
      name: "lode_lifecycle_sweep_running",
      help: "1 while a lifecycle sweep is under way.",
      registers,
    });
    this.ended = new Gauge({
      name: "lode_lifecycle_sweep_ended_seconds",
      help: "When the last lifecycle sweep came to its end, in seconds since 1970.",
      registers,
    });
  }
}

/** What the scrub reads and finds. */
export class ScrubMetrics {
  readonly bytes: Counter<string>;
  readonly blobs: Counter<string>;
  readonly records: Counter<string>;
  readonly found: Counter<"kind">;
  readonly damaged: Gauge<string>;
  readonly running: Gauge<string>;
  readonly started: Gauge<string>;
  readonly ended: Gauge<string>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.bytes = new Counter({
      name: "lode_scrub_bytes_total",
      help: "Bytes that scrubs have read, of blobs and of records.",
      registers,
    });
    this.blobs = new Counter({
      name: "lode_scrub_blobs_total",
      help: "Blobs that scrubs have read to the end.",
      registers,
    });
    this.records = new Counter({
      name: "lode_scrub_records_total",
      help: "Heads, versions, uploads and parts that scrubs have looked at.",
      registers,
    });
    this.found = new Counter({
      name: "lode_scrub_found_total",
      help: "Damage that scrubs have found; the log says where.",
      labelNames: ["kind"],
      registers,
    });
    this.damaged = new Gauge({
      name: "lode_scrub_damaged",
      help: "What the last whole scrub found damaged, or the one that goes on when that is more.",
      registers,
    });
    this.running = new Gauge({
      name: "lode_scrub_running",
      help: "1 while a scrub is under way.",
      registers,
    });
    this.started = new Gauge({
      name: "lode_scrub_started_seconds",
      help: "When the scrub that goes on, or the last one, began, in seconds since 1970.",
      registers,
    });
    this.ended = new Gauge({
      name: "lode_scrub_ended_seconds",
      help: "When the last whole scrub came to its end, in seconds since 1970.",
      registers,
    });
  }
}

/** What organizations hold, and may hold. */
export class UsageMetrics {
  readonly bytes: Gauge<"organization" | "zone" | "class">;
  readonly quotaBytes: Gauge<"organization" | "zone" | "class">;
  readonly repairs: Counter<"counter">;

  constructor(registry: Registry) {
    const registers = [registry];
    const labelNames = ["organization", "zone", "class"] as const;
    this.bytes = new Gauge({
      name: "lode_usage_bytes",
      help: "What an organization holds in a zone, of a storage class, parts of unfinished uploads too.",
      labelNames,
      registers,
    });
    this.quotaBytes = new Gauge({
      name: "lode_quota_bytes",
      help: "What it may hold there, where a quota is set.",
      labelNames,
      registers,
    });
    this.repairs = new Counter({
      name: "lode_usage_repairs_total",
      help: "Counters of usage that a recount found wrong and put right: bucket, zone.",
      labelNames: ["counter"],
      registers,
    });
  }
}

/** What becomes of audit records. */
export class AuditMetrics {
  readonly batches: Counter<string>;
  readonly bytes: Counter<string>;
  readonly lost: Counter<string>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.batches = new Counter({
      name: "lode_audit_batches_total",
      help: "Files of audit records that were delivered.",
      registers,
    });
    this.bytes = new Counter({
      name: "lode_audit_bytes_total",
      help: "Their bytes, compressed.",
      registers,
    });
    this.lost = new Counter({
      name: "lode_audit_lost_total",
      help: "Audit records that could not be kept; the log says why.",
      registers,
    });
  }
}

function volumeSwept(registry: Registry): Counter<"what"> {
  return new Counter({
    name: "lode_volume_swept_total",
    help: "What was cleared away on volumes: uploads, leftovers, records.",
    labelNames: ["what"],
    registers: [registry],
  });
}

/** Every metric of one process, in one table. `lode_` precedes each name. */
export class Metrics {
  readonly registry = new Registry();
  readonly controlCalls: Counter<"operation" | "status">;
  readonly failures: Counter<string>;
  readonly connections: Gauge<string>;
  readonly commits: Counter<"outcome">;
  readonly garbageEntries: Counter<string>;
  readonly garbageBlobs: Counter<string>;
  readonly orphanBlobs: Counter<string>;
  readonly audit: AuditMetrics;
  readonly volumeSwept: Counter<"what">;
  readonly lifecycle = new LifecycleMetrics(this.registry);
  readonly scrub = new ScrubMetrics(this.registry);
  readonly usage = new UsageMetrics(this.registry);
  readonly requests = new RequestMetrics(this.registry);

  constructor() {
    const registers = [this.registry];
    this.controlCalls = new Counter({
      name: "lode_control_calls_total",
      help: "Calls of the control API answered, by operation and HTTP status.",
      labelNames: ["operation", "status"],
      registers,
    });
    this.failures = new Counter({
      name: "lode_internal_failures_total",
      help: "Requests that failed by a fault of the server or its disks.",
      registers,
    });
    this.connections = new Gauge({
      name: "lode_open_connections",
      help: "Open connections to the S3 listener.",
      registers,
    });
    this.commits = new Counter({
      name: "lode_metadata_commits_total",
      help: "Commits to the metadata store: applied, refused (another write came first), failed.",
      labelNames: ["outcome"],
      registers,
    });
    this.garbageEntries = new Counter({
      name: "lode_garbage_entries_total",
      help: "Discarded contents and uploads that were cleared away.",
      registers,
    });
    this.audit = new AuditMetrics(this.registry);
    this.volumeSwept = volumeSwept(this.registry);
    this.orphanBlobs = new Counter({
      name: "lode_orphan_blobs_total",
      help: "Blobs that a crash had left without a record, and that were removed.",
      registers,
    });
    this.garbageBlobs = new Counter({
      name: "lode_garbage_blobs_total",
      help: "Blobs that were removed because nothing refers to them.",
      registers,
    });
  }
}
