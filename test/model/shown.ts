import { digestBytes } from "#base/checksum.ts";
import type { ObjectInfo } from "#object/attributes.ts";
import type { Body } from "#object/body.ts";
import type { ListedObject, OpenObject, PartInfo, UploadInfo } from "#object/engine.ts";
import type { Answer, Sent, Shown } from "#test/model/call.ts";

/** Only the fields that the model knows of. */
function pick<T extends object>(from: T, names: readonly (keyof T & string)[]): Shown {
  const shown: Record<string, unknown> = {};
  for (const name of names) shown[name] = from[name];
  return shown;
}

export function infoShown(info: ObjectInfo): Shown {
  return pick(info, [
    ...(["key", "sizeBytes", "etag", "modifiedMs", "versionId"] as const),
    ...(["attributes", "checksum", "partsCount"] as const),
  ]);
}

export function uploadShown(upload: UploadInfo): Shown {
  return pick(upload, [
    ...(["key", "uploadId", "initiatedMs"] as const),
    ...(["attributes", "algorithm", "checksumType"] as const),
  ]);
}

export function listedShown(listed: ListedObject, isMarker = false): Shown {
  const { key, sizeBytes, etag, modifiedMs } = listed;
  const { storageClass, checksumAlgorithm, checksumType } = listed;
  return {
    ...{ key, sizeBytes, modifiedMs, storageClass, checksumAlgorithm, checksumType },
    etag: isMarker ? undefined : etag,
  };
}

export function partShown({ number, sizeBytes, etag, modifiedMs, checksum }: PartInfo): Shown {
  return { number, sizeBytes, etag, modifiedMs, checksum };
}

/** Attributes, parts and bytes of an object that is open. */
export async function readShown({ info, read, parts }: OpenObject): Promise<Answer> {
  return {
    info: infoShown(info),
    bytes: (await bytesOf(read(0, info.sizeBytes))).toString("base64"),
    parts: (await parts()).map(partShown),
  };
}

async function bytesOf(content: Uint8Array | AsyncIterable<Uint8Array>): Promise<Buffer> {
  if (content instanceof Uint8Array) return Buffer.from(content);
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** A body in two pieces; of a wrong digest only the bits are wrong, not the length. */
export function bodyOf({ bytes, algorithm, wrong }: Sent): Body {
  const half = Math.ceil(bytes.length / 2);
  const sum = algorithm !== undefined && wrong === "checksum" ? digestBytes(algorithm) : undefined;
  const md5 = wrong !== undefined && sum === undefined ? Buffer.alloc(16, 0x5a) : undefined;
  const checksum = sum === undefined ? undefined : Buffer.alloc(sum, 0x5a);
  return {
    sizeBytes: bytes.length,
    chunks: (async function* chunks() {
      if (half > 0) yield bytes.subarray(0, half);
      if (half < bytes.length) yield bytes.subarray(half);
    })(),
    algorithm,
    hasSha256: false,
    claims: () => ({ md5, sha256: undefined, checksum }),
  };
}
