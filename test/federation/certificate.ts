import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";

export interface KeyAndCertificate {
  readonly privateKey: KeyObject;
  /** The certificate, in PEM. */
  readonly certificate: string;
}

/** An RSA key with a certificate that it signed itself. */
export function makeKeyAndCertificate(bits = 2_048): KeyAndCertificate {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: bits });
  const algorithm = sequence(SHA256_WITH_RSA, Buffer.of(0x05, 0));
  const name = sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from("idp")))));
  const times = ["250101000000Z", "350101000000Z"].map((time) => der(0x17, Buffer.from(time)));
  const body = sequence(
    ...[der(0xa0, der(0x02, Buffer.of(2))), der(0x02, Buffer.of(1)), algorithm, name],
    ...[sequence(...times), name, publicKey.export({ type: "spki", format: "der" })],
  );
  const signature = der(0x03, Buffer.concat([Buffer.of(0), sign("sha256", body, privateKey)]));
  const base64 = sequence(body, algorithm, signature).toString("base64");
  const lines = base64.match(/.{1,64}/g)?.join("\n");
  const certificate = `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
  return { privateKey, certificate };
}

/** Object identifiers, encoded: 1.2.840.113549.1.1.11 and 2.5.4.3. */
const SHA256_WITH_RSA = Buffer.from("06092a864886f70d01010b", "hex");
const COMMON_NAME = Buffer.from("0603550403", "hex");

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

/** A value with its tag and length in front. */
function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const long = length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...(length < 128 ? [length] : long)]), content]);
}
