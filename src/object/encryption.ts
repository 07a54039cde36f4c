/** How the bytes of an object are encrypted at rest: under a client's key, or under the server's. */
export type EncryptionKind = "SSE-C" | "SSE-S3";

/** What a write asks for. */
export type Encryption =
  | { readonly kind: "SSE-C"; readonly key: CustomerKey }
  | { readonly kind: "SSE-S3" };

/** A key that a client sends along with each request: never stored, never shown in a log. */
export class CustomerKey {
  readonly #bytes: Uint8Array;
  /** Base64. What a reply says of the key. */
  readonly md5: string;

  constructor(bytes: Uint8Array, md5: string) {
    this.#bytes = bytes;
    this.md5 = md5;
  }

  /** 32 bytes. */
  reveal(): Uint8Array {
    return this.#bytes;
  }
}
