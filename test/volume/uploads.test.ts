/** Where the parts of uploads lie, and what becomes of them when things go wrong. */
import assert from "node:assert/strict";
import { linkSync, readdirSync, renameSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { S3Error } from "#base/error.ts";
import { bodyOf, NOTHING_SAID } from "#test/contract/engine.ts";
import { refused, sample } from "#test/contract/engine-objects.ts";
import { fabricateParts, uploadFiles } from "#test/volume/fabricate.ts";
import { openVolume, type TestVolume } from "#test/volume/volume.ts";
import { HIDDEN_NAME, pathOfKey } from "#volume/key-path.ts";
import { NewFile } from "#volume/new-file.ts";
import { publish } from "#volume/publish.ts";

const SIZE = 100_000;
const [ONE, TWO, THREE] = [sample(SIZE, 1), sample(SIZE, 2), sample(SIZE, 3)];

/** A body that stops in the middle until it is told to go on, and whether that point is reached. */
function stalling(bytes: Buffer) {
  const [reached, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const chunks = (async function* body() {
    yield bytes.subarray(0, bytes.length / 2);
    reached.resolve();
    await goOn.promise;
    yield bytes.subarray(bytes.length / 2);
  })();
  const body = { ...bodyOf(bytes), chunks };
  return { body, reached: reached.promise, goOn: () => goOn.resolve() };
}

test("parts of one size lie in one file, which becomes the object: no byte moves", async (t) => {
  const { s3, at, root } = await openVolume(t);
  const upload = await s3.create("a");
  const sent = [
    await s3.part(upload, 3, THREE.subarray(0, 5)),
    await s3.part(upload, 1, ONE),
    await s3.part(upload, 2, TWO),
  ];
  // The last one came first, and lies apart.
  assert.deepEqual(uploadFiles(root, upload), [
    `data-${SIZE}`,
    "data-5",
    "open",
    "parts",
    "upload.json",
  ]);
  const inode = statSync(at(HIDDEN_NAME, "uploads", upload.uploadId, `data-${SIZE}`)).ino;

  await s3.complete(upload, [...sent.slice(1), ...sent.slice(0, 1)]);

  assert.equal(statSync(at("a")).ino, inode);
  assert.equal(statSync(at("a")).nlink, 1);
  assert.ok(Buffer.concat([ONE, TWO, THREE.subarray(0, 5)]).equals(await s3.bytes("a")));
  assert.deepEqual(readdirSync(at(HIDDEN_NAME, "uploads")), []);
  assert.deepEqual(readdirSync(at(HIDDEN_NAME, "tmp")), []);
});

test("a shorter part that comes last lies with the others", async (t) => {
  const { s3, root } = await openVolume(t);
  const upload = await s3.create("a");
  await s3.part(upload, 1, ONE);
  await s3.part(upload, 2, TWO.subarray(0, 7));
  assert.deepEqual(uploadFiles(root, upload), [`data-${SIZE}`, "open", "parts", "upload.json"]);
});

test("50 GiB of 10,000 parts become an object as they are", async (t) => {
  const { s3, at, root } = await openVolume(t);
  const upload = await s3.create("large/model");
  const sizeBytes = 5 * 2 ** 20;
  const parts = fabricateParts(root, upload, { count: 10_000, sizeBytes });
  const object = await s3.complete(upload, parts);
  assert.equal(object.sizeBytes, 10_000 * sizeBytes);
  assert.match(object.etag, /^[0-9a-f]{32}-10000$/);
  assert.deepEqual(await s3.head("large/model"), object);
  assert.ok(statSync(at("large/model")).blocks < 1_000);
  await refused(s3.parts(upload), "NoSuchUpload");
});

test("a part that is sent again while its first sending hangs is the one that counts", async (t) => {
  const { s3 } = await openVolume(t);
  const upload = await s3.create("a");
  const slow = stalling(sample(SIZE, 9));
  const first = s3.part(upload, 1, slow.body);
  await slow.reached;
  const sent = [await s3.part(upload, 1, ONE), await s3.part(upload, 2, TWO)];

  await s3.complete(upload, sent);

  slow.goOn();
  await refused(first, "NoSuchUpload");
  assert.ok(Buffer.concat([ONE, TWO]).equals(await s3.bytes("a")));
});

test("a part that is still on its way when the upload is completed spoils nothing", async (t) => {
  const { s3 } = await openVolume(t);
  const upload = await s3.create("a");
  const sent = [await s3.part(upload, 1, ONE), await s3.part(upload, 2, TWO)];
  const slow = stalling(THREE);
  const late = s3.part(upload, 3, slow.body);
  await slow.reached;

  const object = await s3.complete(upload, sent);

  slow.goOn();
  await refused(late, "NoSuchUpload");
  assert.deepEqual(await s3.head("a"), object);
  assert.ok(Buffer.concat([ONE, TWO]).equals(await s3.bytes("a")));
});

test("a part that comes while an upload fails to complete is kept", async (t) => {
  const { s3 } = await openVolume(t);
  const upload = await s3.create("a");
  const one = await s3.part(upload, 1, ONE);
  const slow = stalling(TWO);
  const on = s3.part(upload, 2, slow.body);
  await slow.reached;
  await refused(s3.complete(upload, [one, { number: 9, etag: one.etag }]), "InvalidPart");
  slow.goOn();
  await s3.complete(upload, [one, await on]);
  assert.ok(Buffer.concat([ONE, TWO]).equals(await s3.bytes("a")));
});

test("a part that was cut off gives its place to the next", async (t) => {
  const { s3, root } = await openVolume(t);
  const upload = await s3.create("a");
  const chunks = (async function* cut() {
    yield ONE.subarray(0, 70_000);
    throw new S3Error("IncompleteBody", {});
  })();
  await refused(s3.part(upload, 1, { ...bodyOf(ONE), chunks }), "IncompleteBody");
  await s3.complete(upload, [await s3.part(upload, 1, TWO)]);
  assert.ok(TWO.equals(await s3.bytes("a")));
  assert.deepEqual(uploadFiles(root, upload), []);
});

test("bytes that a failed part left behind the end are no part of the object", async (t) => {
  const { s3 } = await openVolume(t);
  const upload = await s3.create("a");
  const one = await s3.part(upload, 1, ONE);
  const claims = () => ({ md5: Buffer.alloc(16), sha256: undefined, checksum: undefined });
  await refused(s3.part(upload, 2, bodyOf(TWO, { claims })), "BadDigest");
  await s3.complete(upload, [one]);
  assert.ok(ONE.equals(await s3.bytes("a")));
});

test("parts that were sent twice, in any order, leave nothing behind", async (t) => {
  const { s3, at } = await openVolume(t);
  const upload = await s3.create("a");
  for (const bytes of [ONE, TWO, THREE]) {
    for (const number of [2, 1]) await s3.part(upload, number, bytes);
  }
  const sent = (await s3.parts(upload)).parts;
  await s3.complete(upload, sent);
  assert.ok(Buffer.concat([THREE, THREE]).equals(await s3.bytes("a")));
  assert.deepEqual(readdirSync(at(HIDDEN_NAME, "uploads")), []);
  assert.deepEqual(readdirSync(at(HIDDEN_NAME, "tmp")), []);
});

test("an upload that was completed by one who died before saying so is completed by the next", async (t) => {
  const { s3, volume, at } = await openVolume(t);
  const upload = await s3.create("a");
  const sent = [await s3.part(upload, 1, ONE), await s3.part(upload, 2, TWO)];
  await publishAsDying({ volume, at }, upload.uploadId);
  assert.ok(Buffer.concat([ONE, TWO]).equals(await s3.bytes("a")));

  // Now nobody may write to the file of the upload, which is the object's.
  await s3.part(upload, 2, THREE);
  const object = await s3.complete(upload, sent);

  assert.equal(object.etag, (await s3.head("a")).etag);
  assert.ok(Buffer.concat([ONE, TWO]).equals(await s3.bytes("a")));
  await refused(s3.complete(upload, sent), "NoSuchUpload");
});

/** What Complete does, up to the moment when the object is there and the upload too. */
async function publishAsDying({ volume, at }: Pick<TestVolume, "volume" | "at">, uploadId: string) {
  const upload = at(HIDDEN_NAME, "uploads", uploadId);
  renameSync(`${upload}/open`, `${upload}/closed`);
  const path = volume.temporary();
  linkSync(`${upload}/data-${SIZE}`, path);
  await using file = await NewFile.adopt(volume, path);
  const key = pathOfKey("a");
  assert.ok(!(key instanceof Error));
  const identity = await file.seal(1_700_000_000_000);
  const { headers, userMetadata } = NOTHING_SAID;
  const record = { etag: "x-2", checksum: undefined, partsCount: 2, headers, userMetadata };
  await publish(volume, { path: key, file, identity, record, conditions: {} });
}

test("an upload whose Complete died before it did anything goes on", async (t) => {
  const { s3, at } = await openVolume(t);
  const upload = await s3.create("a");
  const one = await s3.part(upload, 1, ONE);
  const directory = at(HIDDEN_NAME, "uploads", upload.uploadId);
  renameSync(`${directory}/open`, `${directory}/closed`);
  const two = await s3.part(upload, 2, TWO);
  await s3.complete(upload, [one, two]);
  assert.ok(Buffer.concat([ONE, TWO]).equals(await s3.bytes("a")));
});

test("bytes of parts that are gone from the disk make no object", async (t) => {
  const { s3, at } = await openVolume(t);
  const upload = await s3.create("a");
  const sent = [await s3.part(upload, 1, ONE), await s3.part(upload, 2, TWO)];
  truncateSync(at(HIDDEN_NAME, "uploads", upload.uploadId, `data-${SIZE}`), SIZE + 5);
  await assert.rejects(s3.complete(upload, sent), { kind: "corrupt" });
  await refused(s3.head("a"), "NoSuchKey");
});

test("a file that another program puts at the key meanwhile is replaced, or not, as asked", async (t) => {
  const { s3, at } = await openVolume(t);
  const only = { conditions: { ifNoneMatch: "*" } } as const;
  const upload = await s3.create("a");
  const one = await s3.part(upload, 1, ONE);
  writeFileSync(at("a"), "theirs");
  await refused(s3.complete(upload, [one], only), "PreconditionFailed");
  assert.equal(await s3.text("a"), "theirs");
  await s3.complete(upload, [one]);
  assert.ok(ONE.equals(await s3.bytes("a")));
});

test("limits of parts and files are those that are set", async (t) => {
  const limits = { putBytesMax: 10, partBytesMax: 20, partBytesMin: 5, fileBytesMax: 30 };
  const { s3 } = await openVolume(t, { limits });
  await refused(s3.put("a", "x".repeat(11)), "EntityTooLarge");
  const upload = await s3.create("a");
  await refused(s3.part(upload, 1, "x".repeat(21)), "EntityTooLarge");
  const [small, large] = [
    await s3.part(upload, 1, "1234"),
    await s3.part(upload, 2, "x".repeat(20)),
  ];
  await refused(s3.complete(upload, [small, large]), "EntityTooSmall");
  const more = await s3.part(upload, 3, "x".repeat(20));
  await refused(s3.complete(upload, [large, more]), "EntityTooLarge");
  await s3.complete(upload, [large, { ...small, number: 1 }].slice(0, 1));
});
