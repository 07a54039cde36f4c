import type { Socket } from "node:net";

/** What is written on one connection, and how much of it is still on its way. */
export class Outlet {
  readonly #socket: Socket;
  #underWay = 0;
  #wake: (() => void) | undefined;
  readonly #wrote = () => {
    this.#underWay -= 1;
    this.stir();
  };

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Nothing that is written arrives any more. */
  get isGone(): boolean {
    return this.#socket.destroyed || !this.#socket.writable;
  }

  /** Whether the system has taken all but the last `most` writes. */
  isDown(most: number): boolean {
    return this.#socket.writableLength === 0 || this.#underWay <= most;
  }

  write(bytes: Uint8Array): void {
    this.#underWay += 1;
    this.#socket.write(bytes, this.#wrote);
  }

  /** Two buffers in one system call. */
  writeBoth(first: Uint8Array, second: Uint8Array): void {
    this.#socket.cork();
    this.write(first);
    this.write(second);
    this.#socket.uncork();
  }

  /** Resolves when the system has taken all but the last `most` writes, or the connection is gone. */
  async down(most: number): Promise<void> {
    while (!this.isDown(most) && !this.isGone) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Something has changed: who waits looks again. */
  stir(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
