import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { test } from "node:test";
import { bodyOf, NOTHING_SAID } from "#test/contract/engine.ts";
import { md5, refused } from "#test/contract/engine-objects.ts";
import { openVolume, type TestVolume } from "#test/volume/volume.ts";
import { HIDDEN_NAME } from "#volume/key-path.ts";

const NO_PATHS = [
  "/",
  "/a",
  "a//b",
  "//",
  "a//",
  ".",
  "..",
  "./a",
  "a/.",
  "a/../b",
  "../a",
  "a/..",
  "../",
  "a\0b",
];

/** What is in the root, with what is in the hidden directory left out. */
function visible({ root }: TestVolume): string[] {
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((name) => !name.startsWith(HIDDEN_NAME))
    .sort();
}

test("a key that is no path can be neither read nor written, and nothing is made of it", async (t) => {
  const volume = await openVolume(t);
  const { s3 } = volume;
  await s3.put("a/b", "bytes");
  const before = visible(volume);
  for (const key of NO_PATHS) {
    await refused(s3.head(key), "NoSuchKey");
    await refused(s3.open(key), "NoSuchKey");
    await refused(s3.put(key, ""), "InvalidArgument");
    await refused(s3.create(key), "InvalidArgument");
    await refused(s3.copy("a/b", key), "InvalidArgument");
    await refused(s3.copy(key, "z"), "NoSuchKey");
    await refused(s3.rename("a/b", key), "InvalidArgument");
    await refused(s3.rename(key, "z"), "NoSuchKey");
    await s3.delete(key);
    await refused(s3.delete(key, "etag"), "NoSuchKey");
  }
  assert.deepEqual(visible(volume), before);
});

test("the hidden directory is in no list and under no key", async (t) => {
  const { s3, at } = await openVolume(t);
  const upload = await s3.create("a");
  await s3.part(upload, 1, "bytes");
  writeFileSync(at(HIDDEN_NAME, "tmp", "file"), "secret");
  assert.deepEqual(await s3.keys(), []);
  assert.deepEqual((await s3.list({ delimiter: "/" })).prefixes, []);
  assert.deepEqual((await s3.list({ prefix: `${HIDDEN_NAME}/` })).objects, []);
  assert.deepEqual((await s3.list({ prefix: `${HIDDEN_NAME}/tmp/`, delimiter: "/" })).objects, []);
  for (const key of [`${HIDDEN_NAME}/tmp/file`, `${HIDDEN_NAME}/`, HIDDEN_NAME]) {
    await refused(s3.head(key), "NoSuchKey");
    await refused(s3.put(key, ""), "InvalidArgument");
    await s3.delete(key);
  }
  await refused(s3.head(`${HIDDEN_NAME.toUpperCase()}/tmp/file`), "NoSuchKey");
  symlinkSync(HIDDEN_NAME, at("link"));
  symlinkSync(`${HIDDEN_NAME}/tmp/file`, at("file"));
  await refused(s3.head("link/tmp/file"), "NoSuchKey");
  await refused(s3.head("file"), "NoSuchKey");
  assert.deepEqual(await s3.keys(), []);
  assert.equal(readFileSync(at(HIDDEN_NAME, "tmp", "file"), "utf8"), "secret");
});

test("keys of any characters are files of that name", async (t) => {
  const { s3, at } = await openVolume(t);
  const keys = [
    "#1",
    "a b",
    "50%",
    "%41",
    "a%2Fb",
    "é/日本",
    "😀",
    "a\nb",
    "\\",
    "?x=1",
    "~",
    "-rf",
    "a+b",
    "a'\"&<>",
  ];
  for (const key of keys) {
    await s3.put(key, key);
    assert.equal(readFileSync(at(key), "utf8"), key);
    assert.equal(await s3.text(key), key);
  }
  assert.deepEqual((await s3.keys()).sort(), [...keys].sort());
});

test("file names that are no UTF-8 are listed percent-encoded, and reached so", async (t) => {
  const { s3, root } = await openVolume(t);
  const path = (name: string) =>
    Buffer.concat([Buffer.from(`${root}/`), Buffer.from(name, "latin1")]);
  writeFileSync(path("a\xff"), "no text");
  mkdirSync(path("d\xfe"));
  writeFileSync(path("d\xfe/\xc3"), "in it");
  writeFileSync(path("a%FF"), "text");
  const listed = ["a%25FF", "a%FF", "d%FE/%C3"];
  assert.deepEqual(await s3.keys(), listed);
  assert.deepEqual(await Promise.all(listed.map((key) => s3.text(key))), [
    "text",
    "no text",
    "in it",
  ]);
  await s3.put("d%FE/new", "written");
  assert.equal(readFileSync(path("d\xfe/new"), "utf8"), "written");
  assert.deepEqual(await s3.keys(), [...listed, "d%FE/new"]);
  await s3.delete("a%FF");
  assert.deepEqual([existsSync(path("a\xff")), existsSync(path("a%FF"))], [false, true]);
});

test("a part of a key may have 255 bytes and no more", async (t) => {
  const { s3 } = await openVolume(t);
  const longest = `${"é".repeat(127)}x`;
  await s3.put(`${longest}/${longest}`, "bytes");
  assert.equal(await s3.text(`${longest}/${longest}`), "bytes");
  for (const key of [`${longest}y`, `a/${longest}y/b`]) {
    await refused(s3.put(key, ""), "KeyTooLongError");
    await refused(s3.head(key), "NoSuchKey");
    await s3.delete(key);
  }
});

test("a file and a directory cannot have one name", async (t) => {
  const volume = await openVolume(t);
  const { s3 } = volume;
  await s3.put("file", "bytes");
  await s3.put("directory/a", "bytes");
  const before = visible(volume);
  await refused(s3.put("directory", "x"), "InvalidArgument");
  await refused(s3.create("directory"), "InvalidArgument");
  await refused(s3.copy("file", "directory"), "InvalidArgument");
  await refused(s3.rename("file", "directory"), "InvalidArgument");
  await refused(s3.put("file/a", "x"), "InvalidArgument");
  await refused(s3.put("file/a/b/c", "x"), "InvalidArgument");
  await refused(s3.put("file/", ""), "InvalidArgument");
  await refused(s3.head("directory"), "NoSuchKey");
  await refused(s3.head("file/"), "NoSuchKey");
  await s3.delete("directory");
  await s3.delete("file/");
  assert.deepEqual(visible(volume), before);
});

test("a body is not asked for when a directory is in its way", async (t) => {
  const { s3 } = await openVolume(t);
  await s3.put("file", "bytes");
  await s3.put("directory/a", "bytes");
  for (const key of ["directory", "file/a", "file/a/b"]) {
    let asked = false;
    const chunks = (async function* body() {
      asked = true;
      yield Buffer.from("x");
    })();
    await refused(s3.put(key, { ...bodyOf("x"), chunks }), "InvalidArgument");
    assert.equal(asked, false);
  }
});

test("a key that ends in a slash is a directory", async (t) => {
  const { s3, at } = await openVolume(t);
  const put = await s3.put("a/b/", "");
  assert.ok(statSync(at("a/b")).isDirectory());
  assert.deepEqual([put.etag, put.sizeBytes], [md5(""), 0]);
  assert.deepEqual(await s3.head("a/b/"), put);
  assert.equal((await s3.bytes("a/b/")).length, 0);
  assert.deepEqual(await s3.keys(), ["a/b/"]);
  await refused(s3.put("a/c/", "bytes"), "InvalidArgument");
  await refused(s3.create("a/c/"), "InvalidArgument");
  await refused(s3.put("a/b/", "", { conditions: { ifNoneMatch: "*" } }), "PreconditionFailed");
  await s3.put("a/b/", "");
  await s3.copy("a/b/", "c/d/");
  assert.deepEqual(await s3.keys(), ["a/b/", "c/d/"]);
  await refused(s3.copy("a/b/", "e"), "InvalidArgument");
});

test("a directory is listed while nothing is in it, and deleted only then", async (t) => {
  const { s3, at } = await openVolume(t);
  mkdirSync(at("d"));
  assert.deepEqual(await s3.keys(), ["d/"]);
  await s3.put("d/a", "bytes");
  assert.deepEqual(await s3.keys(), ["d/a"]);
  assert.equal((await s3.head("d/")).sizeBytes, 0);
  await s3.delete("d/");
  assert.equal(await s3.text("d/a"), "bytes");
  await s3.delete("d/a");
  assert.deepEqual(await s3.keys(), ["d/"]);
  await s3.delete("d/");
  assert.equal(existsSync(at("d")), false);
  await s3.delete("d/");
});

test("a write that is refused leaves no directory behind", async (t) => {
  const volume = await openVolume(t);
  const { s3 } = volume;
  const claims = () => ({ md5: Buffer.alloc(16), sha256: undefined, checksum: undefined });
  await refused(s3.put("a/b/c", bodyOf("x", { claims })), "BadDigest");
  await refused(s3.rename("missing", "a/b/c"), "NoSuchKey");
  await refused(s3.copy("missing", "a/b/c"), "NoSuchKey");
  assert.deepEqual(visible(volume), []);
});

test("what is neither file nor directory is no object, and is not replaced", async (t) => {
  const { s3, at } = await openVolume(t);
  execFileSync("mkfifo", [at("pipe")]);
  await s3.put("file", "bytes");
  assert.deepEqual(await s3.keys(), ["file"]);
  await refused(s3.head("pipe"), "NoSuchKey");
  await refused(s3.open("pipe"), "NoSuchKey");
  await refused(s3.put("pipe", "x"), "InvalidArgument");
  await refused(s3.rename("file", "pipe"), "InvalidArgument");
  await s3.delete("pipe");
  assert.ok(statSync(at("pipe")).isFIFO());
});

test("files and directories get the mode and the owner that are set", async (t) => {
  const isRoot = process.getuid?.() === 0;
  const { s3, at } = await openVolume(t, {
    umask: 0o027,
    ...(isRoot ? { uid: 1234, gid: 4321 } : {}),
  });
  await s3.put("d/a", "bytes");
  const upload = await s3.create("d/b");
  await s3.complete(upload, [await s3.part(upload, 1, "bytes")]);
  for (const [name, mode] of [
    ["d", 0o750],
    ["d/a", 0o640],
    ["d/b", 0o640],
  ] as const) {
    const stats = statSync(at(name));
    assert.equal(stats.mode & 0o777, mode, name);
    if (isRoot) assert.deepEqual([stats.uid, stats.gid], [1234, 4321], name);
  }
});

test("a rename keeps the mode, the owner and the time to the nanosecond", async (t) => {
  const { s3, at } = await openVolume(t);
  writeFileSync(at("a"), "bytes", { mode: 0o604 });
  chmodSync(at("a"), 0o604);
  utimesSync(at("a"), 1_000_000_000.123, 1_000_000_000.123);
  const before = statSync(at("a"), { bigint: true });
  const { etag } = await s3.head("a");
  await s3.rename("a", "d/b");
  const after = statSync(at("d/b"), { bigint: true });
  assert.deepEqual(
    [after.ino, after.mode, after.uid, after.mtimeNs],
    [before.ino, before.mode, before.uid, before.mtimeNs],
  );
  assert.equal((await s3.head("d/b")).etag, etag);
});

test("a directory is renamed with all that is in it, at once", async (t) => {
  const { s3, at } = await openVolume(t);
  await s3.put("from/a", "1", { attributes: { ...NOTHING_SAID, userMetadata: { a: "1" } } });
  await s3.put("from/d/b", "2");
  await s3.put("full/x", "3");
  const inode = statSync(at("from")).ino;
  await refused(s3.rename("from/", "to"), "InvalidArgument");
  await refused(s3.rename("from", "to/"), "InvalidArgument");
  await refused(s3.rename("from/", "from/in/"), "InvalidRequest");
  await refused(s3.rename("from/", "full/"), "InvalidRequest");
  await refused(s3.rename("missing/", "to/"), "NoSuchKey");
  const only = { conditions: { ifNoneMatch: "*" } };
  await s3.put("there/", "");
  await refused(s3.rename("from/", "there/", only), "PreconditionFailed");

  await s3.rename("from/", "p/to/", only);

  assert.equal(statSync(at("p/to")).ino, inode);
  assert.deepEqual(await s3.keys(), ["full/x", "p/to/a", "p/to/d/b", "there/"]);
  assert.deepEqual({ ...(await s3.head("p/to/a")).attributes.userMetadata }, { a: "1" });
});

test("what a volume cannot do is told by its name", async (t) => {
  const { s3, engine } = await openVolume(t);
  const { bucket } = s3.name("a");
  await s3.put("a", "bytes");
  const versions = { prefix: "", delimiter: "", afterKey: "", afterVersionId: undefined, limit: 1 };
  const tags = [["a", "1"]] as const;
  await refused(engine.listVersions(bucket, versions), "NotImplemented");
  await refused(engine.setTags(s3.name("a"), tags), "NotImplemented");
  await refused(engine.requireEmpty(bucket), "NotImplemented");
  const withVersion = async () => await engine.head({ ...s3.name("a"), versionId: "1" });
  await refused(withVersion(), "NotImplemented");
  await refused(engine.delete({ ...s3.name("a"), versionId: "1" }, {}), "NotImplemented");
  await refused(s3.put("b", "", { attributes: { ...NOTHING_SAID, tags } }), "NotImplemented");
  await refused(s3.put("b", "", { encryption: { kind: "SSE-S3" } }), "NotImplemented");
  const attributes = { ...NOTHING_SAID, storageClass: "STANDARD_IA" } as const;
  await refused(s3.put("b", "", { attributes }), "InvalidStorageClass");
  assert.equal((await engine.head({ ...s3.name("a"), versionId: "null" })).sizeBytes, 5);
  assert.deepEqual(await s3.keys(), ["a"]);
});
