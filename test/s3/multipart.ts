import assert from "node:assert/strict";
import { only } from "#test/s3/xml.ts";
import type { Reply, TestServer } from "#test/support/server.ts";

type Headers = Readonly<Record<string, string>>;

/** A part as CompleteMultipartUpload names it. */
export interface PartName {
  readonly number: number;
  readonly etag: string;
  /** Further elements, as `<ChecksumCRC32>…</ChecksumCRC32>`. */
  readonly more?: string;
  /** The element of the checksum that the part was answered with. */
  readonly checksum?: string;
}

/** As an upload that has a checksum of its parts' checksums must name it. */
export function withChecksum(part: PartName): PartName {
  return { ...part, more: part.checksum ?? "" };
}

/** The id of a new upload to `path`. */
export async function startUpload(
  s3: TestServer,
  path: string,
  headers: Headers = {},
): Promise<string> {
  const reply = await s3.request({ method: "POST", path, query: "uploads", headers });
  assert.equal(reply.status, 200, reply.text);
  return only(reply.text, "UploadId") ?? "";
}

/** Sends one part; its name for completeUpload. */
export async function sendPart(
  s3: TestServer,
  path: string,
  part: {
    readonly uploadId: string;
    readonly number: number;
    readonly body: string;
    readonly headers?: Headers;
  },
): Promise<PartName> {
  const { uploadId, number, body, headers = {} } = part;
  const query = `partNumber=${number}&uploadId=${uploadId}`;
  const reply = await s3.request({ method: "PUT", path, query, body, headers });
  assert.equal(reply.status, 200, reply.text);
  return { number, etag: reply.headers["etag"] ?? "", checksum: checksumOf(reply) };
}

function checksumOf({ headers }: Reply): string {
  const prefix = "x-amz-checksum-";
  const sent = Object.entries(headers).find(([name]) => name.startsWith(prefix));
  if (sent === undefined) return "";
  const element = `Checksum${sent[0].slice(prefix.length).toUpperCase()}`;
  return `<${element}>${sent[1]}</${element}>`;
}

export function completeDocument(parts: readonly PartName[]): string {
  const elements = parts.map(
    ({ number, etag, more = "" }) =>
      `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag>${more}</Part>`,
  );
  return `<CompleteMultipartUpload>${elements.join("")}</CompleteMultipartUpload>`;
}

export async function completeUpload(
  s3: TestServer,
  path: string,
  upload: {
    readonly uploadId: string;
    readonly parts: readonly PartName[];
    readonly headers?: Headers;
  },
): Promise<Reply> {
  const { uploadId, parts, headers = {} } = upload;
  const body = completeDocument(parts);
  return await s3.request({ method: "POST", path, query: { uploadId }, body, headers });
}

/** Uploads `bodies` as parts 1, 2, … and completes them. */
export async function uploadWhole(
  s3: TestServer,
  path: string,
  bodies: readonly string[],
): Promise<Reply> {
  return await uploadUnder(s3, path, { bodies, created: {}, sent: {} });
}

/** The same with headers: `created` when the upload is created, `sent` with each part. */
export async function uploadUnder(
  s3: TestServer,
  path: string,
  upload: { readonly bodies: readonly string[]; readonly created: Headers; readonly sent: Headers },
): Promise<Reply> {
  const uploadId = await startUpload(s3, path, upload.created);
  const parts: PartName[] = [];
  for (const [index, body] of upload.bodies.entries()) {
    const part = { uploadId, number: index + 1, body, headers: upload.sent };
    parts.push(await sendPart(s3, path, part));
  }
  const reply = await completeUpload(s3, path, { uploadId, parts });
  assert.equal(reply.status, 200, reply.text);
  return reply;
}
