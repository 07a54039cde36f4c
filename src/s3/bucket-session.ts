import { timingSafeEqual } from "node:crypto";
import type { Grant } from "#access/grant.ts";
import { digestOf } from "#base/checksum.ts";
import { S3Error } from "#base/error.ts";
import type { Keyring } from "#base/keyring.ts";
import { randomBytes } from "#base/random.ts";
import type { BucketName } from "#object/name.ts";

export const SESSION_MODES = ["ReadWrite", "ReadOnly"] as const;
export type SessionMode = (typeof SESSION_MODES)[number];

/** What the holder of a key let itself be confined to: some time, one bucket, perhaps reading alone. */
export interface BucketSession {
  /** Of whom it has its rights, which are asked for again at each request. */
  readonly parentKeyId: string;
  /** Without which the parent cannot be found, when it is a session key itself. */
  readonly parentToken?: string;
  readonly bucket: BucketName;
  readonly mode: SessionMode;
  readonly expiryMs: number;
}

/** The key whose holder asks for a session. */
export interface SessionParent {
  readonly accessKeyId: string;
  readonly sessionToken?: string | undefined;
  readonly secret: string;
  readonly expiryMs: number | undefined;
}

/** What a client needs to use a session. */
export interface StartedSession {
  readonly accessKeyId: string;
  readonly secret: string;
  readonly sessionToken: string;
  readonly expiryMs: number;
}

/** A session, opened from its token. */
export interface OpenSession extends BucketSession {
  readonly accessKeyId: string;
  readonly secret: string;
  /** Whether the parent's secret is still the one that it was made under. */
  readonly isUnder: (parentSecret: string) => boolean;
}

interface SessionStart {
  readonly parent: SessionParent;
  readonly bucket: BucketName;
  readonly mode: SessionMode;
  readonly nowMs: number;
}

/** What a token seals. */
interface SealedSession extends BucketSession {
  readonly secret: string;
  /** SHA-256 of the parent's secret, in hex. */
  readonly parentDigest: string;
}

const PURPOSE = "bucket sessions";
/** As on AWS. */
const LIFE_MS = 5 * 60 * 1_000;
const SECRET_BYTES = 30;
const TOKEN = /^([0-9a-f]{16})\.([\w-]{40,12000})$/;

/**
 * Sessions of CreateSession. Nothing is stored: a token is the session itself, sealed under the master
 * key, so that any process opens it.
 */
export class BucketSessions {
  readonly #keyring: Keyring;

  constructor(keyring: Keyring) {
    this.#keyring = keyring;
  }

  /** It ends with its parent at the latest. */
  start({ parent, bucket, mode, nowMs }: SessionStart): StartedSession {
    const expiryMs = Math.min(nowMs + LIFE_MS, parent.expiryMs ?? Infinity);
    const secret = randomBytes(SECRET_BYTES).toString("base64url");
    const session: SealedSession = {
      ...{ parentKeyId: parent.accessKeyId, bucket, mode, expiryMs, secret },
      ...(parent.sessionToken === undefined ? {} : { parentToken: parent.sessionToken }),
      parentDigest: sha256(parent.secret),
    };
    const plain = Buffer.from(JSON.stringify(session));
    const keyId = this.#keyring.sealingKeyId;
    const sealed = this.#keyring.box(keyId, PURPOSE).seal(plain, PURPOSE);
    const sessionToken = `${keyId}.${Buffer.from(sealed, "base64").toString("base64url")}`;
    return { accessKeyId: accessKeyIdOf(sessionToken), secret, sessionToken, expiryMs };
  }

  /** undefined for what is no token of a session, or was sealed under a master key that is gone. */
  open(token: string): OpenSession | undefined {
    const [, keyId = "", sealed = ""] = TOKEN.exec(token) ?? [];
    if (!this.#keyring.keyIds.includes(keyId)) return undefined;
    const plain = this.#keyring.box(keyId, PURPOSE).open(sealed, PURPOSE);
    if (plain === undefined) return undefined;
    // Whoever sealed it was one of us.
    const { parentDigest, ...session } = JSON.parse(plain.toString()) as SealedSession;
    return {
      ...session,
      accessKeyId: accessKeyIdOf(token),
      isUnder: (parentSecret) => sameHex(parentDigest, sha256(parentSecret)),
    };
  }
}

/**
 * Holds what is asked for against what the session is for: it only ever takes away.
 *
 * Differs: on AWS a session is for objects alone, and buckets are configured at another endpoint, with the
 * key itself. SDKs that are given an endpoint send all there, in the session.
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateSession.html
 * Fails: AccessDenied.
 */
export function requireWithin({ bucket, mode }: BucketSession, grants: readonly Grant[]): void {
  for (const { action, resource } of grants) {
    const inBucket = resource === bucket || resource.startsWith(`${bucket}/`);
    const inMode = mode === "ReadWrite" || /^s3:(?:Get|List)/.test(action);
    // A session from a session would live longer than it.
    if (inBucket && inMode && action !== "s3:CreateSession") continue;
    const message = `Access Denied: the session is for the bucket ${bucket}, ${mode}.`;
    throw new S3Error("AccessDenied", {}, { message });
  }
}

function accessKeyIdOf(token: string): string {
  return `LODES${sha256(token).slice(0, 15).toUpperCase()}`;
}

/** Whether a key id looks like one of a session, which nothing but its token makes known. */
export function isSessionKey(accessKeyId: string): boolean {
  return /^LODES[0-9A-F]{15}$/.test(accessKeyId);
}

function sha256(text: string): string {
  return digestOf("SHA256", Buffer.from(text)).toString("hex");
}

function sameHex(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a, "hex"), Buffer.from(b, "hex")];
  return left.length === right.length && timingSafeEqual(left, right);
}
