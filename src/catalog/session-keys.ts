import type { Principal } from "#access/principal.ts";
import { digestOf } from "#base/checksum.ts";
import type { Clock } from "#base/clock.ts";
import type { Keyring } from "#base/keyring.ts";
import { newSecretKey, SESSION_KEY_PREFIX } from "#catalog/access-key-form.ts";
import { type Credential, sessionDigestOf } from "#catalog/access-keys.ts";
import { type Holder, type Holders, organizationOf } from "#catalog/holders.ts";
import type { Revocations } from "#catalog/revocations.ts";

/** What a client needs to use a session key. */
export interface SessionKey {
  readonly accessKeyId: string;
  readonly secretKey: string;
  readonly sessionToken: string;
  readonly expiryMs: number;
}

export interface NewSessionKey {
  readonly principal: Principal;
  /** The configuration that let a federated role in. */
  readonly federationId?: string | undefined;
  readonly durationSeconds: number;
}

/** What a token seals. */
interface SealedKey extends Holder {
  readonly secret: string;
  readonly createdMs: number;
  readonly expiryMs: number;
}

interface OpenedKey extends SealedKey {
  readonly accessKeyId: string;
  readonly sessionDigest: string;
}

/** As AWS and CoreWeave limit them. */
export const SESSION_SECONDS_MAX = 43_200;
const PURPOSE = "session keys";
const TOKEN = /^cwt_([0-9a-f]{16})\.([\w-]{40,8000})$/;
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const KNOWN_MAX = 1_000;

export interface SessionKeysParts {
  readonly clock: Clock;
  readonly keyring: Keyring;
  readonly holders: Holders;
  readonly revocations: Revocations;
}

/**
 * Short-lived keys that need a session token. Nothing is stored when one is made: the token is the key
 * itself, sealed under the master key, so that any process opens it. SDKs ask for keys of 15 minutes
 * before each request, because fewer than 15 minutes are left of them; so one must cost little, and
 * thousands must not pile up.
 */
export class SessionKeys {
  readonly #parts: SessionKeysParts;
  /** Opened tokens: to open one costs about as much as the rest of a small request. */
  readonly #known = new Map<string, OpenedKey>();

  constructor(parts: SessionKeysParts) {
    this.#parts = parts;
  }

  /** Fails: InvalidArgument, NotFound. */
  async create({ principal, federationId, durationSeconds }: NewSessionKey): Promise<SessionKey> {
    const { clock, keyring, holders } = this.#parts;
    organizationOf(principal);
    const secretKey = newSecretKey();
    const createdMs = clock.now();
    const expiryMs = createdMs + durationSeconds * 1_000;
    const holder = await holders.holder(principal, federationId);
    const sealed: SealedKey = { ...holder, secret: secretKey, createdMs, expiryMs };
    const keyId = keyring.sealingKeyId;
    const text = keyring.box(keyId, PURPOSE).seal(Buffer.from(JSON.stringify(sealed)), PURPOSE);
    const sessionToken = `cwt_${keyId}.${Buffer.from(text, "base64").toString("base64url")}`;
    return { accessKeyId: accessKeyIdOf(sessionToken), secretKey, sessionToken, expiryMs };
  }

  /** undefined for a token that is not this key's, or whose key was revoked or lost its holder. */
  async find(accessKeyId: string, sessionToken: string): Promise<Credential | undefined> {
    const { holders, revocations } = this.#parts;
    const opened = this.#open(sessionToken);
    if (opened?.accessKeyId !== accessKeyId) return undefined;
    const { secret, createdMs, expiryMs, sessionDigest } = opened;
    const principal = await holders.asItIsNow(opened);
    if (principal === undefined) return undefined;
    const key = { accessKeyId, principalName: principal.name, createdMs };
    if (await revocations.isRevoked(organizationOf(principal), key)) return undefined;
    return { secret, principal, expiryMs, sessionDigest };
  }

  #open(sessionToken: string): OpenedKey | undefined {
    const known = this.#known.get(sessionToken);
    if (known !== undefined) return known;
    const [, keyId = "", sealed = ""] = TOKEN.exec(sessionToken) ?? [];
    const { keyring } = this.#parts;
    if (!keyring.keyIds.includes(keyId)) return undefined;
    const plain = keyring.box(keyId, PURPOSE).open(sealed, PURPOSE);
    if (plain === undefined) return undefined;
    // Whoever sealed it was one of us.
    const key = JSON.parse(plain.toString()) as SealedKey;
    const accessKeyId = accessKeyIdOf(sessionToken);
    const opened = { ...key, accessKeyId, sessionDigest: sessionDigestOf(sessionToken) };
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(sessionToken, opened);
    return opened;
  }
}

function accessKeyIdOf(sessionToken: string): string {
  const digest = digestOf("SHA256", Buffer.from(sessionToken));
  const letters = Array.from(
    { length: 13 },
    (_, at) => LETTERS[(digest[at] ?? 0) % LETTERS.length],
  );
  return `${SESSION_KEY_PREFIX}${letters.join("")}`;
}
