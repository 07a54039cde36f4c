import type { Fleet } from "./driver/fleet.ts";
import type { Ledger } from "./ledger.ts";
import type { Scale } from "./scale.ts";
import type { Target } from "./target/target.ts";

/** What a row needs to be measured. */
export interface Bench {
  /** The first one is compared with the baselines. */
  readonly targets: readonly Target[];
  readonly fleet: Fleet;
  readonly scale: Scale;
  readonly ledger: Ledger;
  readonly workers: number;
  /** A directory of this run's own, on the disk under measurement. */
  readonly directory: string;
}
