import {
  equalSignatures,
  signatureMismatch,
  type VerifiedSignature,
} from "#s3/signature/verify.ts";

const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/**
 * The signatures of an aws-chunked body: each covers the one before it, the first that of the
 * request's headers, so that chunks can be neither changed nor dropped nor put in another order.
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 */
export class ChunkChain {
  readonly #seed: VerifiedSignature;
  #previous: string;

  constructor(seed: VerifiedSignature) {
    this.#seed = seed;
    this.#previous = seed.seedSignature;
  }

  /** `sha256`: of the chunk's bytes, in hex. Fails: SignatureDoesNotMatch. */
  checkChunk(sha256: string, provided: string): void {
    this.#check("PAYLOAD", `${EMPTY_SHA256}\n${sha256}`, provided);
  }

  /** `sha256`: of the lines `name:value\n`, in hex. Fails: SignatureDoesNotMatch. */
  checkTrailers(sha256: string, provided: string): void {
    this.#check("TRAILER", sha256, provided);
  }

  #check(kind: "PAYLOAD" | "TRAILER", digests: string, provided: string): void {
    const { amzDate, scope, signingKey } = this.#seed;
    const text = `AWS4-HMAC-SHA256-${kind}\n${amzDate}\n${scope}\n${this.#previous}\n${digests}`;
    const signature = signingKey.hex(text);
    if (!equalSignatures(signature, provided)) throw signatureMismatch(this.#seed, text, provided);
    this.#previous = signature;
  }
}
