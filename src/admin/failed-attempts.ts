import { isIPv4 } from "node:net";
import type { Clock } from "#base/clock.ts";
import { ControlError } from "#base/control-error.ts";

interface Failures {
  readonly count: number;
  /** Until then they are remembered, and an address that has too many is refused. */
  readonly endMs: number;
}

const FAILURES_MAX = 20;
const WINDOW_MS = 60_000;
/** Then the address that was quiet for longest is forgotten. */
const ADDRESSES_MAX = 10_000;

/**
 * Slows down whoever guesses tokens: an address from which 20 were wrong, none of them a minute after
 * the one before, is refused for a minute, with right ones too.
 */
export class FailedAttempts {
  readonly #clock: Clock;
  readonly #failures = new Map<string, Failures>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Fails: ResourceExhausted. */
  requireFew(address: string): void {
    const known = this.#known(address);
    if (known === undefined || known.count < FAILURES_MAX) return;
    const seconds = Math.ceil((known.endMs - this.#clock.now()) / 1_000);
    const message = `too many wrong tokens came from this address: wait ${seconds} seconds`;
    throw new ControlError("ResourceExhausted", message, { retryAfterSeconds: seconds });
  }

  failed(address: string): void {
    const count = (this.#known(address)?.count ?? 0) + 1;
    const block = blockOf(address);
    // Again at the end of the order, where the youngest stand.
    this.#failures.delete(block);
    this.#failures.set(block, { count, endMs: this.#clock.now() + WINDOW_MS });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > ADDRESSES_MAX && oldest !== undefined) this.#failures.delete(oldest);
  }

  #known(address: string): Failures | undefined {
    const known = this.#failures.get(blockOf(address));
    return known !== undefined && known.endMs > this.#clock.now() ? known : undefined;
  }
}

/** Of IPv6 the 64 bits that one customer has whole: single addresses would never come to an end. */
function blockOf(address: string): string {
  if (isIPv4(address) || address.includes(".")) return address;
  // It writes an address without zeros that may be left out, but for one row of them.
  const [head = "", tail] = new URL(`http://[${address.split("%", 1)[0]}]`).hostname
    .slice(1, -1)
    .split("::", 2);
  const first = head === "" ? [] : head.split(":");
  const zeros = tail === undefined ? 0 : 8 - first.length - tail.split(":").filter(Boolean).length;
  const groups = [...first, ...Array.from({ length: zeros }, () => "0")];
  return `${groups.slice(0, 4).join(":")}::/64`;
}
