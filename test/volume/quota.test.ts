/** How much a volume holds, and what happens when that is full. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, truncateSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { bodyOf } from "#test/contract/engine.ts";
import { refused, sample } from "#test/contract/engine-objects.ts";
import { mountSmallDisk } from "#test/fault/small-disk.ts";
import { start } from "#test/support/process.ts";
import { openVolume } from "#test/volume/volume.ts";
import { HIDDEN_NAME } from "#volume/key-path.ts";
import { sweepVolume } from "#volume/sweep.ts";

const MIB = 2 ** 20;
const SWEEP = { uploadAgeMs: 86_400_000 };

test("what would go over the quota is refused before its body is asked for", async (t) => {
  const { s3, volume } = await openVolume(t, { quotaBytes: 4 * MIB });
  await sweepVolume(volume, SWEEP);
  await s3.put("a", sample(2 * MIB));
  await s3.put("d/b", sample(MIB));
  let asked = false;
  const chunks = (async function* body() {
    asked = true;
    yield sample(2 * MIB);
  })();
  await refused(s3.put("c", { ...bodyOf(sample(2 * MIB)), chunks }), "InsufficientStorage");
  assert.equal(asked, false);
  await refused(s3.copy("a", "c"), "InsufficientStorage");
  const upload = await s3.create("c");
  await refused(s3.part(upload, 1, sample(2 * MIB)), "InsufficientStorage");
  assert.deepEqual(await s3.keys(), ["a", "d/b"]);
});

test("space that is given back can be used again", async (t) => {
  const { s3, volume } = await openVolume(t, { quotaBytes: 4 * MIB });
  await sweepVolume(volume, SWEEP);
  for (let round = 0; round < 5; round += 1) {
    await s3.put("a", sample(3 * MIB));
    await s3.delete("a");
    const upload = await s3.create("b");
    await s3.part(upload, 1, sample(3 * MIB));
    await refused(s3.put("a", sample(3 * MIB)), "InsufficientStorage");
    if (round % 2 === 0) await s3.abort(upload);
    else await s3.complete(upload, (await s3.parts(upload)).parts);
    await s3.delete("b");
  }
  const claims = () => ({ md5: Buffer.alloc(16), sha256: undefined, checksum: undefined });
  for (let round = 0; round < 3; round += 1) {
    await refused(s3.put("a", bodyOf(sample(3 * MIB), { claims })), "BadDigest");
  }
  await s3.put("a", sample(3 * MIB));
});

test("a body that ends sooner than it could counts as what it is", async (t) => {
  const { s3, volume } = await openVolume(t, { quotaBytes: 4 * MIB });
  await sweepVolume(volume, SWEEP);
  const before = (await volume.usage.usedBytes()) ?? 0;
  const body = { ...bodyOf(sample(MIB)), sizeBytesMin: 0, sizeBytes: 2 * MIB };
  await s3.put("a", body);
  const taken = ((await volume.usage.usedBytes()) ?? 0) - before;
  assert.ok(taken >= MIB && taken < 1.5 * MIB, `${taken}`);
});

test("writes that are under way together do not go over the quota together", async (t) => {
  const { s3, volume } = await openVolume(t, { quotaBytes: 4 * MIB });
  await sweepVolume(volume, SWEEP);
  const puts = Array.from({ length: 6 }, (_, at) => s3.put(`${at}`, sample(MIB)));
  const done = await Promise.allSettled(puts);
  assert.equal(done.filter(({ status }) => status === "fulfilled").length, 3);
});

test("what other programs and other servers write counts too", async (t) => {
  const one = await openVolume(t, { quotaBytes: 8 * MIB });
  const two = await openVolume(t, { root: one.root, quotaBytes: 8 * MIB });
  mkdirSync(one.at("d"));
  writeFileSync(one.at("d/theirs"), sample(3 * MIB));
  writeFileSync(one.at("sparse"), "");
  truncateSync(one.at("sparse"), 100 * MIB);
  const { usedBytes } = await sweepVolume(one.volume, SWEEP);
  assert.ok(usedBytes >= 3 * MIB && usedBytes < 4 * MIB, `${usedBytes}`);
  await one.s3.put("a", sample(2 * MIB));
  await refused(two.s3.put("b", sample(4 * MIB)), "InsufficientStorage");
  await two.s3.put("b", sample(MIB));
  assert.ok(((await two.volume.usage.usedBytes()) ?? 0) >= 6 * MIB);
});

test("a volume whose disk is full answers 507, keeps what it has, and goes on when there is space", async (t) => {
  const disk = await mountSmallDisk(t, 8);
  if (disk === undefined) {
    t.skip("this machine does not let us mount a small file system");
    return;
  }
  const command = [process.execPath, "test/volume/worker.ts", disk.path, "fill"];
  const { code, stdout, stderr } = await start(t, { command: disk.command(command) }).ended;
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^refused [678] 507 InsufficientStorage$/m);
  assert.match(stdout, /^part InsufficientStorage$/m);
  assert.match(stdout, /^again 1 /m);
  assert.deepEqual(readdirSync(`${disk.outside}/${HIDDEN_NAME}/tmp`), []);
});
