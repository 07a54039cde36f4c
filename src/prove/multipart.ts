import { type Client, etagOf, type Reply, textsOf } from "#prove/client.ts";
import { required } from "#prove/promise.ts";

export interface StartedUpload {
  readonly key: string;
  readonly uploadId: string;
  /** Of its parts, in order. */
  readonly etags: readonly string[];
}

/** Begins an upload and sends its parts. Fails: Unready. */
export async function startUpload(
  client: Client,
  key: string,
  parts: readonly Uint8Array[],
): Promise<StartedUpload> {
  const made = await client.ask({ method: "POST", key, query: { uploads: "" } });
  const [uploadId = ""] = textsOf(required(made, "CreateMultipartUpload").body, "UploadId");
  const etags: string[] = [];
  for (const [at, body] of parts.entries()) {
    const query = { partNumber: String(at + 1), uploadId };
    const part = await client.ask({ method: "PUT", key, query, body });
    etags.push(etagOf(required(part, "UploadPart")));
  }
  return { key, uploadId, etags };
}

/** Some servers say 200 and then an error: its status is taken for 500. */
export async function completed(
  client: Client,
  { key, uploadId, etags }: StartedUpload,
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  const parts = etags.map(
    (etag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${etag}</ETag></Part>`,
  );
  const text = `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts.join("")}</CompleteMultipartUpload>`;
  const query = { uploadId };
  const reply = await client.ask({ method: "POST", key, query, headers, body: Buffer.from(text) });
  const isError = reply.status === 200 && reply.body.includes("<Error>");
  return isError ? { ...reply, status: 500, code: textsOf(reply.body, "Code")[0] ?? "" } : reply;
}
