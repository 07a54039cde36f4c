/**
 * A fleet of two workers that are none: the first ends as soon as it serves, the second serves when the first is
 * gone, and the third takes the place of the first. Its argument is a directory for what they tell each other.
 */
import cluster from "node:cluster";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeLog } from "#base/log.ts";
import { Fleet } from "#process/fleet.ts";
import type { FromWorker, WorkerStart } from "#process/worker.ts";

const LOOK_MS = 10;
const told = join(process.env["FLEET_DIRECTORY"] ?? "", "first");

if (cluster.isPrimary) await supervise();
else serve();

async function supervise(): Promise<void> {
  cluster.on("message", (worker, message: FromWorker) => {
    if (worker.id === 3 && message.kind === "ready") process.stdout.write("replaced\n");
  });
  const config = { workers: 2, listen: { host: "127.0.0.1", port: 0 } };
  const start = { config } as unknown as WorkerStart;
  const fleet = new Fleet(start, makeLog({ pretty: false, access: false, to: 2 }), () => undefined);
  await fleet.start();
  process.stdout.write("started\n");
}

function serve(): void {
  process.on("message", ({ kind }: { readonly kind: string }) => {
    if (kind === "start") begin();
  });
  process.send?.({ kind: "hello" } satisfies FromWorker);
}

function begin(): void {
  const id = cluster.worker?.id;
  if (id === 2 && !isFirstGone()) {
    setTimeout(begin, LOOK_MS);
    return;
  }
  process.send?.({ kind: "ready", port: 1 } satisfies FromWorker, () => {
    if (id !== 1) return;
    writeFileSync(`${told}.new`, String(process.pid));
    renameSync(`${told}.new`, told);
    process.kill(process.pid, "SIGKILL");
  });
}

/** It has been waited for by its parent, too. */
function isFirstGone(): boolean {
  if (!existsSync(told)) return false;
  try {
    process.kill(Number(readFileSync(told, "utf8")), 0);
    return false;
  } catch {
    return true;
  }
}
