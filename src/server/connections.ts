import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** What is being answered on each connection, and which take no more requests. */
export class Connections {
  readonly #answers = new WeakMap<Socket, Set<ServerResponse>>();
  readonly #refused = new WeakSet<Socket>();
  /** How many answers are under way by the client's address, which a TLS socket shares with its carrier. */
  readonly #busy = new Map<string, number>();

  /**
   * Resolves when the answers before it are out; undefined when there is none.
   *
   * Spec: https://www.rfc-editor.org/rfc/rfc9112#section-9.3.2
   */
  add(socket: Socket, outgoing: ServerResponse): Promise<void> | undefined {
    const answers = this.#answers.get(socket) ?? new Set();
    const [before] = [...answers].slice(-1);
    this.#answers.set(socket, answers.add(outgoing));
    const peer = peerOf(socket);
    this.#busy.set(peer, (this.#busy.get(peer) ?? 0) + 1);
    outgoing.once("close", () => {
      answers.delete(outgoing);
      const left = (this.#busy.get(peer) ?? 1) - 1;
      if (left === 0) this.#busy.delete(peer);
      else this.#busy.set(peer, left);
    });
    // Not in the same turn of the event loop: other connections come first.
    return before && new Promise((resolve) => before.once("close", () => setImmediate(resolve)));
  }

  /** An answer is under way on it, or on the TLS connection that it carries. */
  isBusy(socket: Socket): boolean {
    return this.#busy.has(peerOf(socket));
  }

  /** It waits for an answer that has not begun. */
  isAwaited(socket: Socket): boolean {
    return [...(this.#answers.get(socket) ?? [])].some(({ headersSent }) => !headersSent);
  }

  /** Nothing else is being answered on its connection. */
  isLast(socket: Socket, outgoing: ServerResponse): boolean {
    return [...(this.#answers.get(socket) ?? [])].every((answer) => answer === outgoing);
  }

  /** Whatever comes on it from now on is not answered. */
  refuse(socket: Socket): void {
    this.#refused.add(socket);
  }

  isRefused(socket: Socket): boolean {
    return this.#refused.has(socket);
  }

  /** Resolves when the answers are out that were asked for in good form. */
  async answered(socket: Socket): Promise<void> {
    const answers = [...(this.#answers.get(socket) ?? [])];
    const asked = answers.filter(({ req, headersSent }) => req.complete || headersSent);
    await Promise.all(
      asked.map((outgoing) => new Promise<void>((resolve) => outgoing.once("close", resolve))),
    );
  }
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
