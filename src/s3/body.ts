import { assert } from "#base/assert.ts";
import type { ChecksumAlgorithm } from "#base/checksum.ts";
import { digestOf } from "#base/checksum.ts";
import { S3Error } from "#base/error.ts";
import type { Body, Claims } from "#object/body.ts";
import { requireMd5 } from "#object/digests.ts";
import {
  checksumHeader,
  readAlgorithm,
  readDigest,
  type SentChecksum,
  sentChecksum,
} from "#s3/checksum-headers.ts";
import type { Headers } from "#s3/request.ts";
import { decodeAwsChunked, readChunkedOptions } from "#s3/signature/aws-chunked.ts";
import { type PayloadMode, UNSIGNED_PAYLOAD } from "#s3/signature/payload.ts";
import type { VerifiedSignature } from "#s3/signature/verify.ts";

/** Of XML and JSON documents, as AWS limits them. */
const DOCUMENT_BYTES_MAX = 2 * 2 ** 20;
const MD5_BYTES = 16;
/** Where an SDK says by which algorithm the checksum is. */
const WANTED = "x-amz-sdk-checksum-algorithm";

/** Where a body comes from, before it means anything. */
export interface BodySource {
  readonly headers: Headers;
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly payload: PayloadMode | undefined;
  /** Whether a request without Content-Length is refused, or has no body. */
  readonly lengthRequired: boolean;
  /** Whether checksum headers are about these bytes. */
  readonly hasChecksum: boolean;
  /** undefined for an anonymous request. */
  readonly verified: VerifiedSignature | undefined;
}

/**
 * The bytes a client means to send, out of their framing, with what must be true of them.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 * Fails: MissingContentLength, InvalidDigest, InvalidRequest; as it is read, IncompleteBody and what
 * the chunk signatures fail with.
 */
export function bodyOf(source: BodySource): Body {
  const { headers } = source;
  const payload = source.payload ?? UNSIGNED_PAYLOAD;
  const md5 = readMd5(headers["content-md5"]);
  const header = source.hasChecksum ? sentChecksum(headers) : undefined;
  const headerDigest = header === undefined ? undefined : readDigest(header);
  const sha256 = payload.kind === "hash" ? Buffer.from(payload.sha256, "hex") : undefined;
  const wanted = source.hasChecksum ? readAlgorithm(headers[WANTED], WANTED) : undefined;
  if (wanted !== undefined && header === undefined && headers["x-amz-trailer"] === undefined) {
    const message = `${WANTED} specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.`;
    throw new S3Error("InvalidRequest", {}, { message });
  }
  requireWanted(wanted, header?.algorithm);
  if (payload.kind !== "chunked") {
    const claims = { md5, sha256, checksum: headerDigest };
    return {
      sizeBytes: contentLength(source),
      ...{ chunks: source.chunks, chunksStay: true },
      algorithm: header?.algorithm ?? wanted,
      hasSha256: sha256 !== undefined,
      claims: () => claims,
    };
  }
  const options = readChunkedOptions(headers, payload, source.verified);
  const decoded = decodeAwsChunked(source.chunks, options);
  const trailer = trailerAlgorithm(options.announced, header);
  requireWanted(wanted, trailer);
  return {
    sizeBytes: options.decodedLengthBytes,
    ...{ chunks: decoded, chunksStay: true },
    algorithm: header?.algorithm ?? trailer ?? wanted,
    hasSha256: false,
    claims: () => ({
      md5,
      sha256: undefined,
      checksum: headerDigest ?? trailerDigest(trailer, decoded.trailers),
    }),
  };
}

/**
 * Observed: 2026-08-19, as others measured AWS: the message; and that CompleteMultipartUpload does not look at it.
 * Fails: InvalidRequest when a checksum comes by another algorithm than the request says.
 */
function requireWanted(
  wanted: ChecksumAlgorithm | undefined,
  given: ChecksumAlgorithm | undefined,
): void {
  if (wanted === undefined || given === undefined || wanted === given) return;
  const message = `Value for ${WANTED} header is invalid.`;
  throw new S3Error("InvalidRequest", {}, { message });
}

/** The whole of a small body, its digests checked. Fails: MaxMessageLengthExceeded, BadDigest. */
export async function readDocument(body: Body): Promise<string> {
  if (body.sizeBytes > DOCUMENT_BYTES_MAX) throw new S3Error("MaxMessageLengthExceeded", {});
  const chunks: Buffer[] = [];
  for await (const chunk of body.chunks) chunks.push(Buffer.from(chunk));
  const bytes = Buffer.concat(chunks);
  requireClaims(bytes, body.claims(), body.algorithm);
  return bytes.toString("utf8");
}

function requireClaims(
  bytes: Buffer,
  { md5, sha256, checksum }: Claims,
  algorithm: ChecksumAlgorithm | undefined,
): void {
  if (md5 !== undefined) requireMd5(md5, digestOf("MD5", bytes));
  if (sha256 !== undefined) {
    const computed = digestOf("SHA256", bytes);
    if (!computed.equals(sha256)) {
      throw new S3Error("XAmzContentSHA256Mismatch", {
        ClientComputedContentSHA256: sha256.toString("hex"),
        S3ComputedContentSHA256: computed.toString("hex"),
      });
    }
  }
  if (checksum !== undefined) {
    assert(algorithm !== undefined, "a checksum has an algorithm");
    if (!digestOf(algorithm, bytes).equals(checksum)) throw new S3Error("BadDigest", {});
  }
}

/** Fails: MissingContentLength. */
function contentLength({ headers, lengthRequired }: BodySource): number {
  const text = headers["content-length"];
  if (text !== undefined) return Number(text);
  if (lengthRequired || headers["transfer-encoding"] !== undefined) {
    throw new S3Error("MissingContentLength", {});
  }
  return 0;
}

/** Fails: InvalidDigest. */
function readMd5(text: string | undefined): Buffer | undefined {
  if (text === undefined) return undefined;
  const digest = Buffer.from(text, "base64");
  if (digest.length !== MD5_BYTES || digest.toString("base64") !== text.trim()) {
    const message = "The Content-MD5 you specified was invalid.";
    throw new S3Error("InvalidDigest", { "Content-MD5": text }, { message });
  }
  return digest;
}

/** Fails: InvalidRequest when a checksum comes as a header too, or two come as trailers. */
function trailerAlgorithm(
  announced: readonly string[],
  header: SentChecksum | undefined,
): ChecksumAlgorithm | undefined {
  const [name, ...more] = announced;
  if (name === undefined) return undefined;
  if (more.length > 0 || header !== undefined) {
    const message = "Expecting a single x-amz-checksum- header or trailer.";
    throw new S3Error("InvalidRequest", {}, { message });
  }
  return readAlgorithm(name.slice("x-amz-checksum-".length), "x-amz-trailer");
}

function trailerDigest(
  algorithm: ChecksumAlgorithm | undefined,
  trailers: ReadonlyMap<string, string>,
): Buffer | undefined {
  const value = algorithm === undefined ? undefined : trailers.get(checksumHeader(algorithm));
  return algorithm === undefined || value === undefined
    ? undefined
    : readDigest({ algorithm, value });
}
