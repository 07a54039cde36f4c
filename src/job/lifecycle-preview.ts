import type { Clock } from "#base/clock.ts";
import type { Catalog } from "#catalog/catalog.ts";
import { BUCKET_START, type BucketPlace, type Due, duePage } from "#job/lifecycle-page.ts";
import type { Engine } from "#object/engine.ts";
import type { BucketName } from "#object/name.ts";

export interface Preview {
  readonly catalog: Catalog;
  readonly engine: Engine;
  readonly clock: Clock;
  /** How long a day of a rule lasts. */
  readonly dayMs: number;
  readonly signal: AbortSignal;
}

/** Something that a sweep would remove now, and the rule that asks for it. */
export type Previewed = Omit<Due, "conditions">;

const PAGE = 500;

/**
 * What a sweep of the bucket would do now, in its order; nothing is changed. It holds one page of the
 * bucket at a time, and reads no further than it is asked: whoever iterates sets the bound.
 *
 * Fails: NoSuchBucket.
 */
export async function* previewLifecycle(
  { catalog, engine, clock, dayMs, signal }: Preview,
  name: BucketName,
): AsyncGenerator<Previewed> {
  const bucket = await catalog.bucket(name);
  const rules = await catalog.lifecycle(bucket);
  const scan = { engine, bucket, rules, nowMs: clock.now(), dayMs, limit: PAGE };
  let place: BucketPlace | undefined = rules.length === 0 ? undefined : BUCKET_START;
  while (place !== undefined) {
    signal.throwIfAborted();
    const page = await duePage(scan, place);
    for (const { conditions: _, ...previewed } of page.due) yield previewed;
    place = page.next;
  }
}
