/** The real server under strace: whatever it has changed is durable when it answers. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { answersIn, straceCommand } from "#test/crash/system-calls.ts";
import { expectCall, makeBucket, sentUpload } from "#test/fault/call.ts";
import {
  processTree,
  ROOT_ENVIRONMENT,
  ROOT_KEY,
  serveCommand,
  start,
} from "#test/support/process.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

test("when a write is answered, every name and byte that the server has written is synced", async (t) => {
  if (spawnSync("strace", ["-f", "-o", "/dev/null", "true"]).status !== 0) {
    t.skip("strace is not installed, or may not trace");
    return;
  }
  // Each level is the server's to make, and to make durable.
  const root = join(await temporaryDirectory(), "parent");
  const log = join(await temporaryDirectory(), "log");
  const command = [...straceCommand(log), ...serveCommand(join(root, "data"))];
  const running = start(t, { command, environment: ROOT_ENVIRONMENT });
  const [, endpoint = ""] = await running.prints(/ready s3=(\S+)/);
  const server = { endpoint, ...ROOT_KEY };

  const bucket = await makeBucket(server, "bucket");
  for (const size of [100, 300_000]) {
    await expectCall(server, {
      method: "PUT",
      path: `${bucket}/${size}`,
      body: Buffer.alloc(size),
    });
  }
  const parts = [Buffer.alloc(5 * 2 ** 20), Buffer.from("last")];
  const { complete } = await sentUpload(server, { path: `${bucket}/parts`, parts });
  await expectCall(server, complete);

  const processes = threadsOf(processTree(running.pid));
  const answers = [
    ...answersIn(readFileSync(log, "utf8"), root, (thread) => processes.get(thread) ?? 0),
  ];
  assert.ok(answers.length >= 7, `${answers.length} answers`);
  for (const { names, bytes } of answers) {
    assert.deepEqual(
      [...names, ...bytes].filter((path) => !isLoose(path.slice(root.length))),
      [],
    );
  }
});

/** What is unfinished may go; so may what is only for running processes; audit records are written behind. */
function isLoose(path: string): boolean {
  return /\/tmp\/|\/lock\.mdb$|^\/data\/audit(?:\/|$)/.test(path);
}

/** The process of each thread. */
function threadsOf(processes: readonly number[]): ReadonlyMap<number, number> {
  return new Map(
    processes.flatMap((process) =>
      readdirSync(`/proc/${process}/task`).map((thread) => [Number(thread), process] as const),
    ),
  );
}
