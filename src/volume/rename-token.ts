import { rm } from "node:fs/promises";
import { digestOf } from "#base/checksum.ts";
import { S3Error } from "#base/error.ts";
import type { RenameInput } from "#object/engine.ts";
import type { SystemPath } from "#volume/open-directory.ts";
import { readSmallIn } from "#volume/read-small.ts";
import type { Volume } from "#volume/volume.ts";
import { replaceDurably } from "#volume/write-durably.ts";

/** A rename that was begun under a client's token. */
export interface BegunRename {
  readonly etag: string;
  /** Of what is renamed, decimal: while it is at the source, the rename has not happened. */
  readonly inode: string;
}

interface Stored extends BegunRename {
  readonly fingerprint: string;
}

/** Names a rename, so that its repetition does nothing again. */
export class RenameToken {
  readonly #volume: Volume;
  readonly #name: string;
  readonly #fingerprint: string;

  constructor(volume: Volume, key: string, input: RenameInput & { readonly token: string }) {
    const { token, source, conditions, sourceConditions } = input;
    this.#volume = volume;
    this.#name = sha256(token);
    this.#fingerprint = sha256(JSON.stringify([key, source, conditions, sourceConditions]));
  }

  /** undefined when the token is new. Fails: IdempotencyParameterMismatch. */
  async find(): Promise<BegunRename | undefined> {
    const text = await readSmallIn(this.#volume.hidden, { directory: "tokens", name: this.#name });
    if (text === undefined) return undefined;
    const stored: Stored = JSON.parse(text);
    if (stored.fingerprint === this.#fingerprint) return stored;
    throw new S3Error("IdempotencyParameterMismatch", {});
  }

  /** Durable before the rename, so that one who comes after a crash can tell. */
  async begin({ etag, inode }: BegunRename): Promise<void> {
    const stored: Stored = { fingerprint: this.#fingerprint, etag, inode };
    await replaceDurably(this.#path, JSON.stringify(stored), this.#volume.temporary());
    await using tokens = await this.#volume.hidden.child("tokens");
    await tokens.sync();
  }

  /** It did not happen. */
  async forget(): Promise<void> {
    await rm(this.#path, { force: true });
  }

  get #path(): SystemPath {
    return this.#volume.hidden.entry(`tokens/${this.#name}`);
  }
}

function sha256(text: string): string {
  return digestOf("SHA256", Buffer.from(text)).toString("hex");
}
