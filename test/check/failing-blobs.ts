import { StorageError } from "#base/error.ts";
import type { BlobStore } from "#blob/store.ts";

/** The same blobs, with something of one's own in between. */
export function over<Blobs extends BlobStore>(blobs: Blobs, own: Partial<BlobStore>): Blobs {
  return new Proxy(blobs, {
    get: (target, name: keyof BlobStore) => own[name] ?? target[name].bind(target),
  });
}

/** The chunks of a blob that the system refuses to read, as with `EIO`. */
export function refuses(code: string): AsyncIterable<Uint8Array> {
  const cause = Object.assign(new Error("refused"), { code });
  const next = async () => {
    throw new StorageError("unavailable", "the disk", cause);
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}
