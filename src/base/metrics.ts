import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** Every metric of one process, in one table. `lode_` precedes each name. */
export class Metrics {
  readonly registry = new Registry();
  readonly requests: Counter<"operation" | "status">;
  readonly seconds: Histogram<"operation">;
  readonly receivedBytes: Counter<"operation">;
  readonly sentBytes: Counter<"operation">;
  readonly failures: Counter<string>;
  readonly connections: Gauge<string>;
  readonly commits: Counter<"outcome">;
  readonly garbageEntries: Counter<string>;
  readonly garbageBlobs: Counter<string>;

  constructor() {
    const registers = [this.registry];
    this.requests = new Counter({
      name: "lode_requests_total",
      help: "S3 requests answered, by operation and HTTP status.",
      labelNames: ["operation", "status"],
      registers,
    });
    this.seconds = new Histogram({
      name: "lode_request_seconds",
      help: "From the end of a request's headers to the last byte of its answer.",
      labelNames: ["operation"],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
      registers,
    });
    this.receivedBytes = new Counter({
      name: "lode_received_bytes_total",
      help: "Bytes of request bodies, by operation.",
      labelNames: ["operation"],
      registers,
    });
    this.sentBytes = new Counter({
      name: "lode_sent_bytes_total",
      help: "Bytes of answers' bodies, by operation.",
      labelNames: ["operation"],
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
    this.garbageBlobs = new Counter({
      name: "lode_garbage_blobs_total",
      help: "Blobs that were removed because nothing refers to them.",
      registers,
    });
  }
}
