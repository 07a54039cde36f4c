/** A full disk: nothing half-written is visible, reads go on, and space is all that it takes to write again. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  call,
  expectCall,
  type Got,
  listKeys,
  makeBucket,
  put,
  type Sent,
  sentUpload,
  type Target,
} from "#test/fault/call.ts";
import { mountSmallDisk, type SmallDisk } from "#test/fault/small-disk.ts";
import {
  processTree,
  ROOT_ENVIRONMENT,
  ROOT_KEY,
  type Running,
  serveCommand,
  start,
} from "#test/support/process.ts";

const PART_BYTES = 5 * 2 ** 20;

test("a server whose disk is full refuses writes, serves reads and recovers by itself", async (t) => {
  const disk = await mountSmallDisk(t, 48);
  if (disk === undefined) {
    t.skip("this machine does not let us mount a small file system");
    return;
  }
  const { server, running } = await serve(t, disk);
  const bucket = await makeBucket(server, "full");
  const early = { small: Buffer.alloc(1_000, "s"), large: Buffer.alloc(1_000_000, "l") };
  for (const [key, body] of Object.entries(early)) await put(server, `${bucket}/${key}`, body);
  const parts = [Buffer.alloc(PART_BYTES, "p"), Buffer.from("end")];
  const upload = await sentUpload(server, `${bucket}/upload`, parts);
  const processes = processTree(running.pid);
  const acknowledged = new Set(Object.keys(early));

  await t.test("an object that goes to a file is refused", async () => {
    disk.fill(512 * 1_024);
    requireFull(await call(server, putOf(`${bucket}/to-file`, 2_000_000)));
    assert.deepEqual(readdirSync(join(disk.outside, "data", "blobs", "tmp")), []);
  });

  await t.test(
    "an object that goes into the metadata is refused when a commit finds no space",
    async () => {
      let refused = 0;
      for (let index = 0; refused < 8; index += 1) {
        const got = await call(server, putOf(`${bucket}/inline-${index}`, 60_000));
        if (got.status === 200) acknowledged.add(`inline-${index}`);
        else refused += 1;
        if (got.status !== 200) requireFull(got);
      }
      const together = Array.from({ length: 8 }, (_, index) =>
        call(server, putOf(`${bucket}/together-${index}`, 60_000)),
      );
      for (const got of await Promise.all(together)) requireFull(got);
    },
  );

  await t.test("a part is refused", async () => {
    const path = `${bucket}/upload?partNumber=3&uploadId=${upload.uploadId}`;
    requireFull(await call(server, putOf(path, PART_BYTES)));
  });

  await t.test("nothing of them is visible, what was acknowledged is whole", async () => {
    await requireState(server, bucket, { acknowledged, early });
    assert.equal(
      (await call(server, { method: "GET", path: `${bucket}/to-file` })).code,
      "NoSuchKey",
    );
  });

  await t.test("no process has ended over it", () => {
    assert.deepEqual(processTree(running.pid), processes);
  });

  await t.test("deleting is possible, so that space can be made", async () => {
    for (const key of acknowledged) {
      if (!key.startsWith("inline-")) continue;
      await expectCall(server, { method: "DELETE", path: `${bucket}/${key}` }, 204);
      acknowledged.delete(key);
    }
    await requireState(server, bucket, { acknowledged, early });
  });

  await t.test("when there is space, writes succeed again without a restart", async () => {
    disk.free();
    await expectCall(server, putOf(`${bucket}/to-file`, 2_000_000));
    await expectCall(server, putOf(`${bucket}/inline-0`, 60_000));
    await expectCall(server, upload.complete);
    for (const key of ["to-file", "inline-0", "upload"]) acknowledged.add(key);
    await requireState(server, bucket, { acknowledged, early });
  });

  await t.test("a server that starts on a full disk serves reads", async () => {
    disk.fill();
    running.signal("SIGTERM");
    assert.equal((await running.ended).code, 0);
    const again = await serve(t, disk);
    await requireState(again.server, bucket, { acknowledged, early });
    requireFull(await call(again.server, putOf(`${bucket}/more`, 2_000_000)));
  });
});

/** A server in the name space of the disk, its data on it. */
async function serve(
  t: TestContext,
  disk: SmallDisk,
): Promise<{ readonly server: Target; readonly running: Running }> {
  const command = serveCommand(join(disk.path, "data"), "--workers", "2", "--access-log", "false");
  const running = start(t, { command: disk.command(command), environment: ROOT_ENVIRONMENT });
  const [, endpoint = ""] = await running.prints(/^ready s3=(\S+) admin=\S+$/m);
  return { server: { endpoint, ...ROOT_KEY }, running };
}

function putOf(path: string, sizeBytes: number): Sent {
  return { method: "PUT", path, body: Buffer.alloc(sizeBytes, path) };
}

function requireFull({ status, code, body }: Got): void {
  assert.deepEqual([status, code], [503, "ServiceUnavailable"]);
  assert.match(body.toString(), /<Message>The server's disk is full: nothing was stored\./);
}

interface State {
  readonly acknowledged: ReadonlySet<string>;
  readonly early: Readonly<Record<string, Buffer>>;
}

async function requireState(
  server: Target,
  bucket: string,
  { acknowledged, early }: State,
): Promise<void> {
  assert.deepEqual(await listKeys(server, bucket), [...acknowledged].sort());
  for (const key of acknowledged) {
    const { body } = await expectCall(server, { method: "GET", path: `${bucket}/${key}` });
    const path = `${bucket}/${key}`;
    const isUpload = key === "upload";
    const expected = isUpload ? PART_BYTES + 3 : Buffer.alloc(body.length, path).equals(body);
    if (early[key] !== undefined) assert.ok(early[key].equals(body));
    else assert.ok(isUpload ? body.length === expected : expected, key);
  }
}
