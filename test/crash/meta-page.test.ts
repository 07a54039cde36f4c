/** What becomes of a process when the disk fails the page of LMDB by which a commit becomes true. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { run } from "#test/support/process.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

/** One thread makes each write, so that they can be counted: a page of data, then a meta page each commit. */
const ONE_THREAD = { UV_THREADPOOL_SIZE: "1" };
const THIRD_META_PAGE = 4;

for (const error of ["EIO", "ENOSPC"]) {
  test(`a meta page that cannot be written for ${error} ends all use of the map, which is told once, and nobody waits`, async (t) => {
    if (spawnSync("strace", ["-f", "-o", "/dev/null", "true"]).status !== 0) {
      t.skip("strace is not installed, or may not trace");
      return;
    }
    const fault = `inject=pwrite64:error=${error}:when=${THIRD_META_PAGE}`;
    const strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64", "-e", fault];
    const program = [process.execPath, "test/crash/committing.ts", await temporaryDirectory()];

    const { code, stdout } = await run(t, {
      command: [...strace, ...program],
      environment: ONE_THREAD,
    });

    assert.deepEqual(stdout.trimEnd().split("\n"), [
      "1 1",
      "2 2",
      ...Array.from({ length: 3 }, () => "unavailable unavailable"),
      "told unavailable",
    ]);
    assert.equal(code, 0);
  });
}
