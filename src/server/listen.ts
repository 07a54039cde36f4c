import type { AddressInfo } from "node:net";
import type { HttpReply, HttpRequest } from "#base/http.ts";
import type { Soon } from "#base/soon.ts";
import { Connections } from "#server/connections.ts";
import { HeadParser } from "#server/http1/head-parser.ts";
import type { Serving } from "#server/http1/serving.ts";
import { LIMITS, type Limits } from "#server/limits.ts";
import { openServer, type Tls } from "#server/open-server.ts";
import type { Written } from "#server/write-reply.ts";

export interface Listen {
  readonly host: string;
  /** 0 for any. */
  readonly port: number;
  readonly tls?: Tls | undefined;
  /** Never fails. */
  readonly answer: (request: HttpRequest) => Soon<Answer>;
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
  const { limits = LIMITS } = options;
  const serving: Serving = { options, limits, parser: new HeadParser(limits), draining: false };
  const connections = new Connections(serving);
  const server = openServer(options.tls, limits, connections);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  const close = async () =>
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections.count,
    drain: async () => {
      const closed = close();
      serving.draining = true;
      connections.drain();
      await closed;
    },
    [Symbol.asyncDispose]: async () => {
      connections.destroy();
      await close();
    },
  };
}
