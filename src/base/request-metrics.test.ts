import assert from "node:assert/strict";
import { test } from "node:test";
import { AggregatorRegistry, Counter, Histogram, Registry } from "prom-client";
import { type Answered, RequestMetrics } from "#base/request-metrics.ts";

const ANSWERED: readonly Answered[] = [
  { operation: "GetObject", status: 200, received: 0, sent: 1024, ms: 0.4 },
  { operation: "GetObject", status: 200, received: 0, sent: 7, ms: 1 },
  { operation: "GetObject", status: 404, received: 0, sent: 300, ms: 2.6 },
  { operation: "PutObject", status: 200, received: 5, sent: 0, ms: 70_000 },
];

/** The same, by the library's own classes. */
function oracle(registry: Registry, answered: readonly Answered[]): void {
  const registers = [registry];
  const requests = new Counter({
    name: "lode_requests_total",
    help: "S3 requests answered, by operation and HTTP status.",
    labelNames: ["operation", "status"],
    registers,
  });
  const seconds = new Histogram({
    name: "lode_request_seconds",
    help: "From the end of a request's headers to the last byte of its answer.",
    labelNames: ["operation"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
    registers,
  });
  const received = new Counter({
    name: "lode_received_bytes_total",
    help: "Bytes of request bodies, by operation.",
    labelNames: ["operation"],
    registers,
  });
  const sent = new Counter({
    name: "lode_sent_bytes_total",
    help: "Bytes of answers' bodies, by operation.",
    labelNames: ["operation"],
    registers,
  });
  for (const { operation, status, ...sizes } of answered) {
    requests.inc({ operation, status });
    seconds.observe({ operation }, sizes.ms / 1_000);
    received.inc({ operation }, sizes.received);
    sent.inc({ operation }, sizes.sent);
  }
}

function ours(registry: Registry, answered: readonly Answered[]): void {
  const metrics = new RequestMetrics(registry);
  for (const each of answered) metrics.count(each);
}

async function shown(
  fill: (registry: Registry, answered: readonly Answered[]) => void,
  answered: readonly Answered[],
): Promise<string[]> {
  const registry = new Registry();
  fill(registry, answered);
  return lines(await registry.metrics());
}

/** Of several processes together, as a supervisor shows them. */
async function summed(
  fill: (registry: Registry, answered: readonly Answered[]) => void,
): Promise<string[]> {
  const processes = [ANSWERED, [], ANSWERED.slice(1)].map((answered) => {
    const registry = new Registry();
    fill(registry, answered);
    return registry.getMetricsAsJSON();
  });
  return lines(await AggregatorRegistry.aggregate(await Promise.all(processes)).metrics());
}

/** Neither the order of lines nor that of labels says anything. */
function lines(text: string): string[] {
  const inOrder = (_: string, labels: string) => `{${labels.split(",").sort().join(",")}}`;
  return text
    .split("\n")
    .map((line) => line.replace(/\{(.*)\}/, inOrder))
    .sort();
}

test("what is counted is shown as prom-client's own metrics show it", async () => {
  for (const answered of [[], ANSWERED]) {
    assert.deepEqual(await shown(ours, answered), await shown(oracle, answered));
  }
});

test("the counts of several processes come together as prom-client's own do", async () => {
  assert.deepEqual(await summed(ours), await summed(oracle));
});
