import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { yieldProcessor } from "../driver/priority.ts";
import type { Attacked } from "./attacker.ts";
import type { Clients } from "./main.ts";
import type { Served } from "./polite.ts";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));

interface Told {
  readonly kind: "ready" | "done";
  readonly result?: unknown;
}

/** Clients in a process of their own, so that they take no time from those who measure. */
export class ClientProcess<Result> implements Disposable {
  readonly #child: ChildProcess;

  private constructor(clients: Clients) {
    this.#child = fork(MAIN, [JSON.stringify(clients)], { stdio: "inherit" });
  }

  /** Resolves when they are at it. */
  static async polite(
    clients: Extract<Clients, { readonly kind: "polite" }>,
  ): Promise<ClientProcess<Served>> {
    return await ClientProcess.#started<Served>(clients);
  }

  /** Resolves when all connections are open that can be. */
  static async attack(
    clients: Extract<Clients, { readonly kind: "attack" }>,
  ): Promise<ClientProcess<Attacked>> {
    return await ClientProcess.#started<Attacked>(clients, yieldProcessor);
  }

  static async #started<Result>(
    clients: Clients,
    prepare?: (child: ChildProcess) => void,
  ): Promise<ClientProcess<Result>> {
    const made = new ClientProcess<Result>(clients);
    prepare?.(made.#child);
    await made.#told("ready");
    return made;
  }

  async stop(): Promise<Result> {
    const done = this.#told("done");
    this.#child.send({ kind: "stop" });
    const { result } = await done;
    // Our own process wrote it.
    return result as Result;
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }

  async #told(kind: Told["kind"]): Promise<Told> {
    return await new Promise((resolve, reject) => {
      const ended = () => reject(new Error("a process of clients ended"));
      this.#child.once("exit", ended);
      this.#child.once("message", (told: Told) => {
        this.#child.off("exit", ended);
        if (told.kind === kind) resolve(told);
        else reject(new Error(`a process of clients says ${told.kind}, not ${kind}`));
      });
    });
  }
}
