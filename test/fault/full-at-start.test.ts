import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { mountSmallDisk } from "#test/fault/small-disk.ts";
import { run, serveCommand, start } from "#test/support/process.ts";

test("a server that starts on a full disk, without the file that its processes meet over, says so and ends with 1", async (t) => {
  const disk = await mountSmallDisk(t, 4);
  if (disk === undefined) {
    t.skip("this user may not mount");
    return;
  }
  const command = disk.command(serveCommand(disk.path));
  const first = start(t, { command });
  await first.prints(/ready s3=/);
  first.signal("SIGTERM");
  assert.equal((await first.ended).code, 0);
  // As after a restore by hand.
  rmSync(join(disk.outside, "metadata", "lock.mdb"));
  disk.fill();

  const { code, stderr } = await run(t, { command });

  assert.equal(code, 1);
  assert.match(stderr, /^lode: \S+\/metadata: the metadata cannot be opened \(.*no space left/m);
});
