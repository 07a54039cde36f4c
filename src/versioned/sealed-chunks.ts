import { createCipheriv, createDecipheriv } from "node:crypto";
import { assert } from "#base/assert.ts";
import { asBuffer } from "#base/bytes.ts";
import { StorageError } from "#base/error.ts";
import { randomBytes } from "#base/random.ts";

/**
 * Content encrypted at rest: AES-256-GCM by chunks of 64 KiB, so that a range opens without the rest and a
 * flipped bit is an error, never wrong data. A content has a key of its own; the nonce is the chunk's
 * number, and each chunk vouches for the size of the whole, so that chunks cannot be moved or cut off.
 */
const CIPHER = "aes-256-gcm";
const CHUNK_BYTES = 64 * 1_024;
const TAG_BYTES = 16;
const NONCE_BYTES = 12;
const SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES;

/** What a content is opened with. */
export interface ContentKey {
  /** 32 bytes, of this content alone. */
  readonly key: Uint8Array;
  /** Of the content in the clear. */
  readonly sizeBytes: number;
}

/** Half open: `from <= i < to`. */
interface ByteSpan {
  readonly from: number;
  readonly to: number;
}

export function newContentKey(sizeBytes: number): ContentKey {
  return { key: randomBytes(32), sizeBytes };
}

/** Encrypts a content as it comes in, in pieces of any size. A key seals once: nonces would repeat. */
export class Sealer {
  readonly #key: ContentKey;
  readonly #cutter = new Cutter(CHUNK_BYTES);
  #chunks = 0;
  #takenBytes = 0;

  constructor(key: ContentKey) {
    this.#key = key;
  }

  /** The sealed chunks that `bytes` completed. Keeps no reference to `bytes`. */
  *update(bytes: Uint8Array): Iterable<Buffer> {
    this.#takenBytes += bytes.length;
    for (const chunk of this.#cutter.cut(bytes)) yield this.#seal(chunk);
  }

  /** The last chunk, when there is one. */
  *finish(): Iterable<Buffer> {
    assert(this.#takenBytes === this.#key.sizeBytes, "a content has the size that was announced");
    for (const chunk of this.#cutter.rest()) yield this.#seal(chunk);
  }

  #seal(chunk: Uint8Array): Buffer {
    const { key, sizeBytes } = this.#key;
    const cipher = createCipheriv(CIPHER, key, nonceOf(this.#chunks));
    cipher.setAAD(sizeText(sizeBytes));
    this.#chunks += 1;
    return Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()]);
  }
}

/** A content that is all here. */
export function sealWhole(bytes: Uint8Array, key: ContentKey): Buffer {
  const sealer = new Sealer(key);
  return Buffer.concat([...sealer.update(bytes), ...sealer.finish()]);
}

/** Fails: StorageError "corrupt". */
export function openWhole(sealed: Uint8Array, key: ContentKey): Buffer {
  if (sealed.length !== sealedSize(key.sizeBytes)) throw corrupt();
  const opened: Buffer[] = [];
  for (let at = 0, index = 0; at < sealed.length; at += SEALED_CHUNK_BYTES, index += 1) {
    opened.push(openChunk(sealed.subarray(at, at + SEALED_CHUNK_BYTES), index, key));
  }
  const [only] = opened;
  return opened.length === 1 && only !== undefined ? only : Buffer.concat(opened);
}

/**
 * The bytes of a range of a content in the clear.
 *
 * `read` gives the sealed bytes of a range; it is asked once, for whole chunks.
 * Fails: StorageError "corrupt" before a byte that is not what was written, and at the end when bytes
 * are missing.
 */
export async function* openRange(
  read: (range: ByteSpan) => AsyncIterable<Uint8Array>,
  key: ContentKey,
  { from, to }: ByteSpan,
): AsyncIterable<Uint8Array> {
  const firstChunk = Math.floor(from / CHUNK_BYTES);
  const endChunk = Math.ceil(to / CHUNK_BYTES);
  const sealed = {
    from: firstChunk * SEALED_CHUNK_BYTES,
    to: Math.min(endChunk * SEALED_CHUNK_BYTES, sealedSize(key.sizeBytes)),
  };
  let index = firstChunk;
  for await (const chunk of inChunks(read(sealed))) {
    const start = index * CHUNK_BYTES;
    const opened = openChunk(chunk, index, key);
    index += 1;
    yield opened.subarray(Math.max(from - start, 0), Math.min(to - start, opened.length));
  }
  if (index !== endChunk) throw corrupt();
}

/** The same bytes, cut where chunks end. A chunk is valid until the next is asked for. */
async function* inChunks(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const cutter = new Cutter(SEALED_CHUNK_BYTES);
  for await (const piece of bytes) yield* cutter.cut(piece);
  yield* cutter.rest();
}

/** Cuts bytes that come in any pieces into chunks of one size; copies only what lies across two pieces. */
class Cutter {
  readonly #chunkBytes: number;
  /** Made when it is first needed. */
  #pending: Buffer | undefined;
  #pendingBytes = 0;

  constructor(chunkBytes: number) {
    this.#chunkBytes = chunkBytes;
  }

  /** Each chunk is valid until the next is asked for. */
  *cut(piece: Uint8Array): Iterable<Uint8Array> {
    for (let at = 0; at < piece.length; ) {
      if (this.#pendingBytes === 0 && piece.length - at >= this.#chunkBytes) {
        yield asBuffer(piece.subarray(at, at + this.#chunkBytes));
        at += this.#chunkBytes;
        continue;
      }
      const part = piece.subarray(at, at + this.#chunkBytes - this.#pendingBytes);
      this.#pending ??= Buffer.allocUnsafe(this.#chunkBytes);
      this.#pending.set(part, this.#pendingBytes);
      this.#pendingBytes += part.length;
      at += part.length;
      if (this.#pendingBytes === this.#chunkBytes) yield* this.rest();
    }
  }

  /** What is left of a chunk. */
  *rest(): Iterable<Uint8Array> {
    if (this.#pending === undefined || this.#pendingBytes === 0) return;
    const rest = this.#pending.subarray(0, this.#pendingBytes);
    this.#pendingBytes = 0;
    yield rest;
  }
}

function openChunk(sealed: Uint8Array, index: number, { key, sizeBytes }: ContentKey): Buffer {
  const end = sealed.length - TAG_BYTES;
  if (end <= 0) throw corrupt();
  const decipher = createDecipheriv(CIPHER, key, nonceOf(index), { authTagLength: TAG_BYTES });
  decipher.setAAD(sizeText(sizeBytes));
  decipher.setAuthTag(sealed.subarray(end));
  const opened = decipher.update(sealed.subarray(0, end));
  try {
    decipher.final();
  } catch (cause) {
    throw corrupt(cause);
  }
  return opened;
}

function sealedSize(sizeBytes: number): number {
  return sizeBytes + Math.ceil(sizeBytes / CHUNK_BYTES) * TAG_BYTES;
}

function nonceOf(index: number): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES);
  nonce.writeUInt32BE(index, NONCE_BYTES - 4);
  return nonce;
}

function sizeText(sizeBytes: number): Buffer {
  return Buffer.from(String(sizeBytes));
}

function corrupt(cause?: unknown): StorageError {
  const message = "encrypted content is not what was written: a chunk does not open";
  return new StorageError("corrupt", message, cause);
}
