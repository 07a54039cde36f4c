import type { PackedEntries } from "#meta/packed.ts";
import type { UploadInfo } from "#object/engine.ts";
import { ClosedKeys } from "#versioned/closed-keys.ts";
import { ID_BYTES, UPLOAD_CLOSE_BYTES } from "#versioned/keys.ts";
import { type UploadRecord, unpackJson } from "#versioned/record.ts";
import { infoOfUpload } from "#versioned/uploads.ts";
import type { Batch } from "#versioned/walk.ts";

/** Uploads, of which each that is shown is read by itself. */
export class UploadBatch implements Batch<UploadInfo> {
  readonly #keys: ClosedKeys;
  readonly #entries: PackedEntries;

  /** Of uploads whose keys are packed from the object key on. */
  constructor(entries: PackedEntries, stem: Buffer) {
    this.#entries = entries;
    this.#keys = new ClosedKeys(entries.keys, { stem, closeBytes: UPLOAD_CLOSE_BYTES });
  }

  get count(): number {
    return this.#keys.count;
  }

  keyOf(index: number): string {
    return this.#keys.keyOf(index);
  }

  isShown(): boolean {
    return true;
  }

  /** Fails: StorageError "corrupt". */
  read(index: number, key: string): UploadInfo {
    const { keys, values } = this.#entries;
    const end = keys.endOf(index);
    const uploadId = keys.bytes.toString("hex", end - ID_BYTES, end);
    return infoOfUpload(unpackJson<UploadRecord>(values.sliceOf(index)), { key, uploadId });
  }

  storeKeyOf(index: number): Buffer {
    return this.#keys.storeKeyOf(index);
  }
}
