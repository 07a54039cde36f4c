import type { Found } from "#check/problem.ts";
import { type Decoded, garbageIn, guardOf, type Holder, holdersIn, holdsIn } from "#check/walk.ts";
import type { Guard, MetaStore, MetaView } from "#meta/store.ts";
import type { GarbageRecord } from "#versioned/record.ts";

/** So many entries are in memory at once. */
const ENTRIES_AT_ONCE = 50_000;

interface Parts {
  readonly meta: MetaStore;
  readonly view: MetaView;
  readonly found: Found;
}

interface Entry {
  readonly guard: Guard;
  readonly record: GarbageRecord;
}

/** That entries can be carried out, and take nothing away that is held. Resolves to how many there are. */
export async function checkGarbage(parts: Parts): Promise<number> {
  let batch = new Map<string, Entry[]>();
  let [entries, inBatch] = [0, 0];
  for await (const garbage of garbageIn(parts.view)) {
    entries += 1;
    const entry = await readable(parts, garbage);
    if (entry === undefined || entry.record.contentId === "") continue;
    const { contentId } = entry.record;
    batch.set(contentId, [...(batch.get(contentId) ?? []), entry]);
    inBatch += 1;
    if (inBatch < ENTRIES_AT_ONCE) continue;
    await checkHeld(parts, batch);
    batch = new Map();
    inBatch = 0;
  }
  if (inBatch > 0) await checkHeld(parts, batch);
  return entries;
}

/** That holds can be read. */
export async function checkHolds({ meta, view, found }: Parts): Promise<void> {
  for await (const hold of holdsIn(view)) {
    if ("value" in hold) continue;
    const guard = guardOf(hold.entry);
    const where = `${Buffer.from(guard.key).toString("hex")}: ${hold.unreadable}`;
    // Nobody's work is lost: whoever still has it writes it again within a minute.
    const repair = async () => await removed(meta, guard);
    await found.problem({ kind: "hold-malformed", where, repair });
  }
}

async function readable(parts: Parts, garbage: Decoded<GarbageRecord>): Promise<Entry | undefined> {
  const guard = guardOf(garbage.entry);
  if ("value" in garbage) return { guard, record: garbage.value };
  const where = `${Buffer.from(guard.key).toString("hex")}: ${garbage.unreadable}`;
  // One that cannot be read stops the collector at it.
  const repair = async () => await removed(parts.meta, guard);
  await parts.found.problem({ kind: "garbage-malformed", where, repair });
  return undefined;
}

async function checkHeld(
  { meta, view, found }: Parts,
  batch: ReadonlyMap<string, readonly Entry[]>,
): Promise<void> {
  for await (const holder of holdersIn(view)) {
    for (const { guard, record } of batch.get(holder.contentId) ?? []) {
      if (!takes(record, holder)) continue;
      const where = `${holder.where}, content ${holder.contentId}`;
      const repair = async () => await removed(meta, guard);
      await found.problem({ kind: "garbage-of-held", where, repair });
    }
  }
}

/** Whether the entry would take away something of the holder. */
function takes({ blobs, manifest, parts, unlessHeld }: GarbageRecord, holder: Holder): boolean {
  if (manifest === true && holder.kind === "version") return true;
  if (parts !== undefined && holder.kind === "upload") return true;
  if (parts === "all") return true;
  return unlessHeld !== true && blobs.some((blob) => holder.blobs.has(blob));
}

async function removed(meta: MetaStore, guard: Guard): Promise<boolean> {
  const writes = [{ key: guard.key, value: undefined }];
  return (await meta.commit({ guards: [guard], writes })) !== undefined;
}
