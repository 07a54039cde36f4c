import { text, uint32 } from "#admin/message.ts";
import type { Clock } from "#base/clock.ts";
import { ControlError } from "#base/control-error.ts";

const PAGE_MAX = 1_000;

/** How a list is asked for in pages: by an offset, as CoreWeave has it, or from where the last ended. */
export const pageFields = {
  offset: uint32.optional().describe("how many to leave out first"),
  limit: uint32.optional().describe("1 to 1000, which is also what absence means"),
  pageToken: text
    .optional()
    .describe("the nextPageToken of the answer before, instead of an offset"),
};

export const nextPageToken = text.optional().describe("given when more may follow");

interface Wanted<T> {
  readonly offset?: number | undefined;
  readonly limit?: number | undefined;
  readonly pageToken?: string | undefined;
  /** Only these. */
  readonly keep?: ((item: T) => boolean) | undefined;
}

interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | undefined;
}

/** What is listed: the next items after a place that an earlier page told. */
export type Source<T> = (ask: {
  readonly after: string;
  readonly limit: number;
}) => Promise<Page<T>>;

interface Paged<T> {
  readonly items: readonly T[];
  readonly nextPageToken: string | undefined;
}

/** Fails: InvalidArgument. */
export async function pageOf<T>(
  source: Source<T>,
  wanted: Wanted<T>,
  clock: Clock,
): Promise<Paged<T>> {
  const { offset, pageToken, keep } = wanted;
  const limit = limitOf(wanted);
  const after = placeOf(pageToken);
  if (offset === undefined && keep === undefined) {
    const { items, next } = await source({ after, limit });
    return { items, nextPageToken: next === undefined ? undefined : tokenOf(next) };
  }
  const items: T[] = [];
  let toSkip = offset ?? 0;
  for await (const item of from(source, after, clock)) {
    if (keep?.(item) === false) continue;
    if (toSkip > 0) toSkip -= 1;
    else if (items.push(item) === limit) break;
  }
  return { items, nextPageToken: undefined };
}

/** Fails: InvalidArgument. */
function limitOf({
  offset,
  pageToken,
  limit = PAGE_MAX,
}: Pick<Wanted<never>, "offset" | "pageToken" | "limit">): number {
  if (offset !== undefined && pageToken !== undefined) {
    throw new ControlError("InvalidArgument", "offset: does not go with pageToken");
  }
  if (limit >= 1 && limit <= PAGE_MAX) return limit;
  throw new ControlError("InvalidArgument", `limit: give 1 to ${PAGE_MAX}`);
}

/** All of it. Others get their turn between pages: what is skipped may be much. */
async function* from<T>(source: Source<T>, start: string, clock: Clock): AsyncGenerator<T> {
  for (let after: string | undefined = start; after !== undefined; ) {
    const page: Page<T> = await source({ after, limit: PAGE_MAX });
    yield* page.items;
    after = page.next;
    await clock.sleep(0);
  }
}

function tokenOf(place: string): string {
  return Buffer.from(place).toString("base64url");
}

function placeOf(token: string | undefined): string {
  return token === undefined ? "" : Buffer.from(token, "base64url").toString();
}

/** Of a list that gives rows from a place on: one more is read to know whether more follow. */
export function rowsSource<T extends { readonly id: string }>(
  list: (ask: { readonly after: string; readonly limit: number }) => Promise<readonly T[]>,
): Source<T> {
  return async ({ after, limit }) => {
    const rows = await list({ after, limit: limit + 1 });
    const items = rows.slice(0, limit);
    return { items, next: rows.length > limit ? items.at(-1)?.id : undefined };
  };
}
