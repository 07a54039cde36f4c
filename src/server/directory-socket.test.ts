import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { holdSocket } from "#server/directory-socket.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

test("who comes second is told that it is taken, until the first has let go", async () => {
  const directory = await temporaryDirectory();
  const first = await held(directory);

  assert.equal(await holdSocket(directory), "taken");

  await first[Symbol.asyncDispose]();
  assert.deepEqual(readdirSync(directory), []);
  await (await held(directory))[Symbol.asyncDispose]();
});

test("of many who come at the same moment one has it at the most", async () => {
  const directory = await temporaryDirectory();

  const all = await Promise.all(Array.from({ length: 8 }, () => holdSocket(directory)));

  const holders = all.filter((each) => each !== "taken");
  assert.equal(holders.length, 1);
  assert.equal(await holdSocket(directory), "taken");
  await holders[0]?.[Symbol.asyncDispose]();
});

test("what one that was killed has left is taken over", async () => {
  const directory = await temporaryDirectory();
  const program = `require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", program, join(directory, "server.sock")]);
  assert.deepEqual(readdirSync(directory), ["server.sock"]);

  await (await held(directory))[Symbol.asyncDispose]();
});

test("where the path is too long for a socket nobody can tell", async () => {
  const directory = join(await temporaryDirectory(), "long".repeat(30));
  mkdirSync(directory);

  assert.equal(await holdSocket(directory), undefined);
});

async function held(directory: string): Promise<AsyncDisposable> {
  const socket = await holdSocket(directory);
  assert.ok(socket !== undefined && socket !== "taken");
  return socket;
}
