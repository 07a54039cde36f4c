import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type KeyObject,
} from "node:crypto";
import { randomBytes } from "#base/random.ts";

const CIPHER = "aes-256-gcm";
const SALT_BYTES = 16;
const TAG_BYTES = 16;
/** Each sealing has a key of its own, so that none ever meets a second nonce. */
const NONCE = Buffer.alloc(12);

/**
 * Encrypts short secrets under one key, any number of them: AES-256-GCM under a key derived from a
 * random salt, which stands in front.
 *
 * Spec: https://nvlpubs.nist.gov/nistpubs/Legacy/SP/nistspecialpublication800-38d.pdf
 */
export class SecretBox {
  readonly #key: KeyObject;

  /** `key` has 32 bytes. */
  constructor(key: Uint8Array) {
    this.#key = createSecretKey(key);
  }

  /** Opens only under the same `context`. Base64. */
  seal(secret: Uint8Array, context: string): string {
    const salt = randomBytes(SALT_BYTES);
    const cipher = createCipheriv(CIPHER, this.#keyOf(salt), NONCE);
    cipher.setAAD(Buffer.from(context));
    const sealed = Buffer.concat([cipher.update(secret), cipher.final()]);
    return Buffer.concat([salt, sealed, cipher.getAuthTag()]).toString("base64");
  }

  /** undefined for what this key did not seal, or not under this context. */
  open(text: string, context: string): Buffer | undefined {
    const bytes = Buffer.from(text, "base64");
    if (bytes.length < SALT_BYTES + TAG_BYTES) return undefined;
    const end = bytes.length - TAG_BYTES;
    const key = this.#keyOf(bytes.subarray(0, SALT_BYTES));
    const decipher = createDecipheriv(CIPHER, key, NONCE, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(context));
    decipher.setAuthTag(bytes.subarray(end));
    const secret = decipher.update(bytes.subarray(SALT_BYTES, end));
    try {
      decipher.final();
      return secret;
    } catch {
      return undefined;
    }
  }

  // A KeyObject, for bytes as a key cost Node several times what the encryption does.
  #keyOf(salt: Uint8Array): KeyObject {
    return createSecretKey(createHmac("sha256", this.#key).update(salt).digest());
  }
}

/** A key of 32 bytes for one purpose, from which neither the key it came from nor its siblings follow. */
export function derivedKey(key: Uint8Array, purpose: string): Buffer {
  return createHmac("sha256", createSecretKey(key)).update(`lode/${purpose}`).digest();
}
