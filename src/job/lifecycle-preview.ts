import type { Clock } from "#base/clock.ts";
import type { Catalog } from "#catalog/catalog.ts";
import { BUCKET_START, type BucketPlace, type Due, duePage } from "#job/lifecycle-page.ts";
import type { Bucket } from "#object/bucket.ts";
import type { Engine } from "#object/engine.ts";

export interface Preview {
  readonly catalog: Catalog;
  readonly engine: Engine;
  readonly clock: Clock;
  /** How long a day of a rule lasts. */
  readonly dayMs: number;
}

/** Something that a sweep would remove now, and the rule that asks for it. */
export type Previewed = Omit<Due, "conditions">;

export interface PreviewPage {
  readonly due: readonly Previewed[];
  /** How many objects, versions and uploads were looked at. */
  readonly examined: number;
  /** undefined at the end of the bucket. */
  readonly next: BucketPlace | undefined;
}

const PAGE = 500;

/** What a sweep of the next few things of the bucket would do now, in its order; nothing is changed. */
export async function previewPage(
  { catalog, engine, clock, dayMs }: Preview,
  bucket: Bucket,
  place: BucketPlace = BUCKET_START,
): Promise<PreviewPage> {
  const rules = await catalog.lifecycle(bucket);
  if (rules.length === 0) return { due: [], examined: 0, next: undefined };
  const scan = { engine, bucket, rules, nowMs: clock.now(), dayMs, limit: PAGE };
  const { due, examined, next } = await duePage(scan, place);
  return { due: due.map(({ conditions: _, ...previewed }) => previewed), examined, next };
}
