import { payload } from "../client/payload.ts";
import { etagOf, fieldOf, Session } from "../client/session.ts";
import { objectPath } from "../client/sign.ts";
import type { Target } from "../target/target.ts";

export interface Upload {
  readonly target: Target;
  readonly key: string;
  readonly uploadId: string;
}

/** Where a part comes from: this process, or an object that the server has. */
type PartSource = { readonly bytes: number } | { readonly copyOf: string };

interface PartsOptions {
  readonly count: number;
  readonly parallel: number;
  readonly source: PartSource;
  /** No further part is begun after this time. */
  readonly msMax?: number;
  readonly latenciesMs?: number[];
}

export async function createUpload(target: Target, key: string): Promise<Upload> {
  using session = new Session(target.endpoint);
  const { bucket } = target;
  const reply = await session.call({ method: "POST", bucket, key, query: { uploads: "" } });
  const uploadId = fieldOf(reply, "UploadId");
  if (uploadId === undefined) throw new Error("CreateMultipartUpload answers no UploadId");
  return { target, key, uploadId };
}

/** Sends or copies parts on several connections at once and returns their ETags in order. */
export async function putParts(upload: Upload, options: PartsOptions): Promise<string[]> {
  const etags: string[] = [];
  const end = performance.now() + (options.msMax ?? Number.POSITIVE_INFINITY);
  let next = 0;
  const worker = async (): Promise<void> => {
    using session = new Session(upload.target.endpoint);
    while (next < options.count && performance.now() < end) {
      const index = next;
      next += 1;
      const begin = performance.now();
      etags[index] = await putPart(session, upload, { number: index + 1, source: options.source });
      options.latenciesMs?.push(performance.now() - begin);
    }
  };
  await Promise.all(Array.from({ length: options.parallel }, worker));
  return etags;
}

interface Part {
  readonly number: number;
  readonly source: PartSource;
}

async function putPart(session: Session, upload: Upload, part: Part): Promise<string> {
  const { bucket } = upload.target;
  const reply = await session.call({
    method: "PUT",
    bucket,
    key: upload.key,
    query: { partNumber: String(part.number), uploadId: upload.uploadId },
    ...("bytes" in part.source
      ? { body: payload(part.source.bytes) }
      : { headers: { "x-amz-copy-source": objectPath(bucket, part.source.copyOf) } }),
  });
  return etagOf(reply);
}

/** Returns how long the request took. */
export async function completeUpload(upload: Upload, etags: readonly string[]): Promise<number> {
  using session = new Session(upload.target.endpoint);
  await session.open();
  const parts = etags
    .map((etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`)
    .join("");
  const body = Buffer.from(`<CompleteMultipartUpload>${parts}</CompleteMultipartUpload>`);
  const begin = performance.now();
  await session.call({
    method: "POST",
    bucket: upload.target.bucket,
    key: upload.key,
    query: { uploadId: upload.uploadId },
    body,
  });
  return performance.now() - begin;
}

/** Fails when the object does not have this size. */
export async function expectSize(target: Target, key: string, bytes: number): Promise<void> {
  using session = new Session(target.endpoint);
  const reply = await session.call({ method: "HEAD", bucket: target.bucket, key });
  const length = /\r\ncontent-length: *(\d+)/i.exec(reply.head)?.[1];
  if (Number(length) !== bytes) throw new Error(`${key} has ${length} bytes instead of ${bytes}`);
}
