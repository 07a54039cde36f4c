import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "#base/clock.ts";
import { LineWriter } from "#base/line-writer.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

test("every line is written once and in order, by chunks, by time and at the end", async () => {
  const path = join(await temporaryDirectory(), "log");
  const descriptor = openSync(path, "w");
  const writer = new LineWriter(descriptor);
  const lines = Array.from({ length: 5_000 }, (_, index) => `line ${index} é\n`);

  for (const line of lines.slice(0, -1)) writer.write(line);
  while (!readFileSync(path, "utf8").includes("line 4998")) await systemClock.sleep(20);
  for (const line of lines.slice(-1)) writer.write(line);
  writer.flush();

  assert.equal(readFileSync(path, "utf8"), lines.join(""));
  closeSync(descriptor);
});
