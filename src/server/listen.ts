import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { deadline } from "#base/clock.ts";
import type { HttpReply, HttpRequest } from "#base/http.ts";
import { BodyReader } from "#server/body-reader.ts";
import { Connections } from "#server/connections.ts";
import { LIMITS, type Limits } from "#server/limits.ts";
import { type Written, writeReply } from "#server/write-reply.ts";

interface Tls {
  readonly cert: string;
  readonly key: string;
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
}

export interface Listen {
  readonly host: string;
  /** 0 for any. */
  readonly port: number;
  readonly tls?: Tls | undefined;
  /** Never rejects. */
  readonly answer: (request: HttpRequest) => Promise<Answer>;
  /** What a request that is no HTTP is told; undefined closes without a word. */
  readonly refuse?: (reason: BadRequest) => HttpReply;
  /** LIMITS when absent. */
  readonly limits?: Limits;
}

export type BadRequest = "malformed" | "headers-too-large" | "timeout";

/** How an exchange ended. */
export interface Finished extends Written {
  /** Bytes of the request's body that came. */
  readonly received: number;
}

export interface Answer {
  readonly reply: HttpReply;
  /** Told when the answer has gone out, or broke off. */
  readonly done?: (finished: Finished) => void;
}

export interface Listening extends AsyncDisposable {
  readonly port: number;
  readonly connections: () => number;
  /** Takes no more connections, and resolves when every request has been answered. */
  readonly drain: () => Promise<void>;
}

/** Serves `answer` on one port. Resolves when the port is open. */
export async function listen(options: Listen): Promise<Listening> {
  const sockets = new Set<Socket>();
  const { limits = LIMITS } = options;
  const server = makeServer(options, limits);
  server.headersTimeout = limits.headersMs;
  // A body may take hours; BodyReader and the socket's own timer watch over its progress.
  server.requestTimeout = 0;
  server.keepAliveTimeout = limits.keepAliveMs;
  server.maxHeadersCount = limits.headersMax;
  // So long that what is refused first can be read away.
  server.timeout = limits.idleMs + limits.discardMs;
  server.on("connection", (socket: Socket) => {
    // Not by server.maxConnections: node:cluster hands what one worker refuses to the next, for ever.
    if (sockets.size >= limits.connectionsMax) {
      socket.destroy();
      return;
    }
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  const serving: Serving = { options, limits, connections: new Connections(), draining: false };
  server.on("timeout", (socket: Socket) => {
    // Until there is an answer only BodyReader waits for the client: a copy may take minutes, in silence.
    if (!serving.connections.isAwaited(socket)) socket.destroy();
  });
  server.on("request", (incoming, outgoing) =>
    serve({ incoming, outgoing, expects: false }, serving),
  );
  server.on("checkContinue", (incoming, outgoing) =>
    serve({ incoming, outgoing, expects: true }, serving),
  );
  // An expectation that we do not know is no reason to refuse, RFC 9110 says, and AWS does not.
  server.on("checkExpectation", (incoming, outgoing) =>
    serve({ incoming, outgoing, expects: false }, serving),
  );
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) =>
    refuse(error, socket, serving),
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  const port = (server.address() as AddressInfo).port;
  return {
    port,
    connections: () => sockets.size,
    drain: () => drain(server, serving, sockets),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function makeServer({ tls }: Listen, limits: Limits): Server {
  const settings = {
    maxHeaderSize: limits.headerBytesMax,
    connectionsCheckingInterval: limits.headersCheckMs,
    noDelay: true,
  };
  return tls === undefined
    ? createServer(settings)
    : (createTlsServer({ ...settings, ...tls }) as unknown as Server);
}

interface Serving {
  readonly options: Listen;
  readonly limits: Limits;
  readonly connections: Connections;
  draining: boolean;
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** The client waits for "100 Continue" before it sends the body. */
  readonly expects: boolean;
}

function serve(exchange: Exchange, serving: Serving): void {
  const { incoming, outgoing } = exchange;
  const { socket, headers } = incoming;
  const coding = headers["transfer-encoding"] ?? "chunked";
  if (coding.toLowerCase() !== "chunked") {
    // The parser takes "gzip, chunked" for chunked; a proxy before us may not.
    refuse(new Error(`the transfer coding ${coding} is not supported`), socket, serving);
  }
  if (serving.connections.isRefused(socket)) return;
  const turn = serving.connections.add(socket, outgoing);
  // What was sent at once is carried out in turn: who reads after a write sees it, and one connection
  // keeps us busy with one request.
  const responding = turn?.then(() => respondUnlessGone(exchange, serving));
  (responding ?? respond(exchange, serving)).catch(() => outgoing.destroy());
}

/** For a client that left while its request waited, nothing is begun. */
async function respondUnlessGone(exchange: Exchange, serving: Serving): Promise<void> {
  if (!exchange.outgoing.destroyed) await respond(exchange, serving);
}

async function respond({ incoming, outgoing, expects }: Exchange, serving: Serving): Promise<void> {
  const { options, limits } = serving;
  const body = new BodyReader(incoming, limits, () => {
    if (expects) outgoing.writeContinue();
  });
  const { socket } = incoming;
  const { reply, done } = await options.answer({
    method: incoming.method ?? "GET",
    target: incoming.url ?? "/",
    rawHeaders: incoming.rawHeaders,
    remoteAddress: socket.remoteAddress ?? "",
    secure: options.tls !== undefined,
    body,
  });
  // A client that waits will send no body now, and what it sends next could be taken for one.
  const unasked = expects && !body.started;
  const unread = !unasked && !incoming.complete;
  if (unread) {
    body.abandon();
    discard(incoming, limits);
  }
  const closes = unasked || serving.draining || !outgoing.shouldKeepAlive;
  // Node closes behind the answer, and a client that still sends would lose it.
  outgoing.shouldKeepAlive = unread || !closes;
  const written = await writeReply(outgoing, reply);
  // Also when the answer had begun before the drain.
  if ((closes || serving.draining) && serving.connections.isLast(socket, outgoing)) {
    if (incoming.complete || unasked) socket.destroySoon();
    else incoming.once("end", () => socket.destroySoon());
  }
  done?.({ ...written, received: body.receivedBytes });
}

/**
 * Reads away what is left of a refused request, so that the client gets to see the refusal: closing
 * at once would reset the connection under it. Within limits; then the connection goes.
 */
function discard(incoming: IncomingMessage, limits: Limits): void {
  let left: number = limits.discardedBytesMax;
  const timer = deadline(limits.discardMs, () => incoming.destroy());
  incoming.on("data", (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) incoming.destroy();
  });
  incoming.on("close", () => timer.cancel());
  incoming.on("end", () => timer.cancel());
  incoming.on("error", () => timer.cancel());
  incoming.resume();
}

/** What never became a request: broken framing, too many headers, a client too slow to finish them. */
function refuse(error: NodeJS.ErrnoException, socket: Socket, serving: Serving): void {
  const { options, limits, connections } = serving;
  const answer = options.refuse;
  if (error.code === "ECONNRESET" || !socket.writable || answer === undefined) {
    socket.destroy();
    return;
  }
  // A broken parser complains of every further byte.
  if (connections.isRefused(socket)) return;
  connections.refuse(socket);
  const { status, headers, body } = answer(reasonOf(error));
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const text = typeof body === "string" ? body : "";
  const last = `HTTP/1.1 ${status} Bad Request\r\n${lines.join("")}Connection: close\r\n\r\n${text}`;
  connections.answered(socket).then(
    () => {
      socket.end(last);
      // Until then what still comes is read away, so that the refusal arrives.
      deadline(limits.discardMs, () => socket.destroy());
    },
    () => socket.destroy(),
  );
}

function reasonOf({ code }: NodeJS.ErrnoException): BadRequest {
  if (code === "HPE_HEADER_OVERFLOW") return "headers-too-large";
  return code === "ERR_HTTP_REQUEST_TIMEOUT" ? "timeout" : "malformed";
}

async function drain(
  server: Server,
  serving: Serving,
  sockets: ReadonlySet<Socket>,
): Promise<void> {
  serving.draining = true;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  // Node counts as idle only what has been answered once: not a handshake, nor half a head.
  for (const socket of sockets) if (!serving.connections.isBusy(socket)) socket.destroySoon();
  await closed;
}
