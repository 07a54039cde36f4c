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
  /** What was acknowledged, by key. */
  const kept = new Map<string, Buffer>();
  for (const [key, size] of [
    ["small", 1_000],
    ["large", 1_000_000],
  ] as const) {
    await put(server, `${bucket}/${key}`, bodyOf(key, size));
    kept.set(key, bodyOf(key, size));
  }
  const parts = [Buffer.alloc(PART_BYTES, "p"), Buffer.from("end")];
  const upload = await sentUpload(server, { path: `${bucket}/upload`, parts });
  const processes = processTree(running.pid);

  await t.test("an object that goes to a file is refused", async () => {
    disk.fill(512 * 1_024);
    requireFull(await putOne(server, `${bucket}/to-file`, 2_000_000));
    assert.deepEqual(readdirSync(join(disk.outside, "data", "blobs", "tmp")), []);
  });

  await t.test(
    "an object that goes into the metadata is refused when no space is left",
    async () => {
      let refused = 0;
      for (let index = 0; refused < 8; index += 1) {
        const key = `inline-${index}`;
        const got = await putOne(server, `${bucket}/${key}`, 60_000);
        if (got.status === 200) kept.set(key, bodyOf(key, 60_000));
        else {
          requireFull(got);
          refused += 1;
        }
      }
      const together = Array.from({ length: 8 }, (_, index) =>
        putOne(server, `${bucket}/together-${index}`, 60_000),
      );
      for (const got of await Promise.all(together)) requireFull(got);
    },
  );

  await t.test("a part is refused", async () => {
    const path = `${bucket}/upload?partNumber=3&uploadId=${upload.uploadId}`;
    requireFull(await putOne(server, path, PART_BYTES));
  });

  await t.test("nothing of them is visible, what was acknowledged is whole", async () => {
    await requireKept(server, bucket, kept);
    const missing = { method: "GET", path: `${bucket}/to-file` };
    assert.equal((await call(server, missing)).code, "NoSuchKey");
  });

  await t.test("no process has ended over it", () => {
    assert.deepEqual(processTree(running.pid), processes);
  });

  await t.test("deleting is possible, so that space can be made", async () => {
    for (const key of [...kept.keys()].filter((each) => each.startsWith("inline-"))) {
      await expectCall(server, { method: "DELETE", path: `${bucket}/${key}` }, 204);
      kept.delete(key);
    }
    await requireKept(server, bucket, kept);
  });

  await t.test("when there is space, writes succeed again without a restart", async () => {
    disk.free();
    for (const [key, size] of [
      ["to-file", 2_000_000],
      ["inline-0", 60_000],
    ] as const) {
      assert.equal((await putOne(server, `${bucket}/${key}`, size)).status, 200);
      kept.set(key, bodyOf(key, size));
    }
    await expectCall(server, upload.complete);
    kept.set("upload", Buffer.concat(parts));
    await requireKept(server, bucket, kept);
  });

  await t.test("a server that starts on a full disk serves reads", async () => {
    disk.fill();
    running.signal("SIGTERM");
    assert.equal((await running.ended).code, 0);
    const again = await serve(t, disk);
    await requireKept(again.server, bucket, kept);
    requireFull(await putOne(again.server, `${bucket}/more`, 2_000_000));
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

async function putOne(server: Target, path: string, sizeBytes: number): Promise<Got> {
  const key = path.split("/").at(-1) ?? "";
  return await call(server, { method: "PUT", path, body: bodyOf(key, sizeBytes) });
}

/** Says of which key it is. */
function bodyOf(key: string, sizeBytes: number): Buffer {
  return Buffer.alloc(sizeBytes, `${key};`);
}

function requireFull({ status, code, body }: Got): void {
  assert.deepEqual([status, code], [503, "ServiceUnavailable"]);
  assert.match(body.toString(), /<Message>The server's disk is full: nothing was stored\./);
}

/** The bucket lists exactly these keys, and each is what it was. */
async function requireKept(
  server: Target,
  bucket: string,
  kept: ReadonlyMap<string, Buffer>,
): Promise<void> {
  assert.deepEqual(await listKeys(server, bucket), [...kept.keys()].sort());
  for (const [key, bytes] of kept) {
    const { body } = await expectCall(server, { method: "GET", path: `${bucket}/${key}` });
    assert.ok(body.equals(bytes), key);
  }
}
