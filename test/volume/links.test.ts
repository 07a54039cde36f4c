/** Symbolic links: followed inside the volume, refused outside, whoever exchanges them meanwhile. */
import assert from "node:assert/strict";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { type TestContext, test } from "node:test";
import { S3Error } from "#base/error.ts";
import { refused } from "#test/contract/engine-objects.ts";
import { start } from "#test/support/process.ts";
import { newRoot, openVolume, type TestVolume } from "#test/volume/volume.ts";

const RACES = 80;

/** A volume, and beside it a directory with a secret that nobody may reach through it. */
async function withSecret(t: TestContext, byName = false) {
  const outside = await newRoot(t);
  mkdirSync(`${outside}/d`);
  writeFileSync(`${outside}/secret`, "secret");
  writeFileSync(`${outside}/d/secret`, "secret");
  const volume = await openVolume(t, { byName });
  return { ...volume, outside };
}

for (const byName of [false, true]) {
  const how = byName ? ", by name" : "";

  test(`a link inside the volume is what it leads to${how}`, async (t) => {
    const { s3, at, root } = await withSecret(t, byName);
    mkdirSync(at("a/b"), { recursive: true });
    writeFileSync(at("a/b/file"), "bytes");
    symlinkSync("a", at("relative"));
    symlinkSync(`${root}/a/b`, at("absolute"));
    symlinkSync("../../a/b/file", at("a/b/up"));
    symlinkSync("b/../b/./file", at("a/around"));
    symlinkSync("relative", at("twice"));
    for (const key of ["relative/b/file", "absolute/file", "a/b/up", "a/around", "twice/b/up"]) {
      assert.equal(await s3.text(key), "bytes", key);
    }
    await s3.put("twice/b/new", "written");
    assert.equal(readFileSync(at("a/b/new"), "utf8"), "written");
    await s3.put("absolute/made/new", "written");
    assert.equal(readFileSync(at("a/b/made/new"), "utf8"), "written");
    assert.deepEqual(
      (await s3.list({ prefix: "absolute/" })).objects.map(({ key }) => key),
      [...["absolute/file", "absolute/made/new", "absolute/new", "absolute/up"]],
    );
  });

  test(`a link that leads outside leads nowhere${how}`, async (t) => {
    const { s3, at, outside, root } = await withSecret(t, byName);
    mkdirSync(at("a"));
    const targets = {
      absolute: outside,
      file: `${outside}/secret`,
      relative: `../${outside.split("/").at(-1)}`,
      far: "../../../../../../..",
      back: `${root}/../${outside.split("/").at(-1)}`,
      beside: `${root}x`,
      proc: "/proc/self/root",
      dangling: "nothing",
      itself: "itself",
      twice: "absolute",
    };
    for (const [name, target] of Object.entries(targets)) {
      symlinkSync(target, at(name));
      symlinkSync(`../${name}`, at("a", name));
    }
    const before = [readdirSync(outside), readdirSync(`${outside}/d`)];
    for (const name of [...Object.keys(targets), ...Object.keys(targets).map((n) => `a/${n}`)]) {
      for (const key of [name, `${name}/secret`, `${name}/d/secret`, `${name}/`]) {
        await refused(s3.head(key), "NoSuchKey");
        await refused(s3.open(key), "NoSuchKey");
      }
      await refused(s3.put(`${name}/new`, "x"), "InvalidArgument");
      await refused(s3.put(`${name}/d/new`, "x"), "InvalidArgument");
      await s3.delete(`${name}/secret`);
      await s3.delete(`${name}/d/`);
      for (const prefix of [`${name}/`, `${name}/d/`]) {
        assert.deepEqual((await s3.list({ prefix })).objects, []);
        assert.deepEqual((await s3.list({ prefix, delimiter: "/" })).prefixes, []);
      }
    }
    assert.deepEqual(await s3.keys(), ["a/"]);
    assert.deepEqual([readdirSync(outside), readdirSync(`${outside}/d`)], before);
  });
}

test("a list follows links to directories, but not to those it is in", async (t) => {
  const { s3, at } = await withSecret(t);
  mkdirSync(at("a/b"), { recursive: true });
  writeFileSync(at("a/b/file"), "bytes");
  symlinkSync("..", at("a/b/up"));
  symlinkSync("b", at("a/other"));
  const keys = await s3.keys();
  assert.deepEqual(keys, ["a/b/file", "a/other/file"]);
  assert.deepEqual((await s3.list({ delimiter: "/", prefix: "a/" })).prefixes, [
    "a/b/",
    "a/other/",
  ]);
});

test("a write replaces a link, not what it leads to, and a delete removes it", async (t) => {
  const { s3, at, outside } = await withSecret(t);
  writeFileSync(at("file"), "bytes");
  symlinkSync("file", at("link"));
  symlinkSync(`${outside}/secret`, at("out"));
  await s3.put("link", "new");
  await s3.put("out", "new");
  assert.deepEqual([await s3.text("file"), await s3.text("link")], ["bytes", "new"]);
  assert.equal(readFileSync(`${outside}/secret`, "utf8"), "secret");
  symlinkSync("file", at("again"));
  await s3.delete("again");
  assert.deepEqual([existsSync(at("again")), await s3.text("file")], [false, "bytes"]);
  symlinkSync(`${outside}/secret`, at("out2"));
  await s3.delete("out2");
  assert.ok(lstatSync(at("out2")).isSymbolicLink());
});

test("a root that is renamed is the same volume", async (t) => {
  const parent = await newRoot(t);
  mkdirSync(`${parent}/one/d`, { recursive: true });
  const { s3 } = await openVolume(t, { root: `${parent}/one` });
  await s3.put("d/a", "bytes");
  renameSync(`${parent}/one`, `${parent}/two`);
  assert.equal(await s3.text("d/a"), "bytes");
  await s3.put("d/b/c", "more");
  assert.deepEqual(readdirSync(`${parent}/two/d`), ["a", "b"]);
  assert.deepEqual(await s3.keys(), ["d/a", "d/b/c"]);
});

test("nobody gets out by exchanging directories for links while a request is under way", async (t) => {
  const volume = await withSecret(t);
  const { s3, at, outside } = volume;
  mkdirSync(at("x/d"), { recursive: true });
  writeFileSync(at("x/secret"), "mine");
  writeFileSync(at("x/d/secret"), "mine");
  symlinkSync(outside, at("link"));
  const before = [readdirSync(outside), readdirSync(`${outside}/d`)];
  // One that does nothing else: a directory, a link out of the volume, a directory … A write that
  // comes when there is neither makes a directory, which goes aside.
  const script = `
    const { renameSync } = require("node:fs");
    const [x, link, aside, junk] = process.argv.slice(1);
    let made = 0;
    const move = (from, to) => {
      for (;;) {
        try { return renameSync(from, to); } catch { renameSync(to, junk + ++made); }
      }
    };
    console.log("begun");
    for (;;) { move(x, aside); move(link, x); move(x, link); move(aside, x); }`;
  const flipper = start(t, {
    command: [process.execPath, "-e", script, at("x"), at("link"), at("aside"), at("junk")],
  });
  await flipper.prints(/begun/);
  const seen = { mine: 0, nothing: 0 };
  for (let at = 0; at < RACES; at += 1) {
    for (const key of ["x/secret", "x/d/secret"]) await readRacing(volume, key, seen);
    await raced(s3.put(`x/d/new-${at % 3}`, "mine"));
    await raced(s3.put(`x/made-${at % 3}/new`, "mine"));
    await raced(s3.delete("x/d/secret-not-there"));
    await raced(s3.rename(`x/d/new-${at % 3}`, `x/moved-${at % 3}`));
    const { objects } = await s3.list({ prefix: "x/" });
    assert.ok(objects.every(({ key, sizeBytes }) => sizeBytes === 4 || key.endsWith("/")));
  }
  flipper.signal("SIGKILL");
  const { stderr } = await flipper.ended;
  assert.equal(stderr, "");

  assert.deepEqual([readdirSync(outside), readdirSync(`${outside}/d`)], before);
  assert.equal(readFileSync(`${outside}/d/secret`, "utf8"), "secret");
  // Both ways were met, or the race was none.
  assert.ok(seen.mine > 0 && seen.nothing > 0, JSON.stringify(seen));
});

async function readRacing(
  { s3 }: Pick<TestVolume, "s3">,
  key: string,
  seen: { mine: number; nothing: number },
): Promise<void> {
  const text = await raced(s3.text(key));
  assert.ok(text === "mine" || text === undefined, text);
  if (text === undefined) seen.nothing += 1;
  else seen.mine += 1;
}

/** What a directory is exchanged under may be refused, in words of S3. */
async function raced<T>(doing: Promise<T>): Promise<T | undefined> {
  try {
    return await doing;
  } catch (cause) {
    assert.ok(cause instanceof S3Error, String(cause));
    assert.notEqual(cause.code, "InternalError");
    return undefined;
  }
}
