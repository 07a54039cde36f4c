import type { Clock } from "#base/clock.ts";
import { ControlError } from "#base/control-error.ts";
import { type Recounter, recountOne, recountOrganization } from "#job/recount.ts";
import type { BucketName } from "#object/name.ts";
import type { Drift } from "#versioned/recount.ts";

/** What is counted: a bucket, or all buckets of the organization. */
export interface RecountAsk {
  readonly organizationId: string;
  readonly bucket?: BucketName | undefined;
}

export interface RecountReport extends RecountAsk {
  readonly startedMs: number;
  /** undefined while it goes on. */
  readonly endedMs: number | undefined;
  /** What was wrong, and has been put right. */
  readonly drifts: readonly Drift[];
  /** What could not be counted. */
  readonly failures: readonly string[];
}

export type RecountsParts = Pick<Recounter, "meta" | "catalog" | "clock"> & {
  readonly signal?: AbortSignal | undefined;
  readonly report: (cause: unknown) => void;
};

/** So many differences and failures are told. */
const TOLD_MAX = 1_000;

/** Recounts that somebody asks for: one at a time. */
export class Recounts {
  readonly #parts: RecountsParts;
  readonly #clock: Clock;
  #last: Report | undefined;

  constructor(parts: RecountsParts) {
    this.#parts = parts;
    this.#clock = parts.clock;
  }

  /** The one that goes on, else the last one. */
  get last(): RecountReport | undefined {
    return this.#last;
  }

  /**
   * Begins one, or joins the same one. Resolves at its end, or after `waitMs` while it goes on.
   * Fails: FailedPrecondition while another one goes on.
   */
  async run(ask: RecountAsk, waitMs: number): Promise<RecountReport> {
    const last = this.#last;
    const goesOn = last !== undefined && last.endedMs === undefined;
    if (goesOn && !last.isOf(ask)) {
      throw new ControlError("FailedPrecondition", "another recount goes on: wait for its end");
    }
    const report = goesOn ? last : this.#begin(ask);
    await this.wait(waitMs);
    return report;
  }

  /** Resolves at the end of the one that goes on, or after `waitMs`. */
  async wait(waitMs: number): Promise<void> {
    const ended = this.#last?.ended ?? Promise.resolve();
    await Promise.race([ended, this.#clock.sleep(waitMs, this.#parts.signal)]);
  }

  #begin(ask: RecountAsk): Report {
    const report = new Report(ask, this.#clock.now());
    const { meta, catalog, clock, signal } = this.#parts;
    const recounter: Recounter = {
      ...{ meta, catalog, clock, signal },
      found: (drift) => report.found(drift),
      failed: (what, cause) => {
        report.failed(what);
        this.#parts.report(cause);
      },
    };
    const counted =
      ask.bucket === undefined
        ? recountOrganization(recounter, ask.organizationId)
        : recountOne(recounter, ask.bucket);
    report.ended = counted
      .catch((cause) => {
        if (signal?.aborted !== true) recounter.failed("the rest", cause);
      })
      .then(() => report.end(this.#clock.now()));
    this.#last = report;
    return report;
  }
}

class Report implements RecountReport {
  readonly organizationId: string;
  readonly bucket: BucketName | undefined;
  readonly startedMs: number;
  readonly drifts: Drift[] = [];
  readonly failures: string[] = [];
  endedMs: number | undefined;
  ended: Promise<void> | undefined;

  constructor({ organizationId, bucket }: RecountAsk, startedMs: number) {
    this.organizationId = organizationId;
    this.bucket = bucket;
    this.startedMs = startedMs;
  }

  isOf({ organizationId, bucket }: RecountAsk): boolean {
    return this.organizationId === organizationId && this.bucket === bucket;
  }

  found(drift: Drift): void {
    if (this.drifts.length < TOLD_MAX) this.drifts.push(drift);
  }

  failed(what: string): void {
    if (this.failures.length < TOLD_MAX) this.failures.push(what);
  }

  end(nowMs: number): void {
    this.endedMs = nowMs;
  }
}
