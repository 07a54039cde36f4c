import { asBuffer } from "#base/bytes.ts";
import { bucketOf } from "#catalog/bucket-record.ts";
import { documentsKey, ownedKey } from "#catalog/catalog.ts";
import type { Found } from "#check/problem.ts";
import { entriesIn, guardOf, spanOf } from "#check/walk.ts";
import type { Entry, MetaStore, MetaView } from "#meta/store.ts";
import type { Bucket } from "#object/bucket.ts";
import type { BucketName } from "#object/name.ts";

interface Parts {
  readonly meta: MetaStore;
  readonly view: MetaView;
  readonly found: Found;
}

const NOTHING = Buffer.of(0);

/** Reads all buckets, by their ids; and holds the indexes of owners and of documents against them. */
export async function checkBuckets(parts: Parts): Promise<ReadonlyMap<string, Bucket>> {
  const buckets = new Map<string, Bucket>();
  const owned = new Set<string>();
  for await (const entry of entriesIn(parts.view, spanOf("b"))) {
    const name = asBuffer(entry.key).toString("utf8", 1);
    const bucket = await readBucket(parts, entry, name);
    if (bucket === undefined) continue;
    buckets.set(bucket.id, bucket);
    const key = ownedKey(bucket.organizationId, bucket.name);
    owned.add(key.toString("latin1"));
    await requireEntry(parts, bucket, { key, where: `the owner's index of bucket ${name}` });
  }
  for await (const entry of entriesIn(parts.view, spanOf("B"))) {
    const key = asBuffer(entry.key);
    if (owned.has(key.toString("latin1"))) continue;
    await parts.found.problem({
      kind: "index-dangling",
      where: `the owner's index: ${key.toString("utf8", 1)}`,
      // A bucket whose record cannot be read may be the one.
      repair: parts.found.has("unreadable-record")
        ? undefined
        : async () => await drop(parts, entry),
    });
  }
  await checkDocuments(parts, buckets);
  return buckets;
}

async function checkDocuments(parts: Parts, buckets: ReadonlyMap<string, Bucket>): Promise<void> {
  const mayDrop = !parts.found.has("unreadable-record");
  let last = "";
  for await (const entry of entriesIn(parts.view, spanOf("d"))) {
    const id = asBuffer(entry.key).toString("utf8", 1).split("/", 1)[0] ?? "";
    if (id === last) continue;
    last = id;
    const bucket = buckets.get(id);
    const where = `documents of bucket ${bucket?.name ?? id}`;
    if (bucket === undefined) await parts.found.problem({ kind: "bucket-missing", where });
    else
      await requireEntry(parts, bucket, {
        key: documentsKey(bucket),
        where: `the index of ${where}`,
      });
  }
  for await (const entry of entriesIn(parts.view, spanOf("D"))) {
    const id = asBuffer(entry.key).toString("utf8", 1);
    if (buckets.has(id)) continue;
    const where = `the index of documents of bucket ${id}`;
    await parts.found.problem({
      kind: "index-dangling",
      where,
      repair: mayDrop ? async () => await drop(parts, entry) : undefined,
    });
  }
}

async function readBucket(
  { found }: Parts,
  entry: Entry,
  name: string,
): Promise<Bucket | undefined> {
  try {
    return bucketOf(name as BucketName, entry);
  } catch {
    // Told below: whatever it is that stands there, it is no bucket.
  }
  await found.problem({ kind: "unreadable-record", where: `bucket ${name}` });
  return undefined;
}

async function requireEntry(
  { meta, view, found }: Parts,
  { guard }: Bucket,
  { key, where }: { readonly key: Buffer; readonly where: string },
): Promise<void> {
  if ((await view.get(key)) !== undefined) return;
  const guards = [guard, { key, revision: 0 }];
  const writes = [{ key, value: NOTHING }];
  const repair = async () => (await meta.commit({ guards, writes })) !== undefined;
  await found.problem({ kind: "index-missing", where, repair });
}

async function drop({ meta }: Parts, entry: Entry): Promise<boolean> {
  const writes = [{ key: entry.key, value: undefined }];
  return (await meta.commit({ guards: [guardOf(entry)], writes })) !== undefined;
}
