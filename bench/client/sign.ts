import { createHmac, hash } from "node:crypto";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

export interface Unsigned {
  readonly method: string;
  /** Already encoded, with its leading slash. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Signature version 4 with the payload left out (`UNSIGNED-PAYLOAD`), which keeps the cost of
 * hashing bodies out of the driver. One signer keeps one time stamp: servers accept what it signs
 * for 15 minutes.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export class Signer {
  readonly #stamp: string;
  readonly #scope: string;
  readonly #accessKeyId: string;
  readonly #key: Buffer;

  constructor(credentials: Credentials, now: Date) {
    this.#stamp = now.toISOString().replace(/[-:]|\.\d+/g, "");
    const day = this.#stamp.slice(0, 8);
    const { region, accessKeyId, secretAccessKey } = credentials;
    this.#scope = `${day}/${region}/s3/aws4_request`;
    this.#accessKeyId = accessKeyId;
    this.#key = [day, region, "s3", "aws4_request"].reduce<Buffer>(
      (key, part) => hmac(key, part),
      Buffer.from(`AWS4${secretAccessKey}`),
    );
  }

  /** The request's head as it goes over the wire, signature and blank line included. */
  head(request: Unsigned): string {
    const headers = {
      ...request.headers,
      "x-amz-content-sha256": request.headers["x-amz-content-sha256"] ?? "UNSIGNED-PAYLOAD",
      "x-amz-date": this.#stamp,
    };
    const sorted = Object.entries(headers).sort(byName);
    const lines = sorted.map(([name, value]) => `${name}:${value}`);
    const names = sorted.map(([name]) => name).join(";");
    const query = queryText(request.query ?? {});
    const canonical = `${request.method}\n${request.path}\n${query}\n${lines.join("\n")}\n\n${names}\n${headers["x-amz-content-sha256"]}`;
    const text = `AWS4-HMAC-SHA256\n${this.#stamp}\n${this.#scope}\n${hash("sha256", canonical, "hex")}`;
    const signature = hmac(this.#key, text).toString("hex");
    const target = query === "" ? request.path : `${request.path}?${query}`;
    return `${request.method} ${target} HTTP/1.1\r\n${lines.join("\r\n")}\r\nauthorization:AWS4-HMAC-SHA256 Credential=${this.#accessKeyId}/${this.#scope}, SignedHeaders=${names}, Signature=${signature}\r\n\r\n`;
  }
}

function queryText(query: Readonly<Record<string, string>>): string {
  return Object.entries(query)
    .sort(byName)
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .join("&");
}

/** Whole `name=value` lines do not sort as names do: `x-amz-copy-source-range` has a prefix. */
function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1;
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** `/bucket/key` for the request line; slashes of the key stay. */
export function objectPath(bucket: string, key: string): string {
  return `/${bucket}/${key.split("/").map(encode).join("/")}`;
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
