import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { Connections } from "#server/connections.ts";
import type { Limits } from "#server/limits.ts";

export interface Tls {
  readonly cert: string;
  readonly key: string;
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
}

/** A server, not listening yet, that hands its connections on. */
export function openServer(tls: Tls | undefined, limits: Limits, connections: Connections): Server {
  // A client that has ended its own direction still gets its answer.
  const settings = { allowHalfOpen: true, noDelay: true };
  if (tls === undefined) {
    return createServer(settings, (socket) => {
      if (connections.admit(socket)) connections.serve(socket);
    });
  }
  const server = createTlsServer({
    ...settings,
    ...tls,
    ALPNProtocols: ["http/1.1", "http/1.0"],
    handshakeTimeout: limits.headersMs,
  });
  server.on("connection", (carrier: Socket) => {
    // "close" follows.
    carrier.on("error", () => undefined);
    connections.admit(carrier);
  });
  server.on("secureConnection", (socket) => connections.serve(socket));
  // A handshake that fails or takes too long.
  server.on("tlsClientError", (_, socket) => socket.destroy());
  return server;
}
