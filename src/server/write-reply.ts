import type { ServerResponse } from "node:http";
import type { HttpReply } from "#base/http.ts";

/** Bytes of body that went out, and whether all of it did. */
export interface Written {
  readonly bytes: number;
  readonly whole: boolean;
  /** What broke off the body, when it was ours. */
  readonly failure: unknown;
}

/** Sends an answer. A body that fails half-way ends the connection, so that no client takes it for whole. */
export async function writeReply(outgoing: ServerResponse, reply: HttpReply): Promise<Written> {
  const { status, headers, body } = reply;
  try {
    outgoing.writeHead(status, headers);
  } catch (failure) {
    // What no header can hold gets no further than here; who waits for the end must hear of it.
    outgoing.destroy();
    return { bytes: 0, whole: false, failure };
  }
  if (body === undefined) return await finish(outgoing, undefined);
  if (typeof body === "string") return await finish(outgoing, Buffer.from(body));
  if (body instanceof Uint8Array) return await finish(outgoing, body);
  let bytes = 0;
  try {
    let before: Promise<void> = Promise.resolve();
    for await (const chunk of body) {
      const sent = send(outgoing, chunk);
      bytes += chunk.length;
      // A chunk is good until the next but one is asked for: until then it must be gone.
      await before;
      before = sent;
    }
    await before;
  } catch (failure) {
    outgoing.destroy();
    return { bytes, whole: false, failure: isGone(failure) ? undefined : failure };
  }
  await finish(outgoing, undefined);
  return { bytes, whole: true, failure: undefined };
}

/** The client has closed its connection: no fault of ours. */
class ClientGone extends Error {
  override readonly name = "ClientGone";
}

function isGone(failure: unknown): boolean {
  return failure instanceof ClientGone;
}

function send(outgoing: ServerResponse, chunk: Uint8Array): Promise<void> {
  const sent = new Promise<void>((resolve, reject) => {
    if (outgoing.destroyed) {
      reject(new ClientGone("the connection is closed"));
      return;
    }
    const gone = () => reject(new ClientGone("the connection was closed"));
    outgoing.once("close", gone);
    outgoing.write(chunk, (error) => {
      outgoing.off("close", gone);
      if (error) reject(new ClientGone("the connection broke", { cause: error }));
      else resolve();
    });
  });
  // It is awaited one chunk later; until then a rejection is not unhandled.
  sent.catch(() => undefined);
  return sent;
}

async function finish(outgoing: ServerResponse, body: Uint8Array | undefined): Promise<Written> {
  const bytes = body?.length ?? 0;
  // It was closed while the answer was made: nobody tells that again.
  if (outgoing.destroyed) return { bytes: 0, whole: false, failure: undefined };
  const whole = await new Promise<boolean>((resolve) => {
    outgoing.once("close", () => resolve(outgoing.writableFinished));
    outgoing.end(body, () => resolve(true));
  });
  return { bytes, whole, failure: undefined };
}
