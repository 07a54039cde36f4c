/**
 * Forms as browsers send them, and policies as SDKs presign them: written from the specification, and sharing nothing
 * with src/s3/form.
 *
 *     const fields = signedForm({ bucket: "bucket", fields: { key: "a" }, nowMs });   // a condition for each field
 *     await s3.request({ ...post("/bucket"), ...multipart([...fields, ["file", "bytes"]]) });
 */
import { type Signer, signText } from "#test/support/sign.ts";

export type Field = readonly [name: string, value: string];

export interface ToPost extends Signer {
  readonly bucket: string;
  readonly fields: Readonly<Record<string, string>>;
  /** Instead of one for the bucket and each field. The fields of the signature get theirs. */
  readonly conditions?: readonly unknown[];
  /** In an hour when absent. */
  readonly expiration?: string;
  /** Instead of all that. */
  readonly policy?: string;
}

const HOUR_MS = 3_600_000;

/** All fields of a form but the file, signed. */
export function signedForm(given: ToPost): readonly Field[] {
  const nowMs = given.nowMs ?? 0;
  const date = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, "");
  const scope = `${date.slice(0, 8)}/${given.region ?? "us-east-1"}/s3/aws4_request`;
  const signature = {
    "x-amz-algorithm": "AWS4-HMAC-SHA256",
    "x-amz-credential": `${given.accessKeyId}/${scope}`,
    "x-amz-date": date,
    ...(given.sessionToken === undefined ? {} : { "x-amz-security-token": given.sessionToken }),
  };
  const exact = (fields: Readonly<Record<string, string>>) =>
    Object.entries(fields).map(([name, value]) => ({ [name]: value }));
  const { bucket, conditions = [{ bucket }, ...exact(given.fields)] } = given;
  const document = {
    expiration: given.expiration ?? new Date(nowMs + HOUR_MS).toISOString(),
    conditions: [...conditions, ...exact(signature)],
  };
  const policy = given.policy ?? Buffer.from(JSON.stringify(document)).toString("base64");
  return [
    ...Object.entries({ ...given.fields, ...signature, policy }),
    ["x-amz-signature", signText(given, policy)],
  ];
}

export const BOUNDARY = "----FormBoundary7MA4YWxkTrZu0gW";

/** Parts as they stand in a form. The file has the name "name.txt". */
export function multipart(
  fields: readonly (readonly [name: string, value: string | Uint8Array])[],
  { boundary = BOUNDARY, filename = "name.txt", end = "\r\n" } = {},
) {
  const parts = fields.map(([name, value]) => {
    const more = name === "file" ? `; filename="${filename}"\r\nContent-Type: image/png` : "";
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n`;
    return Buffer.concat([Buffer.from(head), Buffer.from(value), Buffer.from("\r\n")]);
  });
  const body = Buffer.concat([...parts, Buffer.from(`--${boundary}--${end}`)]);
  return { body, headers: { "content-type": `multipart/form-data; boundary=${boundary}` } };
}
