/**
 * The real thing, where this user may mount: a server writes to a file system on a loop device; at some
 * moment everything stops, and what had reached the device by then is all that the next start finds. What
 * was only in the kernel's memory is gone, as it would be without power.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { systemClock } from "#base/clock.ts";
import { makeBucket } from "#test/fault/call.ts";
import { Ledger, load, requireLedger } from "#test/fault/load.ts";
import { startRealServer } from "#test/support/real-server.ts";
import { LONG } from "#test/support/runs.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

const ROUNDS = LONG ? 50 : 1;
const DEVICE_BYTES = 2 ** 30;
/** What has begun in the kernel when its process is stopped has ended then. */
const SETTLED_MS = 50;

test("what was acknowledged is there and whole after the power was cut", async (t) => {
  const device = join(await temporaryDirectory(), "device");
  writeFileSync(device, "");
  truncateSync(device, DEVICE_BYTES);
  const disk = join(await temporaryDirectory(), "disk");
  await mkdir(disk);
  if (!run("mkfs.ext4", "-q", "-F", device) || !mount(t, device, disk)) {
    t.skip("this machine does not let us mount a file system on a loop device");
    return;
  }
  const ledger = new Ledger();
  let lost = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const server = await startRealServer(t, { workers: 2, dataDirectory: join(disk, "data") });
    const bucket = await makeBucket(server, "power");
    await requireLedger(server, bucket, ledger);
    const stop = new AbortController();
    const writing = load(server, bucket, { ledger, round, stop: stop.signal });
    await systemClock.sleep(200 + ((round * 137) % 400));

    const unsynced = join(disk, `unsynced-${round}`);
    writeFileSync(unsynced, "gone");
    process.kill(-server.pid, "SIGSTOP");
    await systemClock.sleep(SETTLED_MS);
    assert.ok(run("cp", "--sparse=always", device, `${device}.cut`));
    await server.kill();
    stop.abort();
    await writing;
    assert.ok(run("umount", disk));
    assert.ok(run("mv", `${device}.cut`, device));
    assert.ok(mount(t, device, disk));

    if (read(unsynced) !== "gone") lost += 1;
  }
  // They were cuts: what nobody had synced was lost, unless the kernel came first.
  assert.ok(lost > ROUNDS / 2, `${lost} of ${ROUNDS}`);
  const server = await startRealServer(t, { workers: 2, dataDirectory: join(disk, "data") });
  assert.ok(ledger.keys.length > 0);
  await requireLedger(server, "/power", ledger);
  await server.stop();
});

function mount(t: TestContext, device: string, disk: string): boolean {
  const mounted = run("mount", "-o", "loop", device, disk);
  if (mounted) t.after(() => run("umount", "-l", disk));
  return mounted;
}

function run(command: string, ...args: readonly string[]): boolean {
  return spawnSync(command, args).status === 0;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
