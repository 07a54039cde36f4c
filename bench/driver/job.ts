import type { Endpoint } from "../client/session.ts";
import type { HistogramData } from "./histogram.ts";

/** What one round of load does: many requests of one kind over keys with running numbers. */
export interface Job {
  readonly kind: "get" | "put" | "delete" | "rename" | "list";
  readonly endpoint: Endpoint;
  readonly bucket: string;
  /** Keys are this text and an eight-digit number. */
  readonly prefix: string;
  readonly first: number;
  readonly count: number;
  /** Takes the numbers in no order from 0 to this, so that each request is at another place of the bucket. */
  readonly scatterOver?: number;
  /** Ends each key. */
  readonly suffix?: string;
  /** Takes so many buckets in turn, which have the name and a number each. */
  readonly buckets?: number;
  /** Of each object; of a list, what its answer has at the least. */
  readonly sizeBytes: number;
  readonly connections: number;
  /** Ends the round after this time; without it each key is used once. */
  readonly seconds?: number | undefined;
  /** Go with each request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the round after so many requests. */
  readonly opsMax?: number | undefined;
}

export interface LoadResult {
  readonly ops: number;
  readonly bytes: number;
  /** From the first request to the last reply. */
  readonly seconds: number;
  readonly cpuUs: number;
  readonly errors: number;
  readonly errorSample?: string | undefined;
  readonly histogram: HistogramData;
}

/** What the benchmark tells a driver process. */
export type Order = { readonly kind: "prepare"; readonly job: Job } | { readonly kind: "go" };

/** What a driver process tells the benchmark. */
export type Report =
  | { readonly kind: "ready" }
  | { readonly kind: "done"; readonly result: LoadResult }
  | { readonly kind: "failed"; readonly message: string };

/** The key of a job's request, by its index. */
export function keyAt(job: Job, index: number): string {
  const number = job.first + index;
  const { prefix, suffix = "", scatterOver } = job;
  const at = scatterOver === undefined ? number : ((number % scatterOver) * SCATTER) % scatterOver;
  return keyOf(prefix, at) + suffix;
}

/** A prime, so that every number comes once before one comes again, however many there are but its multiples. */
const SCATTER = 611_953;

/** The bucket of a job's request, by its index. */
export function bucketAt({ bucket, buckets }: Job, index: number): string {
  return buckets === undefined ? bucket : `${bucket}-${index % buckets}`;
}

export function keyOf(prefix: string, number: number): string {
  return prefix + String(number).padStart(8, "0");
}
