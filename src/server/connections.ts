import type { Socket } from "node:net";
import { deadline } from "#base/clock.ts";
import { Connection } from "#server/http1/connection.ts";
import type { Serving } from "#server/http1/serving.ts";

/** All connections of a listener. One timer looks after them, however many they are. */
export class Connections {
  readonly #serving: Serving;
  /** TLS connections have two sockets: these are the carriers. */
  readonly #sockets = new Set<Socket>();
  readonly #connections = new Set<Connection>();
  /** By the client's address, which a TLS socket shares with its carrier. */
  readonly #served = new Set<string>();
  #sweeping = false;

  constructor(serving: Serving) {
    this.#serving = serving;
  }

  get count(): number {
    return this.#sockets.size;
  }

  /** Whether there is room for it; otherwise it is closed at once. */
  admit(socket: Socket): boolean {
    // Not by server.maxConnections: node:cluster hands what one worker refuses to the next, for ever.
    if (this.#sockets.size >= this.#serving.limits.connectionsMax) {
      socket.destroy();
      return false;
    }
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    return true;
  }

  serve(socket: Socket): void {
    const connection = new Connection(socket, this.#serving);
    this.#connections.add(connection);
    const peer = peerOf(socket);
    this.#served.add(peer);
    socket.once("close", () => {
      this.#connections.delete(connection);
      this.#served.delete(peer);
    });
    if (!this.#sweeping) this.#sweepLater();
  }

  /** Closes what is idle, and lets the rest be the last of its connection. */
  drain(): void {
    for (const connection of this.#connections) connection.drain();
    // The handshake of such a one is not over.
    for (const socket of this.#sockets) if (!this.#served.has(peerOf(socket))) socket.destroy();
  }

  destroy(): void {
    for (const connection of this.#connections) connection.destroy();
    for (const socket of this.#sockets) socket.destroy();
  }

  #sweepLater(): void {
    this.#sweeping = true;
    deadline(this.#serving.limits.headersCheckMs, () => {
      this.#sweeping = false;
      const nowMs = performance.now();
      for (const connection of this.#connections) connection.sweep(nowMs);
      if (this.#connections.size > 0) this.#sweepLater();
    });
  }
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
