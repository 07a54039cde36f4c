import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from "node:crypto";
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

/** As a chunk needs it: bytes as a key would cost Node more than the chunk does. */
interface OpenKey {
  readonly key: KeyObject;
  /** The size as text, authenticated with each chunk. */
  readonly size: Buffer;
}

function opened({ key, sizeBytes }: ContentKey): OpenKey {
  return { key: createSecretKey(key), size: Buffer.from(String(sizeBytes)) };
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
  readonly #key: OpenKey;
  readonly #sizeBytes: number;
  readonly #cutter = new Cutter(CHUNK_BYTES);
  #chunks = 0;
  #takenBytes = 0;

  constructor(key: ContentKey) {
    this.#key = opened(key);
    this.#sizeBytes = key.sizeBytes;
  }

  /** The chunks that `bytes` completed, sealed, in pieces. Keeps no reference to `bytes`. */
  *update(bytes: Uint8Array): Iterable<Buffer> {
    this.#takenBytes += bytes.length;
    for (const chunk of this.#cutter.cut(bytes)) yield* this.#seal(chunk);
  }

  /** The last chunk, when there is one. */
  *finish(): Iterable<Buffer> {
    assert(this.#takenBytes === this.#sizeBytes, "a content has the size that was announced");
    for (const chunk of this.#cutter.rest()) yield* this.#seal(chunk);
  }

  *#seal(chunk: Uint8Array): Iterable<Buffer> {
    const { key, size } = this.#key;
    const cipher = createCipheriv(CIPHER, key, nonceOf(this.#chunks));
    cipher.setAAD(size);
    this.#chunks += 1;
    yield cipher.update(chunk);
    cipher.final();
    yield cipher.getAuthTag();
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
  const openKey = opened(key);
  const chunks: Buffer[] = [];
  for (let at = 0; at < sealed.length; at += SEALED_CHUNK_BYTES) {
    const chunk = sealed.subarray(at, at + SEALED_CHUNK_BYTES);
    chunks.push(openChunk(chunk, chunks.length, openKey));
  }
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
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
  const openKey = opened(key);
  let index = firstChunk;
  for await (const chunk of inChunks(read(sealed))) {
    const start = index * CHUNK_BYTES;
    const bytes = openChunk(chunk, index, openKey);
    index += 1;
    yield bytes.subarray(Math.max(from - start, 0), Math.min(to - start, bytes.length));
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

function openChunk(sealed: Uint8Array, index: number, { key, size }: OpenKey): Buffer {
  const end = sealed.length - TAG_BYTES;
  if (end <= 0) throw corrupt();
  const decipher = createDecipheriv(CIPHER, key, nonceOf(index), { authTagLength: TAG_BYTES });
  decipher.setAAD(size);
  decipher.setAuthTag(sealed.subarray(end));
  const bytes = decipher.update(sealed.subarray(0, end));
  try {
    decipher.final();
  } catch (cause) {
    throw corrupt(cause);
  }
  return bytes;
}

/** How many bytes a content takes when it is sealed. */
export function sealedSize(sizeBytes: number): number {
  return sizeBytes + Math.ceil(sizeBytes / CHUNK_BYTES) * TAG_BYTES;
}

function nonceOf(index: number): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES);
  nonce.writeUInt32BE(index, NONCE_BYTES - 4);
  return nonce;
}

function corrupt(cause?: unknown): StorageError {
  const message = "encrypted content is not what was written: a chunk does not open";
  return new StorageError("corrupt", message, cause);
}
