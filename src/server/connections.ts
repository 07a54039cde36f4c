import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** What is being answered on each connection, and which take no more requests. */
export class Connections {
  readonly #answers = new WeakMap<Socket, Set<ServerResponse>>();
  readonly #refused = new WeakSet<Socket>();

  add(socket: Socket, outgoing: ServerResponse): void {
    const answers = this.#answers.get(socket) ?? new Set();
    this.#answers.set(socket, answers.add(outgoing));
    outgoing.once("close", () => answers.delete(outgoing));
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
