import type { MetricValue, Registry } from "prom-client";

/** A request that has been answered. Sizes in bytes. */
export interface Answered {
  readonly operation: string;
  readonly status: number;
  readonly received: number;
  readonly sent: number;
  readonly ms: number;
}

/** Of one operation. */
interface Tally {
  /** By HTTP status. */
  readonly requests: Map<number, number>;
  /** Answered within each of SECONDS and not within the one before; the last: within none. */
  readonly within: number[];
  seconds: number;
  received: number;
  sent: number;
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60];

/**
 * What is counted of each request. Plain numbers, made into metrics when they are asked for: a counter of
 * prom-client's looks its labels up anew at each count, which cost a small GET a microsecond.
 *
 * Operations and statuses are few, so that it cannot grow with what clients send.
 */
export class RequestMetrics {
  readonly #tallies = new Map<string, Tally>();

  constructor(registry: Registry) {
    this.#offer(registry, {
      name: "lode_requests_total",
      help: "S3 requests answered, by operation and HTTP status.",
      type: "counter",
      values: (operation, { requests }) =>
        [...requests].map(([status, value]) => ({ labels: { operation, status }, value })),
    });
    this.#offer(registry, {
      name: "lode_request_seconds",
      help: "From the end of a request's headers to the last byte of its answer.",
      type: "histogram",
      values: histogram,
    });
    this.#offer(registry, {
      name: "lode_received_bytes_total",
      help: "Bytes of request bodies, by operation.",
      type: "counter",
      values: (operation, { received: value }) => [{ labels: { operation }, value }],
    });
    this.#offer(registry, {
      name: "lode_sent_bytes_total",
      help: "Bytes of answers' bodies, by operation.",
      type: "counter",
      values: (operation, { sent: value }) => [{ labels: { operation }, value }],
    });
  }

  count({ operation, status, received, sent, ms }: Answered): void {
    const tally = this.#tallies.get(operation) ?? this.#newTally(operation);
    tally.requests.set(status, (tally.requests.get(status) ?? 0) + 1);
    const seconds = ms / 1_000;
    const within = SECONDS.findIndex((bound) => seconds <= bound);
    const at = within < 0 ? SECONDS.length : within;
    tally.within[at] = (tally.within[at] ?? 0) + 1;
    tally.seconds += seconds;
    tally.received += received;
    tally.sent += sent;
  }

  #newTally(operation: string): Tally {
    const within = [...SECONDS, Infinity].map(() => 0);
    const tally = { requests: new Map(), within, seconds: 0, received: 0, sent: 0 };
    this.#tallies.set(operation, tally);
    return tally;
  }

  #offer(registry: Registry, { name, help, type, values }: Offered): void {
    const get = async () => ({
      ...{ name, help, type, aggregator: "sum" },
      values: [...this.#tallies].flatMap(([operation, tally]) => values(operation, tally)),
    });
    // A registry asks no more of a metric; its type names the library's own classes.
    const metric = { name, get, reset: () => this.#tallies.clear() };
    registry.registerMetric(metric as unknown as Parameters<Registry["registerMetric"]>[0]);
  }
}

type Value = MetricValue<string> & { readonly metricName?: string };

interface Offered {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "histogram";
  readonly values: (operation: string, tally: Tally) => readonly Value[];
}

function histogram(operation: string, { within, seconds }: Tally): readonly Value[] {
  let count = 0;
  const buckets = [...SECONDS, "+Inf"].map((le, at) => {
    count += within[at] ?? 0;
    const labels = { le, operation };
    return { labels, value: count, metricName: "lode_request_seconds_bucket" };
  });
  const labels = { operation };
  return [
    ...buckets,
    { labels, value: seconds, metricName: "lode_request_seconds_sum" },
    { labels, value: count, metricName: "lode_request_seconds_count" },
  ];
}
