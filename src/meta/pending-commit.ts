import type { Change } from "#meta/store.ts";

/** A change that waits to be committed, and whoever waits for it. */
export interface PendingCommit {
  readonly change: Change;
  readonly resolve: (sequence: number | undefined) => void;
  readonly reject: (cause: unknown) => void;
}
