import { execFileSync } from "node:child_process";
import { connect, type Socket } from "node:net";
import type { Endpoint } from "../client/session.ts";
import { type Attack, type Signed, signerFor } from "./attacks.ts";

/** In which each connection has its turn once. */
const TICK_MS = 500;
/** Their turns are spread over it: what comes from many places does not come in one burst. */
const SLICES = 50;
/** The queue of connections that wait to be accepted is short. */
const AT_ONCE = 100;
/** What this process needs of its descriptors for itself. */
const OWN_DESCRIPTORS = 100;
/** Of what one that does not read still has to send, nothing more is added. */
const UNSENT_BYTES_MAX = 1_000_000;

export interface Attacked {
  readonly wanted: number;
  /** As many as this process may have open, at the first. */
  readonly opened: number;
  /** By the server, or refused by it. */
  readonly ended: number;
}

/** Many connections of one hostile kind, from their opening to `stop`. */
export class Attacker {
  readonly #attack: Attack;
  readonly #endpoint: Endpoint;
  readonly #signed: Signed;
  readonly #sockets = new Set<Socket>();
  readonly #wanted: number;
  readonly #count: number;
  #begun = 0;
  #opened = 0;
  #ended = 0;
  #slices = 0;
  /** Who has not had their turn in this tick. */
  #due: readonly Socket[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(
    attack: Attack,
    on: { readonly endpoint: Endpoint; readonly bucket: string; readonly connections: number },
  ) {
    this.#attack = attack;
    this.#endpoint = on.endpoint;
    this.#signed = signerFor(on.endpoint, on.bucket);
    this.#wanted = on.connections;
    this.#count = Math.min(on.connections, openFilesMax() - OWN_DESCRIPTORS);
  }

  async open(): Promise<void> {
    await this.#fill(this.#count);
    this.#opened = this.#sockets.size;
    this.#timer = setInterval(() => this.#slice(), TICK_MS / SLICES);
  }

  stop(): Attacked {
    clearInterval(this.#timer);
    for (const socket of this.#sockets) socket.destroy();
    return { wanted: this.#wanted, opened: this.#opened, ended: this.#ended };
  }

  /** At most so many of those that are missing. */
  async #fill(most: number): Promise<void> {
    for (let left = Math.min(most, this.#count - this.#sockets.size); left > 0; left -= AT_ONCE) {
      await Promise.all(Array.from({ length: Math.min(left, AT_ONCE) }, () => this.#connect()));
    }
  }

  async #connect(): Promise<void> {
    const { opening, reads, halfCloses = false } = this.#attack;
    const { host, port } = this.#endpoint;
    const index = this.#begun;
    this.#begun += 1;
    const socket = connect({ host, port, allowHalfOpen: true });
    if (reads === "all") socket.resume();
    else socket.pause();
    this.#sockets.add(socket);
    // The server may end it, and should; we would keep it half open.
    socket.on("error", () => undefined);
    socket.on("end", () => socket.destroy());
    socket.once("close", () => {
      if (this.#sockets.delete(socket)) this.#ended += 1;
    });
    await new Promise((resolve) => socket.once("connect", resolve).once("close", resolve));
    const text = opening(this.#signed, index);
    if (text !== "") socket.write(text, "latin1");
    if (halfCloses) socket.end();
  }

  #slice(): void {
    const slice = this.#slices % SLICES;
    if (slice === 0) this.#due = [...this.#sockets];
    const each = Math.ceil(this.#due.length / SLICES);
    for (const [index, socket] of this.#due.slice(slice * each, (slice + 1) * each).entries()) {
      this.#turn(socket, slice * each + index);
    }
    this.#slices += 1;
    if (this.#attack.returns !== true) return;
    // Those that cannot connect are counted, and tried again.
    this.#fill(Math.ceil(this.#count / SLICES)).catch(() => undefined);
  }

  #turn(socket: Socket, index: number): void {
    const { drip, againTicks, reads, opening } = this.#attack;
    if (reads === "sips") socket.read();
    if (!socket.writable || socket.writableLength > UNSENT_BYTES_MAX) return;
    if (drip !== undefined) socket.write(drip);
    const ticks = Math.floor(this.#slices / SLICES) + 1;
    const isAgain = againTicks !== undefined && ticks % againTicks === 0;
    if (isAgain) socket.write(opening(this.#signed, index), "latin1");
  }
}

function openFilesMax(): number {
  const text = execFileSync("sh", ["-c", "ulimit -n"], { encoding: "utf8" }).trim();
  return text === "unlimited" ? Number.POSITIVE_INFINITY : Number(text);
}
