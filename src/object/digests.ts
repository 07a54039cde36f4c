import { type ChecksumAlgorithm, digestOf, type Hasher, hasher } from "#base/checksum.ts";
import { Md5 } from "#base/digest/md5.ts";
import { S3Error } from "#base/error.ts";
import type { Body } from "#object/body.ts";

/** What was computed of a body that is what its client said. */
export interface Digests {
  readonly md5: Buffer;
  readonly checksums: ReadonlyMap<ChecksumAlgorithm, Buffer>;
}

/** Below it a sum of one's own is made sooner than one beside others. */
const ALONE_BYTES_MAX = 16 * 1_024;

/** Digests that a body's client claims, and those that are kept. */
interface Computed extends Digests {
  readonly sha256: Buffer | undefined;
}

/** The digests of a body, made chunk by chunk on its way, and held against what its client says. */
export class BodyDigests {
  readonly #body: Body;
  readonly #md5 = new Md5();
  readonly #sha256: Hasher | undefined;
  readonly #checksums: ReadonlyMap<ChecksumAlgorithm, Hasher>;

  constructor(body: Body, algorithms: Iterable<ChecksumAlgorithm>) {
    this.#body = body;
    this.#sha256 = body.hasSha256 ? hasher("SHA256") : undefined;
    this.#checksums = new Map([...algorithms].map((each) => [each, hasher(each)]));
  }

  /** Resolves when the chunk has been read, and the next one may come. */
  async update(chunk: Uint8Array): Promise<void> {
    this.#sha256?.update(chunk);
    for (const each of this.#checksums.values()) each.update(chunk);
    await this.#md5.update(chunk);
  }

  /** Once, after the last chunk. Fails: BadDigest, XAmzContentSHA256Mismatch. */
  finish(): Digests {
    const md5 = this.#md5.digest();
    const sha256 = this.#sha256?.digest();
    const checksums = new Map([...this.#checksums].map(([each, sum]) => [each, sum.digest()]));
    requireClaimed(this.#body, { md5, sha256, checksums });
    return { md5, checksums };
  }
}

/** The same, of a body whose bytes are all here. */
export async function wholeDigests(
  body: Body,
  bytes: Uint8Array,
  algorithms: Iterable<ChecksumAlgorithm>,
): Promise<Digests> {
  const sha256 = body.hasSha256 ? digestOf("SHA256", bytes) : undefined;
  const checksums = new Map([...algorithms].map((each) => [each, digestOf(each, bytes)]));
  const md5 = bytes.length <= ALONE_BYTES_MAX ? digestOf("MD5", bytes) : await md5Of(bytes);
  requireClaimed(body, { md5, sha256, checksums });
  return { md5, checksums };
}

/** In base64, as records and clients have them. */
export function checksumTexts({
  checksums,
}: Pick<Digests, "checksums">): Partial<Record<ChecksumAlgorithm, string>> {
  return Object.fromEntries(
    [...checksums].map(([algorithm, digest]) => [algorithm, digest.toString("base64")]),
  );
}

async function md5Of(bytes: Uint8Array): Promise<Buffer> {
  const sum = new Md5();
  await sum.update(bytes);
  return sum.digest();
}

/**
 * Observed: 2026-02-21, as others recorded AWS: both digests are told, in base64, as parts are answered;
 * of an object that is put whole AWS writes the one that was sent in hexadecimal.
 * Fails: BadDigest.
 */
export function requireMd5(claimed: Buffer, computed: Buffer): void {
  if (claimed.equals(computed)) return;
  const detail = {
    ExpectedDigest: claimed.toString("base64"),
    CalculatedDigest: computed.toString("base64"),
  };
  const message = "The Content-MD5 you specified did not match what we received.";
  throw new S3Error("BadDigest", detail, { message });
}

/** Fails: BadDigest, XAmzContentSHA256Mismatch. */
function requireClaimed(body: Body, { md5, sha256, checksums }: Computed): void {
  const claims = body.claims();
  if (claims.md5 !== undefined) requireMd5(claims.md5, md5);
  if (claims.sha256 !== undefined && sha256 !== undefined && !claims.sha256.equals(sha256)) {
    throw new S3Error("XAmzContentSHA256Mismatch", {
      ClientComputedContentSHA256: claims.sha256.toString("hex"),
      S3ComputedContentSHA256: sha256.toString("hex"),
    });
  }
  const computed = body.algorithm && checksums.get(body.algorithm);
  if (claims.checksum !== undefined && computed?.equals(claims.checksum) !== true) {
    const message = `The ${body.algorithm} you specified did not match the calculated checksum.`;
    throw new S3Error("BadDigest", {}, { message });
  }
}
