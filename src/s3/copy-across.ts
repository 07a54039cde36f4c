import { copiedMetadata } from "#object/attributes.ts";
import type { Body } from "#object/body.ts";
import { type ConditionNames, requireConditions } from "#object/conditions.ts";
import type {
  CopyInput,
  CopyOutcome,
  Engine,
  KeyName,
  OpenObject,
  PartInfo,
  PartSource,
  UploadName,
} from "#object/engine.ts";
import type { PartNumber } from "#object/name.ts";
import { copiedSlice } from "#object/range.ts";

/** Two engines share no bytes, so that a copy from one to the other reads and writes them. */
export interface Across {
  readonly from: Engine;
  readonly to: Engine;
}

type CopiedPart = Exclude<PartSource, { readonly body: Body }>;

const NAMES: ConditionNames = {
  ifMatch: "x-amz-copy-source-If-Match",
  ifNoneMatch: "x-amz-copy-source-If-None-Match",
  ifModifiedSince: "x-amz-copy-source-If-Modified-Since",
  ifUnmodifiedSince: "x-amz-copy-source-If-Unmodified-Since",
};

/** CopyObject between a bucket and a volume. Fails: as Engine.get and Engine.put. */
export async function copyAcross(
  { from, to }: Across,
  name: KeyName,
  input: CopyInput,
): Promise<CopyOutcome> {
  const source = await from.get(input.source, input.sourceKey);
  const { info } = source;
  requireConditions(input.sourceConditions, info, NAMES);
  const { tags, storageClass } = input.attributes;
  const object = await to.put(name, {
    body: bodyOf(source, { from: 0, to: info.sizeBytes, algorithm: input.algorithm }),
    attributes: {
      ...copiedMetadata(info.attributes, input.attributes),
      tags: tags ?? info.attributes.tags,
      storageClass: storageClass ?? "STANDARD",
    },
    conditions: input.conditions,
    encryption: input.encryption,
    room: input.room,
  });
  return { object, sourceVersionId: info.versionId };
}

/** UploadPartCopy between a bucket and a volume. Fails: as Engine.get and Engine.putPart. */
export async function copyPartAcross(
  { from, to }: Across,
  name: UploadName,
  { part, input }: { readonly part: PartNumber; readonly input: CopiedPart },
): Promise<PartInfo> {
  const source = await from.get(input.source, input.sourceKey);
  const { info } = source;
  requireConditions(input.conditions, info, NAMES);
  const { key, room } = input;
  const { upload } = await to.listParts(name, { afterNumber: 0, limit: 1, key });
  const slice = { ...copiedSlice(input.range, info.sizeBytes), algorithm: upload.algorithm };
  const made = await to.putPart(name, part, { body: bodyOf(source, slice), key, room });
  return { ...made, sourceVersionId: info.versionId };
}

function bodyOf(
  source: OpenObject,
  { from, to, algorithm }: { readonly from: number; readonly to: number } & Pick<Body, "algorithm">,
): Body {
  return {
    sizeBytes: to - from,
    chunks: chunksOf(source.read(from, to)),
    algorithm,
    hasSha256: false,
    claims: () => ({ md5: undefined, sha256: undefined, checksum: undefined }),
  };
}

async function* chunksOf(bytes: Uint8Array | AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  if (!(bytes instanceof Uint8Array)) yield* bytes;
  else if (bytes.length > 0) yield bytes;
}
