/** What users of S3 doors on network volumes report, each as a test that it does not happen here. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { CHECKSUM_ALGORITHMS, digestOf } from "#base/checksum.ts";
import { bodyOf } from "#test/contract/engine.ts";
import { refused, sample } from "#test/contract/engine-objects.ts";
import { fabricateParts } from "#test/volume/fabricate.ts";
import { listAll, openVolume } from "#test/volume/volume.ts";

const MIB = 2 ** 20;

/** A body of zeros, made as it goes. */
function zeros(sizeBytes: number) {
  const chunk = Buffer.alloc(MIB);
  const chunks = (async function* body() {
    for (let left = sizeBytes; left > 0; left -= MIB) yield chunk.subarray(0, Math.min(left, MIB));
  })();
  return { ...bodyOf(""), sizeBytes, chunks };
}

test("a client that lost the answer to its Complete finds the object, and its upload gone", async (t) => {
  const { s3 } = await openVolume(t);
  const upload = await s3.create("model");
  const sent = [await s3.part(upload, 1, sample(1_000)), await s3.part(upload, 2, sample(10))];
  // As the published routine does: complete, lose the answer, look, complete again.
  const lost = s3.complete(upload, sent);
  const again = s3.complete(upload, sent);
  const done = await Promise.allSettled([lost, again]);
  assert.ok(done.some(({ status }) => status === "fulfilled"));
  await refused(s3.complete(upload, sent), "NoSuchUpload");
  await refused(s3.parts(upload), "NoSuchUpload");
  assert.equal((await s3.head("model")).sizeBytes, 1_010);
});

test("a part that timed out is sent again, and counted once", async (t) => {
  const { s3 } = await openVolume(t);
  const upload = await s3.create("model");
  const same = sample(1_000);
  await Promise.all([s3.part(upload, 1, same), s3.part(upload, 1, same)]);
  const { parts } = await s3.parts(upload);
  assert.equal(parts.length, 1);
  await s3.complete(upload, parts);
  assert.ok(same.equals(await s3.bytes("model")));
});

test("a part of 200 MB is taken", async (t) => {
  const { s3 } = await openVolume(t);
  const upload = await s3.create("model");
  const part = await s3.part(upload, 1, zeros(200 * MIB));
  assert.equal(part.sizeBytes, 200 * MIB);
  await s3.complete(upload, [part]);
  assert.equal((await s3.head("model")).sizeBytes, 200 * MIB);
});

test("of 7,000 parts of 8 MB none is missing at the end", async (t) => {
  const { s3, root } = await openVolume(t);
  const upload = await s3.create("model");
  const parts = fabricateParts(root, upload, { count: 7_000, sizeBytes: 8 * MIB });
  let counted = 0;
  for (let after = 0, more = true; more; ) {
    const page = await s3.parts(upload, after, 1_000);
    counted += page.parts.length;
    after = page.parts.at(-1)?.number ?? 0;
    more = page.truncated;
  }
  assert.equal(counted, 7_000);
  assert.equal((await s3.complete(upload, parts)).sizeBytes, 7_000 * 8 * MIB);
});

test("an upload of more than 5 GB is there when it was said to be", async (t) => {
  const { s3, root } = await openVolume(t);
  const upload = await s3.create("deep/down/model");
  const parts = fabricateParts(root, upload, { count: 120, sizeBytes: 50 * MIB });
  const { etag } = await s3.complete(upload, parts);
  const head = await s3.head("deep/down/model");
  assert.deepEqual([head.sizeBytes, head.etag], [120 * 50 * MIB, etag]);
  assert.equal((await s3.bytes("deep/down/model", 6_000_000_000, 6_000_000_010)).length, 10);
  assert.deepEqual(await s3.keys(), ["deep/down/model"]);
});

test("to abort one upload leaves those of others, and gives its own space back", async (t) => {
  const { s3, volume } = await openVolume(t, { quotaBytes: 4 * MIB });
  const [mine, theirs] = [await s3.create("a"), await s3.create("a")];
  const kept = await s3.part(theirs, 1, sample(MIB));
  await s3.part(mine, 1, sample(2 * MIB));
  await refused(s3.part(mine, 2, sample(2 * MIB)), "InsufficientStorage");
  await s3.abort(mine);
  await refused(s3.part(mine, 2, "x"), "NoSuchUpload");
  await s3.part(theirs, 2, sample(2 * MIB));
  assert.ok(((await volume.usage.usedBytes()) ?? 0) < 4 * MIB);
  await s3.complete(theirs, [kept, ...(await s3.parts(theirs)).parts.slice(1)]);
});

test("an upload succeeds with each checksum, and with none", async (t) => {
  const { s3 } = await openVolume(t);
  const bytes = sample(100_000);
  await s3.put("none", bytes);
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const checksum = digestOf(algorithm, bytes);
    const claims = () => ({ md5: undefined, sha256: undefined, checksum });
    const put = await s3.put(algorithm, bodyOf(bytes, { algorithm, claims }));
    assert.equal(put.checksum?.value, checksum.toString("base64"));
    const upload = await s3.create(`parts/${algorithm}`, { algorithm });
    const part = await s3.part(upload, 1, bodyOf(bytes, { algorithm, claims }));
    assert.equal(part.checksum?.value, checksum.toString("base64"));
    await s3.complete(upload, [part]);
  }
  assert.equal((await listAll({ s3 })).length, 11);
});

test("tokens of a list go on, and never come twice, while files are written all the time", async (t) => {
  const volume = await openVolume(t);
  const { s3, at } = volume;
  for (let directory = 0; directory < 20; directory += 1) {
    mkdirSync(at(`d${directory}`));
    for (let file = 0; file < 60; file += 1) writeFileSync(at(`d${directory}/f${file}`), "x");
  }
  const tokens: string[] = [];
  let written = 0;
  for (let after: string | undefined = ""; after !== undefined; ) {
    const page = await s3.list({ after, limit: 100 });
    after = page.next;
    if (after === undefined) break;
    assert.ok(
      tokens.length === 0 ||
        Buffer.compare(Buffer.from(after), Buffer.from(tokens.at(-1) ?? "")) > 0,
    );
    tokens.push(after);
    written += 1;
    writeFileSync(at(`d${written % 20}/g${written}`), "y");
  }
  assert.equal(new Set(tokens).size, tokens.length);
  assert.ok(tokens.length >= 12);
});

test("a key with a hash, a space or a percent sign needs no care", async (t) => {
  const { s3, at } = await openVolume(t);
  for (const key of ["run #1/out put.txt", "50%/x", "a+b=c&d"]) {
    await s3.put(key, key);
    assert.equal(readFileSync(at(key), "utf8"), key);
    assert.equal((await s3.head(key)).key, key);
  }
});
