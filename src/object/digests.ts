import { type ChecksumAlgorithm, type Hasher, hasher } from "#base/checksum.ts";
import { S3Error } from "#base/error.ts";
import type { Body } from "#object/body.ts";

/** What was computed of a body. */
export interface Digested {
  /** Hexadecimal. */
  readonly md5: string;
  /** Base64, by algorithm. */
  readonly checksums: Readonly<Partial<Record<ChecksumAlgorithm, string>>>;
}

/** The digests of a body, made chunk by chunk on its way, and held against what its client says. */
export class BodyDigests {
  readonly #body: Body;
  readonly #md5 = hasher("MD5");
  readonly #sha256: Hasher | undefined;
  readonly #checksums: ReadonlyMap<ChecksumAlgorithm, Hasher>;

  constructor(body: Body, algorithms: Iterable<ChecksumAlgorithm>) {
    this.#body = body;
    this.#sha256 = body.hasSha256 ? hasher("SHA256") : undefined;
    this.#checksums = new Map(
      [...new Set(algorithms)].map((algorithm) => [algorithm, hasher(algorithm)]),
    );
  }

  update(chunk: Uint8Array): void {
    this.#md5.update(chunk);
    this.#sha256?.update(chunk);
    for (const each of this.#checksums.values()) each.update(chunk);
  }

  /** Once, after the last chunk. Fails: BadDigest, XAmzContentSHA256Mismatch. */
  finish(): Digested {
    const md5 = this.#md5.digest();
    const sha256 = this.#sha256?.digest();
    const checksums = new Map(
      [...this.#checksums].map(([algorithm, each]) => [algorithm, each.digest()]),
    );
    this.#verify({ md5, sha256, checksums });
    return {
      md5: md5.toString("hex"),
      checksums: Object.fromEntries(
        [...checksums].map(([algorithm, digest]) => [algorithm, digest.toString("base64")]),
      ),
    };
  }

  #verify(computed: {
    readonly md5: Buffer;
    readonly sha256: Buffer | undefined;
    readonly checksums: ReadonlyMap<ChecksumAlgorithm, Buffer>;
  }): void {
    const { algorithm } = this.#body;
    const claims = this.#body.claims();
    if (claims.md5 !== undefined && !claims.md5.equals(computed.md5)) {
      const message = "The Content-MD5 you specified did not match what we received.";
      throw new S3Error("BadDigest", {}, { message });
    }
    const { sha256 } = computed;
    if (claims.sha256 !== undefined && sha256 !== undefined && !claims.sha256.equals(sha256)) {
      throw new S3Error("XAmzContentSHA256Mismatch", {
        ClientComputedContentSHA256: claims.sha256.toString("hex"),
        S3ComputedContentSHA256: sha256.toString("hex"),
      });
    }
    const checksum = algorithm === undefined ? undefined : computed.checksums.get(algorithm);
    if (claims.checksum !== undefined && checksum?.equals(claims.checksum) !== true) {
      const message = `The ${algorithm} you specified did not match the calculated checksum.`;
      throw new S3Error("BadDigest", {}, { message });
    }
  }
}
