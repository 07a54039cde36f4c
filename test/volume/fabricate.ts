import { mkdirSync, readdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PartInfo, UploadInfo } from "#object/engine.ts";
import { HIDDEN_NAME } from "#volume/key-path.ts";

/** The MD5 of a part is what its client sent; for parts that nobody sent any will do. */
const SOME_MD5 = "0123456789abcdef0123456789abcdef";

/**
 * The parts of an upload as they lie on the disk when all of one size have been received, made without
 * sending them: one sparse file and the records.
 */
export function fabricateParts(
  root: string,
  { uploadId }: Pick<UploadInfo, "uploadId">,
  { count, sizeBytes }: { readonly count: number; readonly sizeBytes: number },
): PartInfo[] {
  const upload = join(root, HIDDEN_NAME, "uploads", uploadId);
  const file = `data-${sizeBytes}`;
  writeFileSync(join(upload, file), "", { mode: 0o600 });
  truncateSync(join(upload, file), count * sizeBytes);
  mkdirSync(join(upload, "parts"), { recursive: true });
  return Array.from({ length: count }, (_, index) => {
    const number = index + 1;
    const place = { file, offset: index * sizeBytes };
    const record = {
      format: 1,
      number,
      sizeBytes,
      md5: SOME_MD5,
      checksums: {},
      modifiedMs: 0,
      place,
    };
    writeFileSync(join(upload, "parts", String(number)), JSON.stringify(record));
    return { number, sizeBytes, etag: SOME_MD5, modifiedMs: 0, checksum: undefined };
  });
}

/** The names in an upload's directory; empty when there is none. */
export function uploadFiles(root: string, { uploadId }: Pick<UploadInfo, "uploadId">): string[] {
  try {
    return readdirSync(join(root, HIDDEN_NAME, "uploads", uploadId)).sort();
  } catch {
    return [];
  }
}
