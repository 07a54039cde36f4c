/** Baseline: one durable file per object and nothing else: write, sync, rename, sync directory. */
import { open, rename } from "node:fs/promises";
import { join } from "node:path";
import { payload } from "../client/payload.ts";
import { baselineOptions } from "./options.ts";
import { runLoops } from "./program.ts";

const options = baselineOptions();
const body = payload(options.sizeBytes);
await using directory = await open(options.directory);

await runLoops(options, async (loop, turn) => {
  const path = join(options.directory, `${loop}-${turn}`);
  const file = await open(`${path}.new`, "wx");
  await file.write(body);
  await file.datasync();
  await file.close();
  await rename(`${path}.new`, path);
  await directory.sync();
});
