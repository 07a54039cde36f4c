import { digestOf } from "#base/checksum.ts";
import { invalidArgument, S3Error } from "#base/error.ts";
import { isLoopback } from "#base/loopback.ts";
import type { BucketSettings } from "#catalog/bucket-settings.ts";
import { CustomerKey, type Encryption, type EncryptionKind } from "#object/encryption.ts";
import type { FramedRequest } from "#s3/request.ts";

const SERVER = "x-amz-server-side-encryption";
const CUSTOMER = "server-side-encryption-customer";
const HEADERS = ["algorithm", "key", "key-md5"];
/** Of 256 bits. */
const KEY_SHAPE = /^[A-Za-z0-9+/]{43}=$/;

/**
 * What a write asks for; undefined when it leaves it to the bucket.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingServerSideEncryption.html
 * Fails: as readCustomerKey, NotImplemented (SSE-KMS), InvalidArgument.
 */
export function readEncryption(request: FramedRequest): Encryption | undefined {
  const { headers } = request;
  const kind = headers[SERVER];
  // Before either of them is looked at.
  if (kind !== undefined && HEADERS.some((each) => `x-amz-${CUSTOMER}-${each}` in headers)) {
    const message =
      "Server Side Encryption with Customer provided key is incompatible with the encryption method specified";
    throw invalidArgument(SERVER, kind, message);
  }
  const key = readCustomerKey(request);
  if (kind !== undefined) requireServerAlgorithm(kind);
  for (const name of [`${SERVER}-aws-kms-key-id`, `${SERVER}-context`]) {
    if (headers[name] === undefined) continue;
    const message = `Server Side Encryption with AWS KMS managed key requires HTTP header ${SERVER} : aws:kms`;
    throw invalidArgument(SERVER, kind ?? "null", message);
  }
  if (key !== undefined) return { kind: "SSE-C", key };
  return kind === undefined ? undefined : { kind: "SSE-S3" };
}

/** What a write is encrypted with: as it asks, else as the bucket is set. */
export function encryptionFor(
  { encrypts }: BucketSettings,
  asked: Encryption | undefined,
): Encryption | undefined {
  return asked ?? (encrypts ? { kind: "SSE-S3" } : undefined);
}

/** A read names no method: the object knows it. Fails: as readCustomerKey, InvalidArgument. */
export function readKeyToOpen(request: FramedRequest): CustomerKey | undefined {
  const kind = request.headers[SERVER];
  if (kind !== undefined) {
    const message = `${SERVER} header is not supported for this operation.`;
    throw invalidArgument(SERVER, kind, message);
  }
  return readCustomerKey(request);
}

/**
 * The key of SSE-C; `of` "copy-source" for the source of a copy.
 *
 * Differs: AWS takes keys over HTTPS alone; here they may come over plain HTTP from the same machine.
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
 * Observed: 2026-02-21, as others recorded AWS: the codes, and that the errors name `x-amz-server-side-encryption`.
 * Fails: InvalidArgument (a header is missing, the key has not 256 bits, the digest is not the key's),
 * InvalidEncryptionAlgorithmError, InvalidRequest (the connection is not secure).
 */
export function readCustomerKey(
  { headers, secure, remoteAddress }: Pick<FramedRequest, "headers" | "secure" | "remoteAddress">,
  of?: "copy-source",
): CustomerKey | undefined {
  const stem = `x-amz-${of === undefined ? "" : `${of}-`}${CUSTOMER}`;
  const algorithm = headers[`${stem}-algorithm`];
  const key = headers[`${stem}-key`];
  const md5 = headers[`${stem}-key-md5`];
  if (algorithm === undefined && key === undefined && md5 === undefined) return undefined;
  if (algorithm === undefined) throw missing("a valid encryption algorithm");
  if (algorithm !== "AES256") {
    const detail = { ArgumentName: SERVER, ArgumentValue: algorithm };
    throw new S3Error("InvalidEncryptionAlgorithmError", detail);
  }
  if (key === undefined) throw missing("an appropriate secret key");
  if (md5 === undefined) throw missing("the client calculated MD5 of the secret key");
  if (!secure && !isLoopback(remoteAddress)) throw notSecure();
  return customerKey(key, md5);
}

/** What a reply says of an object's encryption. */
export function encryptionHeaders(
  kind: EncryptionKind | undefined,
  key: CustomerKey | undefined,
): Record<string, string> {
  if (kind === undefined) return {};
  if (kind === "SSE-S3") return { [SERVER]: "AES256" };
  const algorithm = { [`x-amz-${CUSTOMER}-algorithm`]: "AES256" };
  return key === undefined ? algorithm : { ...algorithm, [`x-amz-${CUSTOMER}-key-MD5`]: key.md5 };
}

export function keyOfEncryption(encryption: Encryption | undefined): CustomerKey | undefined {
  return encryption?.kind === "SSE-C" ? encryption.key : undefined;
}

/** Fails: NotImplemented (SSE-KMS), InvalidArgument. */
export function requireServerAlgorithm(name: string): void {
  if (name === "AES256") return;
  if (name === "aws:kms" || name === "aws:kms:dsse") throw kmsNotOffered(name);
  throw invalidArgument(SERVER, name, "The encryption method specified is not supported");
}

/** Differs: on AWS there is a key management service, and SSE-KMS and DSSE-KMS with it. */
function kmsNotOffered(name: string): S3Error {
  const message = `The algorithm ${name} asks for SSE-KMS, which is not implemented: there is no key management service here. Use AES256 (SSE-S3) or a key of your own (SSE-C).`;
  return new S3Error("NotImplemented", { Operation: "SSE-KMS" }, { message });
}

function customerKey(text: string, md5: string): CustomerKey {
  if (!KEY_SHAPE.test(text)) {
    throw badKey("The secret key was invalid for the specified algorithm.");
  }
  const bytes = Buffer.from(text, "base64");
  if (digestOf("MD5", bytes).toString("base64") !== md5) {
    throw badKey("The calculated MD5 hash of the key did not match the hash that was provided.");
  }
  return new CustomerKey(bytes, md5);
}

function missing(what: string): S3Error {
  return badKey(
    `Requests specifying Server Side Encryption with Customer provided keys must provide ${what}.`,
  );
}

/** The key itself stays out of the answer. */
function badKey(message: string): S3Error {
  return invalidArgument(SERVER, undefined, message);
}

function notSecure(): S3Error {
  const message =
    "Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection. Serve HTTPS with --tls-cert and --tls-key.";
  return new S3Error("InvalidRequest", {}, { message });
}
