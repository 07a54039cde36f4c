import type { Clock } from "#base/clock.ts";
import { S3Error } from "#base/error.ts";
import type { Rates } from "#catalog/organization-limits.ts";
import { Tokens } from "#s3/tokens.ts";

/** Somebody, or something, whose requests are counted together. */
export interface Party {
  /** Its own among all parties. */
  readonly name: string;
  readonly rates: Rates;
}

export interface ThrottleParts {
  readonly clock: Clock;
  /** Over how many processes the rates are divided. */
  readonly workers: number;
  /** How many parties are remembered; whoever was idle for the longest is forgotten first. */
  readonly partiesMax?: number;
}

/** Takes the bytes of an answer. */
type Charge = (bytes: number) => void;

const PARTIES_MAX = 10_000;
/** What may come at once after a pause: as much as the rate gives in this time. */
const BURST_SECONDS = 1;
/** Sums of fractions fall short of the whole. */
const ROUNDING = 1e-9;

/**
 * Holds requests to rates, as they are admitted. A body is not slowed: its bytes become a debt, and no
 * further request is admitted until the rate has paid it.
 */
export class Throttle {
  readonly #clock: Clock;
  readonly #workers: number;
  readonly #partiesMax: number;
  /** In order of use. */
  readonly #levels = new Map<string, Levels>();

  constructor({ clock, workers, partiesMax = PARTIES_MAX }: ThrottleParts) {
    this.#clock = clock;
    this.#workers = workers;
    this.#partiesMax = partiesMax;
  }

  /** One request with a body of `bytes`: at the cost of all its parties, or of none. Fails: SlowDown. */
  admit(parties: readonly Party[], bytes: number): Charge {
    if (parties.length === 0) return free;
    const limiting = parties.filter(({ rates }) => isLimiting(rates));
    const levels = limiting.map((party) => this.#levelsOf(party));
    const waitSeconds = Math.max(0, ...levels.map(waitOf));
    if (waitSeconds > 0) throw slowDown(waitSeconds);
    for (const { requests } of levels) requests?.take(1);
    const charge = (more: number) => {
      for (const level of levels) level.bytes?.take(more);
    };
    charge(bytes);
    return charge;
  }

  #levelsOf({ name, rates }: Party): Levels {
    const { requestsPerSecond, bytesPerSecond } = rates;
    const known = this.#levels.get(name);
    const levels = {
      requests: this.#tokens(known?.requests, requestsPerSecond, 1),
      bytes: this.#tokens(known?.bytes, bytesPerSecond, 0),
    };
    this.#levels.delete(name);
    this.#levels.set(name, levels);
    if (this.#levels.size > this.#partiesMax) {
      for (const oldest of this.#levels.keys()) {
        this.#levels.delete(oldest);
        break;
      }
    }
    return levels;
  }

  #tokens(known: Tokens | undefined, rate: number | undefined, burstMin: number) {
    if (rate === undefined) return undefined;
    const perSecond = rate / this.#workers;
    const max = Math.max(burstMin, perSecond * BURST_SECONDS);
    const tokens = known ?? new Tokens(max, this.#clock.now());
    tokens.rise({ perSecond, max }, this.#clock.now());
    return tokens;
  }
}

interface Levels {
  readonly requests: Tokens | undefined;
  /** Below zero: a debt. */
  readonly bytes: Tokens | undefined;
}

/** Whether anything holds to these rates at all. */
export function isLimiting({ requestsPerSecond, bytesPerSecond }: Rates): boolean {
  return requestsPerSecond !== undefined || bytesPerSecond !== undefined;
}

const free: Charge = () => undefined;

/** 0 when it can be admitted now. */
function waitOf({ requests, bytes }: Levels): number {
  return Math.max(requests?.secondsUntil(1 - ROUNDING) ?? 0, bytes?.secondsUntil(ROUNDING) ?? 0);
}

/** Spec: https://www.rfc-editor.org/rfc/rfc9110#name-retry-after */
function slowDown(waitSeconds: number): S3Error {
  return new S3Error(
    "SlowDown",
    {},
    { headers: { "retry-after": String(Math.ceil(waitSeconds)) } },
  );
}
