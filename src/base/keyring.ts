import { assert } from "#base/assert.ts";
import { StorageError } from "#base/error.ts";
import { derivedKey, SecretBox } from "#base/secret-box.ts";

/** The first seals; all open. So a key is changed by putting a new one before it. */
export class Keyring {
  readonly #keys: ReadonlyMap<string, Uint8Array>;
  readonly #first: string;
  readonly #boxes = new Map<string, SecretBox>();

  /** Each of 32 bytes; at least one. */
  constructor(keys: readonly [Uint8Array, ...Uint8Array[]]) {
    this.#keys = new Map(keys.map((key) => [keyIdOf(key), key]));
    this.#first = keyIdOf(keys[0]);
  }

  /** Each of 64 hexadecimal digits. */
  static fromHex(keys: readonly string[]): Keyring {
    const [first, ...rest] = keys.map((key) => Buffer.from(key, "hex"));
    assert(first !== undefined, "there is a master key");
    return new Keyring([first, ...rest]);
  }

  /** Of all its keys. They tell nothing of the keys themselves. */
  get keyIds(): readonly string[] {
    return [...this.#keys.keys()];
  }

  /** The key that seals now. */
  get sealingKeyId(): string {
    return this.#first;
  }

  /** Fails: StorageError "corrupt" when the ring does not hold that key. */
  box(keyId: string, purpose: string): SecretBox {
    const name = `${keyId}/${purpose}`;
    const known = this.#boxes.get(name);
    if (known !== undefined) return known;
    const key = this.#keys.get(keyId);
    if (key === undefined) {
      const message = `it was encrypted under the master key ${keyId}, which is not among the master keys. Add that key's line to the master key file.`;
      throw new StorageError("corrupt", message);
    }
    const box = new SecretBox(derivedKey(key, purpose));
    this.#boxes.set(name, box);
    return box;
  }
}

/** Names a key without telling anything of it. */
function keyIdOf(key: Uint8Array): string {
  return derivedKey(key, "key id").toString("hex", 0, 8);
}
