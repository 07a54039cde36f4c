import { asBuffer } from "#base/bytes.ts";
import type { Clock } from "#base/clock.ts";
import { StorageError } from "#base/error.ts";
import { randomHex } from "#base/random.ts";
import type { Entry, MetaStore, MetaView } from "#meta/store.ts";
import { holdKey, holdSpan, ID_BYTES } from "#versioned/keys.ts";
import { type HoldRecord, packJson, unpackJson } from "#versioned/record.ts";

/** Whoever says nothing for so long is taken for dead. */
const LEASE_MS = 10 * 60 * 1_000;
const RENEW_MS = 60 * 1_000;
const HOLDS_MAX = 1_000;

/**
 * While it stands, no blob is thrown away that was held when it was taken or is held later: whoever
 * copies a snapshot finds the blobs of it. Nothing else is hindered.
 */
export class Hold implements AsyncDisposable {
  readonly #meta: MetaStore;
  readonly #clock: Clock;
  readonly #key: Buffer;
  readonly #stop = new AbortController();
  readonly #renewing: Promise<void>;
  #failure: unknown;

  private constructor(meta: MetaStore, clock: Clock, key: Buffer) {
    this.#meta = meta;
    this.#clock = clock;
    this.#key = key;
    this.#renewing = this.#renew();
  }

  static async take(meta: MetaStore, clock: Clock): Promise<Hold> {
    const key = holdKey(randomHex(ID_BYTES));
    await write(meta, clock, key);
    return new Hold(meta, clock, key);
  }

  /** Fails: as the store does, when it could not be kept. */
  requireKept(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#renewing;
    await this.#meta.commit({ guards: [], writes: [{ key: this.#key, value: undefined }] });
  }

  async #renew(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted && this.#failure === undefined) {
      await this.#clock.sleep(RENEW_MS, signal).catch(() => undefined);
      if (signal.aborted) return;
      await write(this.#meta, this.#clock, this.#key).catch((cause: unknown) => {
        this.#failure = cause;
      });
    }
  }
}

async function write(meta: MetaStore, clock: Clock, key: Buffer): Promise<void> {
  const record: HoldRecord = { untilMs: clock.now() + LEASE_MS };
  await meta.commit({ guards: [], writes: [{ key, value: packJson(record) }] });
}

/**
 * Whether anybody has a hold now. Clears away those of the dead. One that lasts longer than any that is taken
 * now is of a clock that was set back since: it lasts as long as those from now on, unless it is renewed.
 * Fails: StorageError "corrupt" for one that cannot be read: it may be somebody's.
 */
export async function isHeld(meta: MetaStore, nowMs: number): Promise<boolean> {
  const holds = await holdsIn(meta);
  const latest: HoldRecord = { untilMs: nowMs + LEASE_MS };
  for (const { guard, untilMs } of holds) {
    if (untilMs >= nowMs && untilMs <= latest.untilMs) continue;
    const value = untilMs < nowMs ? undefined : packJson(latest);
    await meta.commit({ guards: [guard], writes: [{ key: guard.key, value }] });
  }
  return holds.some(({ untilMs }) => untilMs >= nowMs);
}

async function holdsIn(meta: MetaView) {
  const entries = await meta.scan({ ...holdSpan(), limit: HOLDS_MAX });
  return entries.map((entry) => {
    const { key, revision } = entry;
    return { guard: { key, revision }, untilMs: named(entry).untilMs };
  });
}

/** Fails: StorageError "corrupt". */
export function readHold(value: Uint8Array): HoldRecord {
  const record = unpackJson<HoldRecord>(value);
  if (Number.isFinite(record.untilMs)) return record;
  throw new StorageError("corrupt", "a hold says no time");
}

/** The same, and whoever reads the failure knows what to do. */
function named({ key, value }: Entry): HoldRecord {
  try {
    return readHold(value);
  } catch (cause) {
    const name = asBuffer(key).toString("hex");
    const message = `the hold ${name} cannot be read, and until it is gone nothing is thrown away: "lode check --online --repair" removes it`;
    throw new StorageError("corrupt", message, cause);
  }
}
