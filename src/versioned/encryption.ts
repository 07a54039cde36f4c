import { S3Error, StorageError } from "#base/error.ts";
import type { Keyring } from "#base/keyring.ts";
import { randomBytes } from "#base/random.ts";
import { derivedKey, SecretBox } from "#base/secret-box.ts";
import type { CustomerKey, Encryption } from "#object/encryption.ts";
import type { ContentKey } from "#versioned/sealed-chunks.ts";

/**
 * What a record says of how its bytes are encrypted. `key` is the object's own, wrapped under the
 * client's or under the master key `keyId`; it wraps the keys of the contents in turn. So another key
 * takes another record and nothing else, however many parts there are.
 */
export type EncryptionRecord =
  | { readonly kind: "SSE-C"; readonly key: string }
  | { readonly kind: "SSE-S3"; readonly keyId: string; readonly key: string };

/** A content's own key, wrapped under the object's, and its size in the clear. */
export interface Seal {
  readonly key: string;
  readonly sizeBytes: number;
}

/** What opens and makes the seals of one object. */
export interface Lock {
  readonly record: EncryptionRecord;
  readonly objectKey: Uint8Array;
  readonly box: SecretBox;
}

const OBJECT_KEY_BYTES = 32;
const OBJECT = "object";

/** The lock of something new. undefined: it stays in the clear. */
export function newLock(keyring: Keyring, encryption: Encryption | undefined): Lock | undefined {
  return encryption && lockUnder(keyring, encryption, randomBytes(OBJECT_KEY_BYTES));
}

/** Another lock that opens the same seals. */
export function relocked(keyring: Keyring, encryption: Encryption, { objectKey }: Lock): Lock {
  return lockUnder(keyring, encryption, objectKey);
}

function lockUnder(keyring: Keyring, encryption: Encryption, objectKey: Uint8Array): Lock {
  const box = new SecretBox(objectKey);
  if (encryption.kind === "SSE-C") {
    const key = customerBox(encryption.key).seal(objectKey, OBJECT);
    return { record: { kind: "SSE-C", key }, objectKey, box };
  }
  const keyId = keyring.sealingKeyId;
  const key = serverBox(keyring, keyId).seal(objectKey, OBJECT);
  return { record: { kind: "SSE-S3", keyId, key }, objectKey, box };
}

/**
 * The lock of something stored, for who brings the right key.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
 * Fails: InvalidRequest when a key is missing or out of place, AccessDenied when it is another one;
 * StorageError "corrupt".
 */
export function lockOf(
  keyring: Keyring,
  record: EncryptionRecord | undefined,
  key: CustomerKey | undefined,
): Lock | undefined {
  if (record?.kind === "SSE-C") {
    if (key === undefined) throw keyMissing();
    return opened(record, customerBox(key)) ?? refuseKey();
  }
  if (key !== undefined) throw notApplicable();
  return record && (opened(record, serverBox(keyring, record.keyId)) ?? damaged());
}

function opened(record: EncryptionRecord, outer: SecretBox): Lock | undefined {
  const objectKey = outer.open(record.key, OBJECT);
  return objectKey && { record, objectKey, box: new SecretBox(objectKey) };
}

export function sealOf({ key, sizeBytes }: ContentKey, { box }: Lock): Seal {
  return { key: box.seal(key, contentOf(sizeBytes)), sizeBytes };
}

/** Fails: StorageError "corrupt". */
export function contentKeyOf({ key, sizeBytes }: Seal, { box }: Lock): ContentKey {
  return { key: box.open(key, contentOf(sizeBytes)) ?? damaged(), sizeBytes };
}

/** The same content under another lock: its bytes stay as they are. */
export function resealed(seal: Seal, from: Lock, to: Lock): Seal {
  return sealOf(contentKeyOf(seal, from), to);
}

/**
 * The hexadecimal digits of an ETag: the MD5, or where the client alone has the key what follows from both
 * the MD5 and the object's key, for an MD5 tells of the bytes. A part that is sent twice has one ETag.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html (ETag)
 */
export function etagDigits(md5: Buffer, lock: Lock | undefined): string {
  const digits = md5.toString("hex");
  if (lock?.record.kind !== "SSE-C") return digits;
  return derivedKey(lock.objectKey, `etag/${digits}`).toString("hex", 0, md5.length);
}

/** An empty content has no chunk that could vouch for its size: here each does. */
function contentOf(sizeBytes: number): string {
  return `content/${sizeBytes}`;
}

function customerBox(key: CustomerKey): SecretBox {
  return new SecretBox(derivedKey(key.reveal(), "sse-c"));
}

function serverBox(keyring: Keyring, keyId: string): SecretBox {
  return keyring.box(keyId, "sse-s3");
}

function keyMissing(): S3Error {
  const message =
    "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.";
  return new S3Error("InvalidRequest", {}, { message });
}

function notApplicable(): S3Error {
  const message = "The encryption parameters are not applicable to this object.";
  return new S3Error("InvalidRequest", {}, { message });
}

function refuseKey(): never {
  const message =
    "The encryption key that you provided is not the one that the object was stored with.";
  throw new S3Error("AccessDenied", {}, { message });
}

function damaged(): never {
  const message = "a key of an encrypted object does not open: its record is damaged";
  throw new StorageError("corrupt", message);
}
