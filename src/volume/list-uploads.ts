import type { UploadInfo, UploadsAsk, UploadsPage } from "#object/engine.ts";
import { bytesOf } from "#volume/shown-name.ts";
import { readUpload, uploadIds } from "#volume/uploads.ts";
import type { Volume } from "#volume/volume.ts";

const READ_AT_ONCE = 64;

/** Unfinished uploads by key, the oldest of a key first. Reads the record of each upload there is. */
export async function listUploads(volume: Volume, ask: UploadsAsk): Promise<UploadsPage> {
  const uploads = (await allUploads(volume))
    .filter(({ info: { key } }) => key.startsWith(ask.prefix))
    .sort((a, b) => compare(a.order, b.order) || compare(a.info.uploadId, b.info.uploadId));
  const shown: UploadInfo[] = [];
  const prefixes: string[] = [];
  let last: { readonly key: string; readonly uploadId: string | undefined } | undefined;
  for (const { info, order } of uploads) {
    if (!comesAfter(info, order, ask)) continue;
    const common = commonPrefix(info.key, ask);
    if (common !== undefined && (common === last?.key || common === ask.afterKey)) continue;
    if (shown.length + prefixes.length === ask.limit)
      return { uploads: shown, prefixes, next: last };
    last = { key: common ?? info.key, uploadId: common === undefined ? info.uploadId : undefined };
    if (common === undefined) shown.push(info);
    else prefixes.push(common);
  }
  return { uploads: shown, prefixes, next: undefined };
}

async function allUploads(volume: Volume) {
  const ids = await uploadIds(volume);
  const found: { readonly info: UploadInfo; readonly order: string }[] = [];
  for (let at = 0; at < ids.length; at += READ_AT_ONCE) {
    const some = ids.slice(at, at + READ_AT_ONCE);
    for (const info of await Promise.all(some.map((id) => readUpload(volume, id)))) {
      if (info !== undefined) found.push({ info, order: bytesOf(info.key) });
    }
  }
  return found;
}

function comesAfter({ uploadId }: UploadInfo, order: string, ask: UploadsAsk): boolean {
  const { afterKey, afterUploadId } = ask;
  if (afterKey === "") return true;
  const compared = compare(order, bytesOf(afterKey));
  if (compared !== 0) return compared > 0;
  return afterUploadId !== undefined && uploadId > afterUploadId;
}

function commonPrefix(key: string, { prefix, delimiter }: UploadsAsk): string | undefined {
  const cut = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
  return cut < 0 ? undefined : key.slice(0, cut + delimiter.length);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
