import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import type { Credentials } from "../client/sign.ts";
import { ServerProcess } from "./server-process.ts";

const BIN = fileURLToPath(new URL("../../bin/lode", import.meta.url));

export const LODE_CREDENTIALS: Credentials = {
  accessKeyId: "LODEBENCHMARK0000001",
  secretAccessKey: "benchmark/secret/access/key/0123456789ab",
  region: "us-east-1",
};

export interface LodeOptions {
  readonly dataDirectory: string;
  readonly workers: number;
  /** Of the control API; any free one when absent. */
  readonly adminPort?: number;
  /** Further settings, as flags. */
  readonly flags?: readonly string[];
}

/** Starts Lode on a data directory, on two ports that are free at this moment. */
export async function startLode(options: LodeOptions): Promise<ServerProcess> {
  const listen = await freePort();
  const admin = options.adminPort ?? (await freePort());
  return ServerProcess.start({
    args: [
      BIN,
      "serve",
      ...["--data", options.dataDirectory],
      ...["--listen", `127.0.0.1:${listen}`],
      ...["--admin-listen", `127.0.0.1:${admin}`],
      ...["--workers", String(options.workers)],
      ...(options.flags ?? []),
    ],
    env: {
      LODE_ROOT_ACCESS_KEY_ID: LODE_CREDENTIALS.accessKeyId,
      LODE_ROOT_SECRET_ACCESS_KEY: LODE_CREDENTIALS.secretAccessKey,
    },
  });
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}
