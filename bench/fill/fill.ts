import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Ledger } from "../ledger.ts";
import type { FillOptions, FillResult } from "./options.ts";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));

/** Fills a bucket in a process of its own, and records how fast that went. Fails: Error. */
export async function fill(ledger: Ledger, row: string, options: FillOptions): Promise<void> {
  ledger.progress(`${row} …`);
  const args = [MAIN, JSON.stringify(options)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${row}: the process that fills ended with ${code}`);
  const { seconds, cpuUs }: FillResult = JSON.parse(text);
  const { count } = options;
  ledger.record({
    ...{ row, target: "engine, no HTTP", unit: "key", count, seconds },
    ...{ perSecond: count / seconds, serverCpuUs: cpuUs / count, errors: 0 },
  });
}
