import type { Clock } from "#base/clock.ts";
import type { JobOrders } from "#catalog/job-orders.ts";
import type { JobPlace } from "#catalog/job-place.ts";
import {
  lastWhole,
  type ScrubPass,
  type ScrubRecord,
  type ScrubSettings,
  scrubEarlyMs,
} from "#job/scrub-record.ts";

export interface ScrubStatus {
  /** off: none begins by itself. */
  readonly state: "running" | "waiting" | "paused" | "off";
  /** The one that has begun and not ended. */
  readonly current: ScrubPass | undefined;
  readonly last: ScrubPass | undefined;
  /** When the next one begins; undefined while one goes on, or when none does. */
  readonly nextMs: number | undefined;
}

interface ScrubsParts extends ScrubSettings {
  readonly place: JobPlace<ScrubRecord>;
  readonly orders: JobOrders;
  readonly clock: Clock;
}

/** The scrub as an operator sees it. The job sees an order within ten seconds. */
export class Scrubs {
  readonly #parts: ScrubsParts;

  constructor(parts: ScrubsParts) {
    this.#parts = parts;
  }

  async status(): Promise<ScrubStatus> {
    const { place, orders, clock, intervalMs } = this.#parts;
    const record = await place.read();
    const { paused, asked } = await orders.read();
    const nowMs = clock.now();
    const earlyMs = asked ? 0 : scrubEarlyMs(record, { intervalMs, nowMs });
    const isDue = earlyMs === 0;
    return {
      state: stateOf(paused, earlyMs),
      current: record !== undefined && record.endedMs === undefined ? record : undefined,
      last: lastWhole(record),
      nextMs: paused || isDue || earlyMs === undefined ? undefined : nowMs + earlyMs,
    };
  }

  /** Has everything read now; one that has begun goes on. */
  async start(): Promise<void> {
    await this.#parts.orders.give({ asked: true, paused: false });
  }

  async pause(): Promise<void> {
    await this.#parts.orders.give({ paused: true });
  }

  async resume(): Promise<void> {
    await this.#parts.orders.give({ paused: false });
  }
}

function stateOf(paused: boolean, earlyMs: number | undefined): ScrubStatus["state"] {
  if (paused) return "paused";
  if (earlyMs === undefined) return "off";
  return earlyMs === 0 ? "running" : "waiting";
}
