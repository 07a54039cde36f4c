import { type ChecksumAlgorithm, digestOf, type Hasher, hasher } from "#base/checksum.ts";
import { S3Error } from "#base/error.ts";
import type { Body } from "#object/body.ts";

/** Which digests of a body are computed besides its MD5. */
export interface WantedDigests {
  readonly sha256: boolean;
  readonly algorithms: readonly ChecksumAlgorithm[];
}

/** Those of a whole body. */
export interface Digests {
  readonly md5: Buffer;
  readonly sha256: Buffer | undefined;
  readonly checksums: ReadonlyMap<ChecksumAlgorithm, Buffer>;
}

export function digestsOf(bytes: Uint8Array, wanted: WantedDigests): Digests {
  return {
    md5: digestOf("MD5", bytes),
    sha256: wanted.sha256 ? digestOf("SHA256", bytes) : undefined,
    checksums: new Map(wanted.algorithms.map((each) => [each, digestOf(each, bytes)])),
  };
}

/** The same, of bytes that come in chunks. */
export class RunningDigests {
  readonly #md5 = hasher("MD5");
  readonly #sha256: Hasher | undefined;
  readonly #checksums: readonly (readonly [ChecksumAlgorithm, Hasher])[];
  readonly #all: readonly Hasher[];

  constructor({ sha256, algorithms }: WantedDigests) {
    this.#sha256 = sha256 ? hasher("SHA256") : undefined;
    this.#checksums = algorithms.map((each) => [each, hasher(each)]);
    const some = this.#sha256 === undefined ? [] : [this.#sha256];
    this.#all = [this.#md5, ...some, ...this.#checksums.map(([, each]) => each)];
  }

  update(chunk: Uint8Array): void {
    for (const each of this.#all) each.update(chunk);
  }

  finish(): Digests {
    return {
      md5: this.#md5.digest(),
      sha256: this.#sha256?.digest(),
      checksums: new Map(this.#checksums.map(([each, sum]) => [each, sum.digest()])),
    };
  }
}

/** Holds a body that was read to its end against what its client said. Fails: BadDigest, XAmzContentSHA256Mismatch. */
export function requireClaimed(body: Body, { md5, sha256, checksums }: Digests): void {
  const claims = body.claims();
  if (claims.md5 !== undefined && !claims.md5.equals(md5)) {
    const message = "The Content-MD5 you specified did not match what we received.";
    throw new S3Error("BadDigest", {}, { message });
  }
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
