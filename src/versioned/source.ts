import { S3Error } from "#base/error.ts";
import type { Body } from "#object/body.ts";
import { type ConditionNames, type Conditions, requireConditions } from "#object/conditions.ts";
import type { CustomerKey } from "#object/encryption.ts";
import type { ObjectName } from "#object/engine.ts";
import { openInline, readExtents } from "#versioned/content.ts";
import { type Lock, lockOf, resealed } from "#versioned/encryption.ts";
import { etagOf } from "#versioned/head.ts";
import { versionKey } from "#versioned/keys.ts";
import type { Extent } from "#versioned/record.ts";
import { extentsOf, type FoundVersion, findVersion, type Stores } from "#versioned/store.ts";
import type { Beside } from "#versioned/write.ts";

/** What a copy is made from. */
export interface Source {
  readonly name: ObjectName;
  readonly found: FoundVersion;
  readonly lock: Lock | undefined;
}

const NAMES: ConditionNames = {
  ifMatch: "x-amz-copy-source-If-Match",
  ifNoneMatch: "x-amz-copy-source-If-None-Match",
  ifModifiedSince: "x-amz-copy-source-If-Modified-Since",
  ifUnmodifiedSince: "x-amz-copy-source-If-Unmodified-Since",
};

/** Openings before a source that is replaced again and again answers SlowDown. */
const ATTEMPTS_MAX = 20;

export interface SourceAsk {
  readonly name: ObjectName;
  readonly conditions: Conditions;
  readonly key: CustomerKey | undefined;
}

/** The source was removed or replaced before the commit. */
class SourceGone extends S3Error<"NoSuchKey"> {}

/**
 * Does `work` with the source as it is. One that is replaced before the commit is opened again: without
 * a version id any version will do that was the current one meanwhile.
 * Fails: as Engine.get, PreconditionFailed, SlowDown, and as `work` fails.
 */
export async function withSource<T>(
  stores: Stores,
  ask: SourceAsk,
  work: (source: Source) => Promise<T>,
): Promise<T> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const source = await openSource(stores, ask);
    try {
      return await work(source);
    } catch (cause) {
      if (!(cause instanceof SourceGone)) throw cause;
    }
  }
  throw new S3Error("SlowDown", {});
}

async function openSource(stores: Stores, ask: SourceAsk): Promise<Source> {
  const { name } = ask;
  const found = await findVersion(stores, name);
  const lock = lockOf(stores.keyring, found.record.encryption, ask.key);
  const validators = { etag: etagOf(found.record), modifiedMs: found.record.modifiedMs };
  requireConditions(ask.conditions, validators, NAMES);
  return { name, found, lock };
}

/** Fails: SourceGone, when it may have taken its blobs along. */
export async function sourceGuard({ meta }: Stores, { name, found }: Source): Promise<Beside> {
  const key = versionKey(name.bucket.id, name.key, found.sequence);
  const entry = await meta.get(key);
  if (entry === undefined) throw new SourceGone("NoSuchKey", { Key: name.key });
  return { guards: [{ key, revision: entry.revision }] };
}

/** Extents of the source, for a holder under another lock: their bytes stay as they are. */
export function resealedExtents(
  extents: readonly Extent[],
  from: Lock | undefined,
  to: Lock | undefined,
): readonly Extent[] {
  if (from === undefined || to === undefined) return extents;
  return extents.map(({ seal, ...extent }) =>
    seal === undefined ? extent : { ...extent, seal: resealed(seal, from, to) },
  );
}

/** The bytes `from <= i < to` of the source in the clear, as if they were sent. */
export function sourceBody(
  stores: Stores,
  { found, lock }: Source,
  { from, to }: { readonly from: number; readonly to: number },
): Body {
  return {
    sizeBytes: to - from,
    chunks: chunks(),
    algorithm: undefined,
    hasSha256: false,
    claims: () => ({ md5: undefined, sha256: undefined, checksum: undefined }),
  };

  async function* chunks(): AsyncIterable<Uint8Array> {
    const { content } = found.record;
    if (content.kind === "inline") {
      if (from < to) yield openInline(found, lock).subarray(from, to);
      return;
    }
    yield* readExtents(stores.blobs, await extentsOf(stores, content), { from, to, lock });
  }
}
