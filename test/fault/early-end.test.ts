import assert from "node:assert/strict";
import { test } from "node:test";
import { start } from "#test/support/process.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

test("a worker that ends before all others serve for the first time gets a successor", async (t) => {
  const running = start(t, {
    command: [process.execPath, "test/fault/early-end.ts"],
    environment: { FLEET_DIRECTORY: await temporaryDirectory() },
  });

  await running.prints(/^replaced$/m);

  assert.match(running.stdout(), /^started$/m);
});
