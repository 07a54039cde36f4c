import { asBuffer } from "#base/bytes.ts";
import { readStamp, STAMP_BYTES } from "#base/stamp.ts";
import type { Entry, Guard, MetaView } from "#meta/store.ts";
import { PART_NUMBER_MAX } from "#object/name.ts";
import { readHold } from "#versioned/hold.ts";
import {
  afterKey,
  manifestKey,
  openClosedKey,
  partCounterKey,
  partKey,
  type Span,
} from "#versioned/keys.ts";
import {
  type GarbageRecord,
  type HoldRecord,
  type Manifest,
  type PartRecord,
  type UploadRecord,
  unpackJson,
  unpackVersion,
  type VersionRecord,
} from "#versioned/record.ts";

/** Versions carry bodies of up to 64 KiB. */
const PAGE = 100;
const ID = /^[0-9a-f]{32}$/;

/** A record of the store and what it says, unless it cannot be read. */
export type Decoded<T> = { readonly entry: Entry } & (
  | { readonly value: T }
  | { readonly unreadable: string }
);

export interface Version {
  readonly bucketId: string;
  readonly key: string;
  readonly sequence: number;
  readonly record: VersionRecord;
  readonly inline: Uint8Array;
}

export interface Upload {
  readonly bucketId: string;
  readonly key: string;
  readonly uploadId: string;
  readonly record: UploadRecord;
}

/** All entries whose keys begin with this letter. */
export function spanOf(letter: string): Span {
  const from = Buffer.from(letter);
  return { from, to: Buffer.from([(from[0] ?? 0) + 1]) };
}

export async function* entriesIn(view: MetaView, { from, to }: Span): AsyncGenerator<Entry> {
  for (let at = from; ; ) {
    const page = await view.scan({ from: at, to, limit: PAGE });
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    at = afterKey(Buffer.from(last.key));
  }
}

export async function* versionsIn(view: MetaView): AsyncGenerator<Decoded<Version>> {
  for await (const entry of entriesIn(view, spanOf("v"))) yield readVersion(entry);
}

export function readVersion(entry: Entry): Decoded<Version> {
  return decoded(entry, () => {
    const name = requireName(entry);
    const sequence = readStamp(asBuffer(entry.key), entry.key.length - STAMP_BYTES);
    const { record, inline } = unpackVersion(entry.value);
    requireContent(record);
    return { ...name, sequence, record, inline };
  });
}

export async function* uploadsIn(view: MetaView): AsyncGenerator<Decoded<Upload>> {
  for await (const entry of entriesIn(view, spanOf("u"))) yield readUpload(entry);
}

export function readUpload(entry: Entry): Decoded<Upload> {
  return decoded(entry, () => {
    const { rest, ...name } = requireName(entry);
    const record = unpackJson<UploadRecord>(entry.value);
    requireShape(typeof record.attributes.storageClass === "string", "it has no class");
    return { ...name, uploadId: rest.toString("hex"), record };
  });
}

export async function* partsIn(
  view: MetaView,
  uploadId: string,
): AsyncGenerator<Decoded<PartRecord>> {
  const span = { from: partKey(uploadId, 0), to: partKey(uploadId, PART_NUMBER_MAX + 1) };
  for await (const entry of entriesIn(view, span)) {
    yield decoded(entry, () => requirePart(unpackJson<PartRecord>(entry.value)));
  }
}

export async function* garbageIn(view: MetaView): AsyncGenerator<Decoded<GarbageRecord>> {
  for await (const entry of entriesIn(view, spanOf("g"))) {
    yield decoded(entry, () => {
      const record = unpackJson<GarbageRecord>(entry.value);
      const { contentId, blobs, records = [], parts = "all" } = record;
      // A rename's token has no content.
      requireShape(contentId === "" || ID.test(contentId), "it names no content");
      requireShape(
        blobs.every((blob) => ID.test(blob)),
        "a blob has no such id",
      );
      requireShape(
        records.every((key) => /^(?:[0-9a-f]{2})+$/.test(key)),
        "a record has no such key",
      );
      requireShape(parts === "all" || parts === "records", "it names no parts");
      requireShape(entry.key.length === GARBAGE_KEY_BYTES, "its key has another length");
      return record;
    });
  }
}

export async function* holdsIn(view: MetaView): AsyncGenerator<Decoded<HoldRecord>> {
  for await (const entry of entriesIn(view, spanOf("h"))) {
    yield decoded(entry, () => readHold(entry.value));
  }
}

const GARBAGE_KEY_BYTES = 1 + 8 + 16;

/** undefined when it is not there. */
export async function manifestIn(
  view: MetaView,
  contentId: string,
): Promise<Decoded<Manifest> | undefined> {
  const entry = await view.get(manifestKey(contentId));
  if (entry === undefined) return undefined;
  return decoded(entry, () => {
    const manifest = unpackJson<Manifest>(entry.value);
    for (const part of manifest.parts) requirePart(part);
    return manifest;
  });
}

/** Whoever keeps blobs from being thrown away. */
export interface Holder {
  readonly contentId: string;
  readonly blobs: ReadonlySet<string>;
  readonly kind: "version" | "upload";
  readonly hasManifest: boolean;
  readonly hasParts: boolean;
  readonly where: string;
  /** As long as these hold, so does the holder. */
  readonly guards: readonly Guard[];
}

/** All of them that can be read. One content's blobs are in memory at a time. */
export async function* holdersIn(view: MetaView): AsyncGenerator<Holder> {
  for await (const version of versionsIn(view)) {
    if (!("value" in version)) continue;
    const { entry, value } = version;
    const { content } = value.record;
    if (content.kind === "inline") continue;
    const manifest = content.kind === "manifest" ? await manifestIn(view, content.id) : undefined;
    const parts = manifest !== undefined && "value" in manifest ? manifest.value.parts : [];
    const extents =
      content.kind === "extents" ? content.extents : parts.flatMap((part) => part.extents);
    yield {
      contentId: content.id,
      blobs: new Set(extents.map(({ blob }) => blob)),
      kind: "version",
      hasManifest: manifest !== undefined,
      hasParts: false,
      where: whereOf(value),
      guards: [guardOf(entry)],
    };
  }
  for await (const upload of uploadsIn(view)) {
    if ("value" in upload) yield await holderOf(view, upload.entry, upload.value);
  }
}

async function holderOf(view: MetaView, entry: Entry, upload: Upload): Promise<Holder> {
  const { uploadId } = upload;
  const blobs = new Set<string>();
  let hasParts = false;
  for await (const part of partsIn(view, uploadId)) {
    hasParts = true;
    if ("value" in part) for (const { blob } of part.value.extents) blobs.add(blob);
  }
  const counterKey = partCounterKey(uploadId);
  const counter = await view.get(counterKey);
  const guards = [guardOf(entry), { key: counterKey, revision: counter?.revision ?? 0 }];
  const where = whereOf(upload);
  return {
    ...{ contentId: uploadId, blobs, kind: "upload", hasManifest: false, hasParts, where, guards },
  };
}

export function guardOf({ key, revision }: Entry): Guard {
  return { key, revision };
}

/** `bucket id/key`, and which version or upload of it. */
export function whereOf(what: {
  readonly bucketId: string;
  readonly key: string;
  readonly sequence?: number;
  readonly uploadId?: string;
}): string {
  const { bucketId, key, sequence, uploadId } = what;
  const version =
    sequence === undefined ? "" : ` version ${sequence.toString(16).padStart(16, "0")}`;
  const upload = uploadId === undefined ? "" : ` upload ${uploadId}`;
  return `${bucketId}/${JSON.stringify(key).slice(1, -1)}${version}${upload}`;
}

/** Of a version or an upload; undefined when its key is none. */
export function nameOf(entry: Entry) {
  const bytes = Buffer.from(entry.key);
  // Else it would be looked for without end.
  if (!bytes.subarray(9).includes(CLOSED)) return undefined;
  return { bucketId: bytes.toString("hex", 1, 9), ...openClosedKey(bytes) };
}

const CLOSED = Buffer.from([0, 1]);

function requireName(entry: Entry) {
  const name = nameOf(entry);
  if (name === undefined) throw new TypeError("its key is none");
  return name;
}

function decoded<T>(entry: Entry, decode: () => T): Decoded<T> {
  try {
    return { entry, value: decode() };
  } catch (cause) {
    // A check looks at what may be anything: what a decoder throws is what it has found.
    return { entry, unreadable: cause instanceof Error ? cause.message : String(cause) };
  }
}

function requireContent({ content, sizeBytes, attributes }: VersionRecord): void {
  requireShape(Number.isSafeInteger(sizeBytes) && sizeBytes >= 0, "it has no size");
  requireShape(typeof attributes.storageClass === "string", "it has no class");
  if (content.kind === "inline") return;
  requireShape(ID.test(content.id), "its content has no id");
  if (content.kind === "extents") requireExtents(content);
  else requireShape(content.kind === "manifest", "its content is of no kind");
}

function requirePart(part: PartRecord): PartRecord {
  requireShape(Number.isSafeInteger(part.sizeBytes), "a part has no size");
  requireExtents(part);
  return part;
}

function requireExtents({ extents }: Pick<PartRecord, "extents">): void {
  for (const { blob, offset, sizeBytes } of extents) {
    const isRun = Number.isSafeInteger(offset) && Number.isSafeInteger(sizeBytes);
    requireShape(ID.test(blob) && isRun && offset >= 0 && sizeBytes >= 0, "an extent is none");
  }
}

function requireShape(holds: boolean, otherwise: string): void {
  if (!holds) throw new TypeError(otherwise);
}
