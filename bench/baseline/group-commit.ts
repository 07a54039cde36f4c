/** Baseline: records appended to one log; one sync makes all that wait for it durable. */
import { open } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { payload } from "../client/payload.ts";
import { baselineOptions } from "./options.ts";
import { runLoops } from "./program.ts";

const options = baselineOptions();
const record = payload(options.sizeBytes);
await using log = await open(join(options.directory, "log"), "a");

let waiting: (() => void)[] = [];
let isCommitting = false;

await runLoops(options, async () => {
  const durable = new Promise<void>((resolve) => waiting.push(resolve));
  if (!isCommitting) commit().catch(fail);
  await durable;
});

/** Goes on until nobody waits. */
async function commit(): Promise<void> {
  isCommitting = true;
  while (waiting.length > 0) {
    // Those who were just told get the time to come back, else they would miss the next group.
    await setImmediate();
    const group = waiting;
    waiting = [];
    await log.writev(group.map(() => record));
    await log.datasync();
    for (const resolve of group) resolve();
    await setImmediate();
  }
  isCommitting = false;
}

function fail(error: unknown): void {
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
}
