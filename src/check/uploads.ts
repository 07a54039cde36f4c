import { total } from "#check/contents.ts";
import type { Extents } from "#check/extents.ts";
import type { Found } from "#check/problem.ts";
import type { UsageSums } from "#check/usage.ts";
import { guardOf, partsIn, type Upload, uploadsIn, whereOf } from "#check/walk.ts";
import { packCounter, unpackCounter } from "#meta/counter.ts";
import type { Entry, MetaStore, MetaView } from "#meta/store.ts";
import type { Bucket } from "#object/bucket.ts";
import { partCounterKey } from "#versioned/keys.ts";

interface Run {
  readonly meta: MetaStore;
  readonly view: MetaView;
  readonly found: Found;
  readonly extents: Extents;
  readonly sums: UsageSums;
}

/** Resolves to how many there are. */
export async function checkUploads(
  run: Run,
  buckets: ReadonlyMap<string, Bucket>,
): Promise<number> {
  const { view, found, sums } = run;
  let uploads = 0;
  for await (const upload of uploadsIn(view)) {
    uploads += 1;
    const { entry } = upload;
    if (!("value" in upload)) {
      const where = `upload ${Buffer.from(entry.key).toString("hex")}: ${upload.unreadable}`;
      await found.problem({ kind: "unreadable-record", where });
      continue;
    }
    const { value } = upload;
    if (!buckets.has(value.bucketId)) {
      await found.problem({ kind: "bucket-missing", where: whereOf(value) });
    }
    const partBytes = await checkUpload(run, entry, value);
    const { storageClass } = value.record.attributes;
    sums.add(value.bucketId, { storageClass, uploads: 1, partBytes });
  }
  return uploads;
}

/** Holds an upload against its parts and their counter. Resolves to the bytes of its parts. */
async function checkUpload(
  { meta, view, found, extents }: Run,
  entry: Entry,
  upload: Upload,
): Promise<number> {
  const where = whereOf(upload);
  let [parts, partBytes] = [0, 0];
  for await (const part of partsIn(view, upload.uploadId)) {
    parts += 1;
    if ("unreadable" in part) {
      const said = `${where}, a part: ${part.unreadable}`;
      await found.problem({ kind: "unreadable-record", where: said });
      continue;
    }
    const { value } = part;
    partBytes += value.sizeBytes;
    const at = `${where}, part ${value.number}`;
    if (total(value.extents) !== value.sizeBytes) {
      await found.problem({ kind: "size-wrong", where: at });
    }
    await extents.check(value.extents, { where: at, contentId: upload.uploadId });
  }
  if (parts === 0) return 0;
  const key = partCounterKey(upload.uploadId);
  const counter = await view.get(key);
  const [commits = 0, bytes = 0] = counter === undefined ? [] : unpackCounter(counter.value);
  if (bytes !== partBytes || commits < parts) {
    const value = packCounter([Math.max(commits, parts), partBytes]);
    const guards = [guardOf(entry), { key, revision: counter?.revision ?? 0 }];
    await found.problem({
      kind: "part-counter-wrong",
      where,
      repair: async () => (await meta.commit({ guards, writes: [{ key, value }] })) !== undefined,
    });
  }
  return partBytes;
}
