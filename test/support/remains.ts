import type { MetaStore } from "#meta/store.ts";
import type { Usage } from "#object/usage.ts";
import { openClosedKey, usageKey } from "#versioned/keys.ts";
import { type Manifest, type PartRecord, unpackJson, unpackVersion } from "#versioned/record.ts";
import type { Stores } from "#versioned/store.ts";
import { readUsage } from "#versioned/usage.ts";

/** What lies in the stores besides what users see, by what refers to what. */
export interface Remains {
  /** Blobs that are there. */
  readonly blobs: readonly string[];
  /** Blobs that versions and unfinished uploads refer to. */
  readonly referred: readonly string[];
  /** `blob content` of the reference records, and of those that should be there. */
  readonly references: readonly string[];
  readonly expectedReferences: readonly string[];
  /** Manifests, and part records, of contents and uploads that are gone. */
  readonly strays: readonly string[];
  readonly garbage: number;
}

export async function remainsOf({ meta, blobs }: Stores): Promise<Remains> {
  const there: string[] = [];
  for await (const { id } of blobs.list()) there.push(id);
  const manifests = new Map(
    (await all(meta, "m")).map(({ key, value }) => [
      hexOf(key, 1),
      unpackJson<Manifest>(value).parts,
    ]),
  );
  const held = new Map<string, Set<string>>();
  const strays = new Set(manifests.keys());
  for (const { value } of await all(meta, "v")) {
    const { content } = unpackVersion(value).record;
    if (content.kind === "inline") continue;
    const extents =
      content.kind === "extents"
        ? content.extents
        : (manifests.get(content.id) ?? []).flatMap((part) => part.extents);
    held.set(content.id, new Set(extents.map(({ blob }) => blob)));
    strays.delete(content.id);
  }
  const uploads = new Set(
    (await all(meta, "u")).map(({ key }) => openClosedKey(Buffer.from(key)).rest.toString("hex")),
  );
  for (const { key, value } of await all(meta, "p")) {
    const uploadId = hexOf(key, 1, 17);
    if (!uploads.has(uploadId)) strays.add(`part of ${uploadId}`);
    const { extents } = unpackJson<PartRecord>(value);
    const known = held.get(uploadId) ?? [];
    held.set(uploadId, new Set([...known, ...extents.map(({ blob }) => blob)]));
  }
  for (const { key } of await all(meta, "c")) {
    if (!uploads.has(hexOf(key, 1))) strays.add(`counter of ${hexOf(key, 1)}`);
  }
  const pairs = [...held].flatMap(([id, each]) => [...each].map((blob) => `${blob} ${id}`));
  return {
    blobs: there.sort(),
    referred: [...new Set([...held.values()].flatMap((each) => [...each]))].sort(),
    references: (await all(meta, "r")).map(({ key }) => `${hexOf(key, 1, 17)} ${hexOf(key, 17)}`),
    expectedReferences: pairs.sort(),
    strays: [...strays],
    garbage: (await all(meta, "g")).length,
  };
}

/** What the counter of a bucket says. */
export async function usageIn({ meta }: Stores, bucketId: string): Promise<Usage> {
  return await readUsage(meta, usageKey(bucketId));
}

async function all(meta: MetaStore, kind: string) {
  const from = Buffer.from(kind);
  const to = Buffer.from([(from[0] ?? 0) + 1]);
  return await meta.scan({ from, to, limit: 100_000 });
}

function hexOf(key: Uint8Array, from: number, to = key.length): string {
  return Buffer.from(key).toString("hex", from, to);
}
