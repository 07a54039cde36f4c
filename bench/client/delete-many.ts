import { hash } from "node:crypto";
import type { Session } from "./session.ts";

/** DeleteObjects. Fails when the answer names a key that was not deleted. */
export async function deleteMany(
  session: Session,
  bucket: string,
  keys: readonly string[],
): Promise<void> {
  const objects = keys.map((key) => `<Object><Key>${escapeXml(key)}</Key></Object>`).join("");
  const body = Buffer.from(`<Delete><Quiet>true</Quiet>${objects}</Delete>`);
  const headers = { "content-md5": hash("md5", body, "base64") };
  const query = { delete: "" };
  const reply = await session.call({ method: "POST", bucket, query, headers, body });
  if (reply.body.includes("<Error>")) throw new Error(`DeleteObjects: ${reply.body.slice(0, 300)}`);
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
