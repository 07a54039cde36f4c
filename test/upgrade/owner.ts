/** Who a kept directory belongs to: they are the same in all. */
import { fileURLToPath } from "node:url";
import { S3Client } from "@aws-sdk/client-s3";

export const KEPT = fileURLToPath(new URL("kept", import.meta.url));
export const OWNER = {
  accessKeyId: "LODETESTACCESSKEY000",
  secret: "kept-secret-0123456789abcdef",
};
export const TOKEN = "kept-operator-token-0123456789";
export const PRINCIPAL = "coreweave/ada";

export function s3Client(
  endpoint: string,
  { accessKeyId, secret }: Readonly<Record<"accessKeyId" | "secret", string>>,
): S3Client {
  const credentials = { accessKeyId, secretAccessKey: secret };
  const where = { endpoint, region: "us-east-1", forcePathStyle: true };
  return new S3Client({ ...where, credentials, maxAttempts: 1 });
}
