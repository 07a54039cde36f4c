import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "#test/support/temporary.ts";

export interface Certificate {
  readonly certificateFile: string;
  readonly keyFile: string;
  /** The certificate itself, in PEM: it is its own authority. */
  readonly authority: string;
}

/**
 * The name under which the suites reach HTTPS. Most TLS libraries refuse the wildcard `*.localhost`
 * for having one dot alone, so buckets need a base domain with two.
 */
export const TLS_BASE_DOMAIN = "s3.localhost";

const NAMES = ["localhost", TLS_BASE_DOMAIN, `*.${TLS_BASE_DOMAIN}`].map((name) => `DNS:${name}`);

/** A self-signed certificate of the loopback, or undefined where there is no `openssl`. */
export async function makeCertificate(): Promise<Certificate | undefined> {
  const directory = await temporaryDirectory();
  const certificateFile = join(directory, "certificate.pem");
  const keyFile = join(directory, "key.pem");
  const flags = [
    ...["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
    ...["-subj", "/CN=localhost", "-addext", `subjectAltName=IP:127.0.0.1,${NAMES.join(",")}`],
    ...["-keyout", keyFile, "-out", certificateFile],
  ];
  try {
    execFileSync("openssl", ["req", "-x509", ...flags], { stdio: "ignore" });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  return { certificateFile, keyFile, authority: readFileSync(certificateFile, "utf8") };
}
