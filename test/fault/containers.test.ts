/** Two servers over one directory, each in name spaces of its own, as containers on one volume are. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { run, serveCommand } from "#test/support/process.ts";
import { startRealServer } from "#test/support/real-server.ts";

const APART = ["unshare", "-r", "--net", "--pid", "--fork", "--mount-proc"];
const CANNOT = spawnSync("unshare", [...APART.slice(1), "true"]).status !== 0;
const skip = CANNOT ? "this system gives no name spaces" : false;

test("a server in another container is refused the directory that one serves, in words", {
  skip,
}, async (t) => {
  const { dataDirectory } = await startRealServer(t);

  const { code, stderr } = await run(t, {
    command: [...APART, ...serveCommand(dataDirectory)],
  });

  assert.notEqual(code, 0);
  assert.match(stderr, /in use by another Lode server/);
});
