import { asBuffer } from "#base/bytes.ts";
import type { HttpReply } from "#base/http.ts";
import type { Outlet } from "#server/http1/outlet.ts";
import { type Persistence, type ResponseHead, responseHead } from "#server/http1/response-head.ts";

/** Bytes of body that went out, and whether all of it did. */
export interface Written {
  readonly bytes: number;
  readonly whole: boolean;
  /** What broke off the body, when it was ours. */
  readonly failure: unknown;
}

/** What the request says of its answer. */
export interface Asked {
  readonly method: string;
  readonly minorVersion: number;
  readonly persistence: Persistence;
}

/** A body of so many bytes goes out in one buffer with its head: its copy is cheaper than two buffers in a write. */
const JOINED_BYTES_MAX = 8 * 1_024;
const NOTHING = Buffer.alloc(0);

/**
 * Sends an answer. A body that fails half-way, or is not as long as its head says, ends the connection, so that no
 * client takes it for whole.
 */
export function writeReply(
  outlet: Outlet,
  reply: HttpReply,
  asked: Asked,
): Written | Promise<Written> {
  // It was closed while the answer was made: nobody tells that again.
  if (outlet.isGone) return { bytes: 0, whole: false, failure: undefined };
  try {
    const { body } = reply;
    const head = responseHead(reply, asked.persistence);
    if (isBodiless(reply.status, asked.method)) return writeHeadAlone(outlet, head, body);
    if (body === undefined) return writeWhole(outlet, head, NOTHING);
    if (typeof body === "string") return writeWhole(outlet, head, Buffer.from(body));
    if (body instanceof Uint8Array) return writeWhole(outlet, head, body);
    return writeChunks(outlet, body, framedHead(head, asked));
  } catch (failure) {
    // What no header can hold gets no further than here; who waits for the end must hear of it.
    outlet.destroy();
    return { bytes: 0, whole: false, failure };
  }
}

/** Whether only the end of the connection tells where the answer's body ends. */
export function endsByClosing({ headers, body }: HttpReply, minorVersion: number): boolean {
  if (minorVersion > 0 || typeof body !== "object" || body instanceof Uint8Array) return false;
  return !Object.keys(headers).some((name) => name.toLowerCase() === "content-length");
}

/** Spec: https://www.rfc-editor.org/rfc/rfc9110#section-6.4.1 */
function isBodiless(status: number, method: string): boolean {
  return method === "HEAD" || status === 204 || status === 304;
}

function writeHeadAlone(
  outlet: Outlet,
  { text }: ResponseHead,
  body: HttpReply["body"],
): Written | Promise<Written> {
  if (typeof body === "object" && !(body instanceof Uint8Array)) letGo(body);
  outlet.write(Buffer.from(`${text}\r\n`, "latin1"));
  return sent(outlet, 0);
}

/** Of a body that nobody reads. */
function letGo(body: AsyncIterable<Uint8Array>): void {
  body[Symbol.asyncIterator]()
    .return?.()
    .catch(() => undefined);
}

function writeWhole(
  outlet: Outlet,
  { text, bodyBytes }: ResponseHead,
  body: Uint8Array,
): Written | Promise<Written> {
  if (bodyBytes !== undefined && bodyBytes !== body.length) throw new WrongLength();
  const length = bodyBytes === undefined ? `content-length: ${body.length}\r\n` : "";
  writeJoined(outlet, `${text}${length}\r\n`, body);
  return sent(outlet, body.length);
}

/** A head and the bytes behind it. */
function writeJoined(outlet: Outlet, head: string, bytes: Uint8Array): void {
  if (bytes.length > JOINED_BYTES_MAX) {
    outlet.writeBoth(Buffer.from(head, "latin1"), bytes);
    return;
  }
  const joined = Buffer.allocUnsafe(head.length + bytes.length);
  joined.write(head, "latin1");
  joined.set(bytes, head.length);
  outlet.write(joined);
}

function sent(outlet: Outlet, bytes: number): Written | Promise<Written> {
  if (outlet.isDown(0) && !outlet.isGone) return { bytes, whole: true, failure: undefined };
  return outlet.down(0).then(() => ({ bytes, whole: !outlet.isGone, failure: undefined }));
}

/** The body is not as long as its head has promised. */
class WrongLength extends Error {
  override readonly name = "WrongLength";

  constructor() {
    super("the body of an answer is not as long as its head says");
  }
}

/** The client has closed its connection: no fault of ours. */
class ClientGone extends Error {
  override readonly name = "ClientGone";
}

/** How chunks of a body are framed. */
interface Framed {
  readonly head: string;
  /** undefined: in chunks of the transfer coding, or to the end of the connection. */
  readonly bodyBytes: number | undefined;
  readonly chunked: boolean;
}

/** Spec: https://www.rfc-editor.org/rfc/rfc9112#section-6.3 */
function framedHead({ text, bodyBytes }: ResponseHead, { minorVersion }: Asked): Framed {
  const chunked = bodyBytes === undefined && minorVersion > 0;
  return {
    head: `${text}${chunked ? "transfer-encoding: chunked\r\n" : ""}\r\n`,
    bodyBytes,
    chunked,
  };
}

async function writeChunks(
  outlet: Outlet,
  body: AsyncIterable<Uint8Array>,
  framed: Framed,
): Promise<Written> {
  const progress = { bytes: 0, head: framed.head };
  try {
    await copyChunks(outlet, body, { framed, progress });
  } catch (failure) {
    outlet.destroy();
    const ours = failure instanceof ClientGone ? undefined : failure;
    return { bytes: progress.bytes, whole: false, failure: ours };
  }
  const last = `${progress.head}${framed.chunked ? "0\r\n\r\n" : ""}`;
  if (last !== "") outlet.write(Buffer.from(last, "latin1"));
  return await sent(outlet, progress.bytes);
}

interface Copying {
  readonly framed: Framed;
  /** Bytes of the body so far, and the head until it is written. */
  readonly progress: { bytes: number; head: string };
}

/** Fails: ClientGone, WrongLength. */
async function copyChunks(
  outlet: Outlet,
  body: AsyncIterable<Uint8Array>,
  { framed, progress }: Copying,
): Promise<void> {
  const promised = framed.bodyBytes;
  for await (const chunk of body) {
    if (outlet.isGone) throw new ClientGone("the connection is closed");
    progress.bytes += chunk.length;
    if (promised !== undefined && progress.bytes > promised) throw new WrongLength();
    const bytes = framed.chunked ? inChunk(chunk) : chunk;
    if (progress.head === "") outlet.write(bytes);
    else writeJoined(outlet, progress.head, bytes);
    progress.head = "";
    // A chunk is good until the next but one is asked for: until then it must be gone.
    if (!outlet.isDown(1)) await outlet.down(1);
  }
  if (promised !== undefined && progress.bytes < promised) throw new WrongLength();
}

/** Bytes within a chunk of the transfer coding; an empty one would be the last. */
function inChunk(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return bytes;
  const size = Buffer.from(`${bytes.length.toString(16)}\r\n`, "latin1");
  return Buffer.concat([size, asBuffer(bytes), Buffer.from("\r\n")]);
}
