/** Backups and what is restored from them, under strace: when they are said to be done, they are durable. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { straceCommand, unsyncedAtEnd } from "#test/crash/system-calls.ts";
import { makeBucket, put } from "#test/fault/call.ts";
import { run } from "#test/support/process.ts";
import { startRealServer } from "#test/support/real-server.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

for (const how of [[], ["--copy"]]) {
  test(`when a backup is taken, and restored, all of it is synced: ${how[0] ?? "by links"}`, async (t) => {
    if (!canTrace(t)) return;
    const server = await startRealServer(t);
    const bucket = await makeBucket(server, "bucket");
    for (const key of ["a", "b"]) await put(server, `${bucket}/${key}`, Buffer.alloc(300_000, key));
    await server.kill();
    const [root, log] = [await temporaryDirectory(), join(await temporaryDirectory(), "log")];
    const [to, again] = [join(root, "backup"), join(root, "data")];
    // As a backup leaves it that was cut short.
    const [blob = ""] = blobsIn(server.dataDirectory);
    mkdirSync(join(to, "blobs", blob.slice(0, 2)), { recursive: true });
    copyFileSync(join(server.dataDirectory, "blobs", blob), join(to, "blobs", blob));

    await traced(
      t,
      log,
      "backup",
      "--data",
      server.dataDirectory,
      "--to",
      to,
      "--with-keys",
      ...how,
    );
    const backedUp = readFileSync(log, "utf8");
    await traced(t, log, "restore", "--from", to, "--data", again, ...how);
    const restored = readFileSync(log, "utf8");

    assert.deepEqual(unsynced(backedUp, to), []);
    const directory = join(to, "blobs", blob.slice(0, 2));
    assert.ok(backedUp.split("\n").some((line) => /fsync/.test(line) && line.includes(directory)));
    assert.deepEqual(unsynced(restored, again), []);
  });
}

function canTrace(t: TestContext): boolean {
  if (spawnSync("strace", ["-f", "-o", "/dev/null", "true"]).status === 0) return true;
  t.skip("strace is not installed, or may not trace");
  return false;
}

async function traced(t: TestContext, log: string, ...args: readonly string[]): Promise<void> {
  const command = [...straceCommand(log), process.execPath, "bin/lode", ...args];
  const { code, stderr } = await run(t, { command });
  assert.equal(code, 0, stderr);
}

function unsynced(log: string, root: string): readonly string[] {
  const { names, bytes } = unsyncedAtEnd(log, root);
  const within = [...names, ...bytes].map((path) => path.slice(root.length));
  return within.filter((path) => !/\/tmp\/|\/lock\.mdb$/.test(path));
}

/** `xx/<id>` each. */
function blobsIn(data: string): string[] {
  const names = readdirSync(join(data, "blobs"), { recursive: true, encoding: "utf8" });
  return names.filter((name) => /^..\/[0-9a-f]{32}\.sum$/.test(name));
}
