import { Agent, type IncomingHttpHeaders, request } from "node:http";
import { requestHead } from "#test/support/raw-socket.ts";
import type { RealServer } from "#test/support/real-server.ts";
import { signedHeaders } from "#test/support/sign.ts";

export type Target = Pick<RealServer, "endpoint" | "accessKeyId" | "secret"> & {
  /** Of connections that are kept; a new one for each call when absent, so that any worker may get it. */
  readonly agent?: Agent;
};

export interface Sent {
  readonly method: string;
  /** Percent-encoded as it goes on the wire, with its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Breaks the connection. */
  readonly signal?: AbortSignal | undefined;
}

export interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The S3 code of a refusal. */
  readonly code: string | undefined;
}

const ALONE = new Agent({ keepAlive: false });
/** Turns a server that hangs into a failure; no test waits for it to pass. */
const HANGS_AFTER_MS = 60_000;

/** One signed request. Fails: the socket's error, when no whole answer came. */
export async function call(target: Target, sent: Sent): Promise<Got> {
  const { method, path, body = "" } = sent;
  const headers = headersOf(target, sent);
  return await new Promise((resolve, reject) => {
    // Not the URL as text: the URL class would resolve what the test spelled out.
    const { hostname, port } = new URL(target.endpoint);
    const { agent = ALONE } = target;
    const options = { hostname, port, method, path, headers, agent };
    const outgoing = request({ ...options, signal: sent.signal }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("error", reject);
      incoming.on("end", () => {
        const bytes = Buffer.concat(chunks);
        const { statusCode: status = 0, headers: answered } = incoming;
        resolve({ status, headers: answered, body: bytes, code: codeOf(bytes) });
      });
    });
    outgoing.on("error", reject);
    outgoing.setTimeout(HANGS_AFTER_MS, () => {
      outgoing.destroy(new Error(`${method} ${path}: no answer`));
    });
    outgoing.end(body);
  });
}

/** The head of a signed request, for a RawSocket; `body` is not sent with it. */
export function signedHead(target: Target, sent: Sent): string {
  return requestHead({ method: sent.method, target: sent.path, headers: headersOf(target, sent) });
}

/** Fails: Error unless the answer has one of `statuses`; 200 when none is given. */
export async function expectCall(target: Target, sent: Sent, ...statuses: number[]): Promise<Got> {
  const got = await call(target, sent);
  const allowed = statuses.length === 0 ? [200] : statuses;
  if (allowed.includes(got.status)) return got;
  const error = new Error(`${sent.method} ${sent.path}: ${got.status} ${got.body}`);
  throw Object.assign(error, { code: `HTTP_${got.status}` });
}

/** Makes a bucket and answers its path. */
export async function makeBucket(target: Target, name: string): Promise<string> {
  await expectCall(target, { method: "PUT", path: `/${name}` });
  return `/${name}`;
}

export async function put(target: Target, path: string, body: string | Uint8Array): Promise<Got> {
  return await expectCall(target, { method: "PUT", path, body });
}

/** All keys of a bucket, page by page. */
export async function listKeys(target: Target, bucket: string): Promise<string[]> {
  const keys: string[] = [];
  for (let token = ""; ; ) {
    const more = token === "" ? "" : `&continuation-token=${encodeURIComponent(token)}`;
    const page = await expectCall(target, { method: "GET", path: `${bucket}?list-type=2${more}` });
    const xml = page.body.toString();
    keys.push(...textsOf(xml, "Key"));
    token = textsOf(xml, "NextContinuationToken")[0] ?? "";
    if (token === "") return keys;
  }
}

/** The texts of all elements of a name; for keys and ids that need no unescaping. */
export function textsOf(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, "g"))].map(
    ([, text = ""]) => text,
  );
}

export interface UploadToSend {
  readonly path: string;
  readonly parts: readonly Uint8Array[];
  readonly signal?: AbortSignal | undefined;
  /** Headers of its creation. */
  readonly created?: Readonly<Record<string, string>>;
  /** Headers of each part. */
  readonly sent?: Readonly<Record<string, string>>;
}

/** Makes a multipart upload with its parts sent, ready to be completed. */
export async function sentUpload(
  target: Target,
  { path, parts, signal, created: asked = {}, sent = {} }: UploadToSend,
): Promise<{ readonly uploadId: string; readonly complete: Sent }> {
  const creation = { method: "POST", path: `${path}?uploads`, headers: asked, signal };
  const created = await expectCall(target, creation);
  const [uploadId = ""] = textsOf(created.body.toString(), "UploadId");
  const elements: string[] = [];
  for (const [index, body] of parts.entries()) {
    const number = index + 1;
    const part = `${path}?partNumber=${number}&uploadId=${uploadId}`;
    const sending = { method: "PUT", path: part, body, headers: sent, signal };
    const { headers } = await expectCall(target, sending);
    elements.push(`<Part><PartNumber>${number}</PartNumber><ETag>${headers.etag}</ETag></Part>`);
  }
  const document = `<CompleteMultipartUpload>${elements.join("")}</CompleteMultipartUpload>`;
  const complete = { method: "POST", path: `${path}?uploadId=${uploadId}`, body: document };
  return { uploadId, complete };
}

function headersOf(target: Target, { method, path, body = "", headers }: Sent) {
  const chunked = headers?.["transfer-encoding"] !== undefined;
  const length = chunked ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const { endpoint, accessKeyId, secret } = target;
  const key = { accessKeyId, secret };
  return signedHeaders({
    ...key,
    method,
    url: endpoint + path,
    headers: { ...length, ...headers },
    body,
  });
}

function codeOf(body: Buffer): string | undefined {
  return body.subarray(0, 5).toString() === "<?xml"
    ? /<Error><Code>(\w+)<\/Code>/.exec(body.toString())?.[1]
    : undefined;
}
