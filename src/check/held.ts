import type { Clock } from "#base/clock.ts";
import type { BlobStore } from "#blob/store.ts";
import type { Found, Problem } from "#check/problem.ts";
import { lotOf, Tally } from "#check/tally.ts";
import {
  entriesIn,
  garbageIn,
  guardOf,
  type Holder,
  holdersIn,
  manifestIn,
  partsIn,
  spanOf,
} from "#check/walk.ts";
import type { Guard, MetaStore, MetaView, Write } from "#meta/store.ts";
import { ID_BYTES, referenceKey, referenceSpan } from "#versioned/keys.ts";
import { garbageWrite } from "#versioned/plan.ts";
import type { GarbageRecord } from "#versioned/record.ts";

/** So many are in memory at once, where the two sides differ. */
const ITEMS_AT_ONCE = 200_000;

interface Parts {
  readonly meta: MetaStore;
  readonly view: MetaView;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly found: Found;
}

/**
 * Holds references, manifests, parts, their counters and tokens of renames against who holds them. An item
 * is a letter, as that of its key, and the rest of its key in hex. Resolves to how many references
 * there are.
 */
export async function checkHeld(parts: Parts): Promise<number> {
  const tally = new Tally();
  let references = 0;
  for await (const { item } of thereIn(parts.view)) {
    tally.add("there", item);
    if (item.startsWith("r")) references += 1;
  }
  for await (const { item } of dueIn(parts.view)) tally.add("due", item);
  for (const lots of tally.differing(ITEMS_AT_ONCE)) await compare(parts, lots);
  return references;
}

interface There {
  readonly item: string;
  readonly guard: Guard;
}

interface Due {
  readonly item: string;
  /** Absent: what garbage names may be gone. */
  readonly holder?: Holder;
}

async function* thereIn(view: MetaView): AsyncGenerator<There> {
  for (const letter of ["c", "m", "r", "t"]) {
    for await (const entry of entriesIn(view, spanOf(letter))) {
      yield { item: itemOf(entry.key), guard: guardOf(entry) };
    }
  }
  let last = "";
  for await (const entry of entriesIn(view, spanOf("p"))) {
    const item = itemOf(entry.key.subarray(0, 1 + ID_BYTES));
    if (item !== last) yield { item, guard: guardOf(entry) };
    last = item;
  }
}

function itemOf(key: Uint8Array): string {
  const bytes = Buffer.from(key);
  return `${bytes.toString("latin1", 0, 1)}${bytes.toString("hex", 1)}`;
}

async function* dueIn(view: MetaView): AsyncGenerator<Due> {
  for await (const holder of holdersIn(view)) {
    for (const item of itemsOf(holder)) yield { item, holder };
  }
  for await (const garbage of garbageIn(view)) {
    const keys = "value" in garbage ? (garbage.value.records ?? []) : [];
    const tokens = keys.filter((key) => key.startsWith(TOKEN));
    for (const key of tokens) yield { item: itemOf(Buffer.from(key, "hex")) };
  }
}

function* itemsOf({ contentId, blobs, hasManifest, hasParts }: Holder): Iterable<string> {
  for (const blob of blobs) yield `r${blob}${contentId}`;
  if (hasManifest) yield `m${contentId}`;
  if (hasParts) yield* [`p${contentId}`, `c${contentId}`];
}

/** The letter of their keys, in hex. */
const TOKEN = "74";

async function compare(parts: Parts, lots: ReadonlySet<number>): Promise<void> {
  const due = new Map<string, Holder | undefined>();
  for await (const { item, holder } of dueIn(parts.view)) {
    if (lots.has(lotOf(item))) due.set(item, holder);
  }
  const unheld = new Map<string, Guard>();
  for await (const { item, guard } of thereIn(parts.view)) {
    if (lots.has(lotOf(item)) && !due.delete(item)) unheld.set(item, guard);
  }
  for await (const item of excusedIn(parts.view)) unheld.delete(item);
  for (const [item, holder] of due) {
    const problem = holder && missing(parts, item, holder);
    if (problem !== undefined) await parts.found.problem(problem);
  }
  for (const [item, guard] of unheld) await parts.found.problem(await excess(parts, item, guard));
}

/** What garbage will take away. */
async function* excusedIn(view: MetaView): AsyncGenerator<string> {
  for await (const garbage of garbageIn(view)) {
    if (!("value" in garbage)) continue;
    const { contentId, blobs, manifest, parts } = garbage.value;
    const all = [...blobs];
    if (manifest === true) {
      yield `m${contentId}`;
      all.push(...(await blobsOfManifest(view, contentId)));
    }
    if (parts !== undefined) yield `p${contentId}`;
    if (parts === "all") all.push(...(await blobsOfParts(view, contentId)));
    for (const blob of all) yield `r${blob}${contentId}`;
  }
}

async function blobsOfManifest(view: MetaView, contentId: string): Promise<readonly string[]> {
  const found = await manifestIn(view, contentId);
  const parts = found !== undefined && "value" in found ? found.value.parts : [];
  return parts.flatMap(({ extents }) => extents.map(({ blob }) => blob));
}

async function blobsOfParts(view: MetaView, uploadId: string): Promise<readonly string[]> {
  const blobs: string[] = [];
  for await (const part of partsIn(view, uploadId)) {
    if ("value" in part) blobs.push(...part.value.extents.map(({ blob }) => blob));
  }
  return blobs;
}

/** Manifests and counters that are lacking are told of where they are looked for. */
function missing({ meta }: Parts, item: string, holder: Holder): Problem | undefined {
  if (!item.startsWith("r")) return undefined;
  const { blob, contentId, key } = referenceOf(item);
  const guards = [...holder.guards, { key, revision: 0 }];
  const value = Buffer.alloc(0);
  return {
    kind: "reference-missing",
    where: `${holder.where}, blob ${blob} for content ${contentId}`,
    repair: async () => (await meta.commit({ guards, writes: [{ key, value }] })) !== undefined,
  };
}

/** What nothing holds, and no garbage will take away. */
async function excess(parts: Parts, item: string, guard: Guard): Promise<Problem> {
  const { meta, clock, found } = parts;
  const id = item.slice(1);
  const change = async (writes: readonly Write[]) =>
    (await meta.commit({ guards: [guard], writes })) !== undefined;
  const drop = async () => await change([{ key: guard.key, value: undefined }]);
  const throwAway = (record: Omit<GarbageRecord, "contentId" | "blobs">) => async () =>
    await change([garbageWrite({ contentId: id, blobs: [], ...record }, clock.now())]);
  // A record that cannot be read may be the holder.
  const mayBeHeld = found.has("unreadable-record");
  switch (item.slice(0, 1)) {
    case "r": {
      const { blob, contentId } = referenceOf(item);
      const where = `blob ${blob}, content ${contentId}`;
      const problem = { kind: "reference-unheld", where } as const;
      if (mayBeHeld) return problem;
      const isLast = await isLastTrace(parts, blob);
      return { ...problem, ...(isLast ? { discard: drop } : { repair: drop }) };
    }
    case "m": {
      const problem = { kind: "manifest-unheld", where: `content ${id}` } as const;
      return mayBeHeld ? problem : { ...problem, discard: throwAway({ manifest: true }) };
    }
    case "p": {
      const problem = { kind: "parts-unheld", where: `upload ${id}` } as const;
      return mayBeHeld ? problem : { ...problem, discard: throwAway({ parts: "all" }) };
    }
    case "c":
      return {
        kind: "part-counter-unheld",
        where: `upload ${id}`,
        repair: mayBeHeld ? undefined : drop,
      };
    default:
      return { kind: "rename-token-unheld", where: id, repair: drop };
  }
}

/** Without this reference the blob would be taken for what a crash left behind. */
async function isLastTrace({ meta, blobs }: Parts, blob: string): Promise<boolean> {
  if ((await blobs.size(blob)) === undefined) return false;
  return (await meta.scan({ ...referenceSpan(blob), limit: 2 })).length < 2;
}

function referenceOf(item: string) {
  const blob = item.slice(1, 1 + 2 * ID_BYTES);
  const contentId = item.slice(1 + 2 * ID_BYTES);
  return { blob, contentId, key: referenceKey(blob, contentId) };
}
