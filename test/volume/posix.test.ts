/** Files that other programs write, and what S3 makes of them. */
import assert from "node:assert/strict";
import {
  appendFileSync,
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "#base/clock.ts";
import { buffersLent } from "#blob/buffer-pool.ts";
import { bodyOf, collect, NOTHING_SAID } from "#test/contract/engine.ts";
import { refused, sample } from "#test/contract/engine-objects.ts";
import { newRoot, openVolume, seenFrom, testVolume } from "#test/volume/volume.ts";
import { HIDDEN_NAME } from "#volume/key-path.ts";
import { Volume } from "#volume/volume.ts";

const SAID = { attributes: { ...NOTHING_SAID, userMetadata: { a: "1" } } };

test("a file that another program writes is an object at once", async (t) => {
  const { s3, at } = await openVolume(t);
  mkdirSync(at("d"));
  writeFileSync(at("d/a"), "bytes");
  const head = await s3.head("d/a");
  assert.equal(await s3.text("d/a"), "bytes");
  assert.equal(head.sizeBytes, 5);
  assert.equal(
    head.modifiedMs,
    Math.floor(Number(statSync(at("d/a"), { bigint: true }).mtimeNs / 1_000_000n)),
  );
  assert.deepEqual([head.attributes, head.checksum], [NOTHING_SAID, undefined]);
  rmSync(at("d/a"));
  await refused(s3.head("d/a"), "NoSuchKey");
});

test("its ETag is no MD5, is the same in a list, and stays until the file changes", async (t) => {
  const { s3, at } = await openVolume(t);
  writeFileSync(at("a"), "bytes");
  const { etag } = await s3.head("a");
  // What clients take for an MD5 has no hyphen, and no upload has 0 parts.
  assert.match(etag, /^[0-9a-f]{32}-0$/);
  assert.equal((await s3.list()).objects[0]?.etag, etag);
  renameSync(at("a"), at("b"));
  assert.equal((await s3.head("b")).etag, etag);
  const seen = new Set([etag]);
  writeFileSync(at("b"), "bytes");
  utimesSync(at("b"), 1_000_000_000, 1_000_000_000);
  seen.add((await s3.head("b")).etag);
  appendFileSync(at("b"), "x");
  seen.add((await s3.head("b")).etag);
  writeFileSync(at("c"), "bytesx");
  utimesSync(at("c"), 1_000_000_000, 1_000_000_000);
  seen.add((await s3.head("c")).etag);
  assert.equal(seen.size, 4);
});

test("two servers on one directory say the same", async (t) => {
  const one = await openVolume(t);
  const two = await openVolume(t, { root: one.root });
  const put = await one.s3.put("a", "bytes", SAID);
  writeFileSync(one.at("b"), "bytes");
  assert.deepEqual(await two.s3.head("a"), put);
  assert.deepEqual(await two.s3.head("b"), await one.s3.head("b"));
  const upload = await one.s3.create("c");
  const parts = [await one.s3.part(upload, 1, "12"), await two.s3.part(upload, 2, "34")];
  assert.deepEqual((await two.s3.uploads()).uploads, [upload]);
  const completed = await two.s3.complete(upload, parts);
  assert.deepEqual(await one.s3.head("c"), completed);
  assert.deepEqual(await one.s3.list(), await two.s3.list());
});

test("what S3 wrote keeps its ETag and metadata when another program renames it", async (t) => {
  const { s3, at } = await openVolume(t);
  const put = await s3.put("d/a", "bytes", SAID);
  mkdirSync(at("e"));
  renameSync(at("d/a"), at("e/b"));
  renameSync(at("e"), at("f"));
  const { key: _, ...before } = put;
  const { key: __, ...after } = await s3.head("f/b");
  assert.deepEqual(after, before);
  linkSync(at("f/b"), at("second"));
  assert.equal((await s3.head("second")).etag, put.etag);
  await s3.put("f/b", "new");
  assert.equal((await s3.head("second")).etag, put.etag);
});

test("what S3 wrote loses them when another program changes it, in whatever way", async (t) => {
  const { s3, at } = await openVolume(t);
  const changes: Record<string, (path: string) => void> = {
    append: (path) => appendFileSync(path, "x"),
    overwrite: (path) => {
      const file = openSync(path, "r+");
      writeSync(file, "BYTES");
      closeSync(file);
    },
    truncate: (path) => truncateSync(path, 2),
    replace: (path) => {
      writeFileSync(`${path}.new`, "bytes");
      renameSync(`${path}.new`, path);
    },
    touch: (path) => utimesSync(path, 1_000_000_000, 1_000_000_000),
    again: (path) => {
      rmSync(path);
      writeFileSync(path, "bytes");
    },
  };
  for (const [name, change] of Object.entries(changes)) {
    const { etag } = await s3.put(name, "bytes", SAID);
    await s3.list();
    change(at(name));
    const head = await s3.head(name);
    assert.notEqual(head.etag, etag, name);
    assert.match(head.etag, /-0$/, name);
    assert.deepEqual([head.attributes, head.checksum], [NOTHING_SAID, undefined], name);
    assert.equal((await s3.list({ prefix: name })).objects[0]?.etag, head.etag);
    assert.equal(await s3.text(name), readFileSync(at(name), "utf8"));
  }
});

test("a record does not outlive its file, nor pass to the next one with its inode", async (t) => {
  const { s3, at } = await openVolume(t);
  for (let round = 0; round < 20; round += 1) {
    await s3.put("a", `${round}`, SAID);
    rmSync(at("a"));
    writeFileSync(at("a"), `${round}`);
    assert.deepEqual((await s3.head("a")).attributes, NOTHING_SAID);
    const put = await s3.put("a", `new ${round}`, SAID);
    assert.deepEqual(await s3.head("a"), put);
    await s3.delete("a");
  }
  const records = readdirSync(at(HIDDEN_NAME, "meta"), { recursive: true, withFileTypes: true });
  // Those of files that others removed go with a sweep.
  assert.ok(records.filter((entry) => entry.isFile()).length <= 20);
});

test("a reader of files never sees a part of what S3 writes", async (t) => {
  const { s3, at } = await openVolume(t);
  const [old, next] = ["o".repeat(300_000), "n".repeat(300_000)];
  await s3.put("a", old);
  let looked = 0;
  const body = bodyOf(next);
  const chunks = (async function* slowly() {
    for await (const chunk of body.chunks) {
      yield chunk;
      assert.equal(readFileSync(at("a"), "utf8"), old);
      assert.equal(existsSync(at("b")), false);
      looked += 1;
    }
  })();
  await s3.put("a", { ...body, chunks });
  assert.ok(looked > 3);
  assert.equal(readFileSync(at("a"), "utf8"), next);
});

test("a file that is replaced while it is read is read to its end as it was", async (t) => {
  const { s3, at } = await openVolume(t);
  const [old, next] = [sample(5 * 2 ** 20, 1), sample(5 * 2 ** 20, 2)];
  writeFileSync(at("a"), old);
  const { info, read } = await s3.open("a");
  const chunks = read(0, info.sizeBytes);
  assert.ok(!(chunks instanceof Uint8Array));
  const got: Buffer[] = [];
  for await (const chunk of chunks) {
    got.push(Buffer.from(chunk));
    writeFileSync(at("b"), next);
    renameSync(at("b"), at("a"));
  }
  assert.ok(old.equals(Buffer.concat(got)));
});

for (const [what, change] of [
  ["cut short", (path: string) => truncateSync(path, 3 * 2 ** 20)],
  [
    "written to in place",
    (path: string) => {
      const file = openSync(path, "r+");
      writeSync(file, "x", 4 * 2 ** 20);
      closeSync(file);
    },
  ],
] as const) {
  test(`a file that is ${what} while it is read breaks off, before its last bytes`, async (t) => {
    const { s3, at } = await openVolume(t);
    const bytes = sample(5 * 2 ** 20);
    writeFileSync(at("a"), bytes);
    utimesSync(at("a"), 1_000_000_000, 1_000_000_000);
    const { read } = await s3.open("a");
    let got = 0;
    const reading = (async () => {
      const chunks = read(0, bytes.length);
      assert.ok(!(chunks instanceof Uint8Array));
      for await (const chunk of chunks) {
        if (got === 0) change(at("a"));
        got += chunk.length;
      }
    })();
    await assert.rejects(reading, { name: "StorageError" });
    assert.ok(got > 0 && got < bytes.length);
    assert.equal(buffersLent(), 0);
  });
}

test("a file that only grows while it is read is read as it was", async (t) => {
  const { s3, at } = await openVolume(t);
  const bytes = sample(3 * 2 ** 20);
  writeFileSync(at("log"), bytes);
  const { info, read } = await s3.open("log");
  appendFileSync(at("log"), "more");
  assert.ok(bytes.equals(await collect(read(0, info.sizeBytes))));
});

test("what nobody reads is closed, and what is read late is read if it is the same", async (t) => {
  const { s3, at } = await openVolume(t);
  writeFileSync(at("a"), "bytes");
  const opened = await Promise.all(Array.from({ length: 300 }, async () => s3.open("a")));
  const open = () =>
    readdirSync("/proc/self/fd").filter((fd) => {
      try {
        return lstatSync(`/proc/self/fd/${fd}`) && statSync(`/proc/self/fd/${fd}`).ino === inode;
      } catch {
        return false;
      }
    }).length;
  const inode = statSync(at("a")).ino;
  // To close takes a while on a network file system.
  for (let turn = 0; open() > 257 && turn < 1_000; turn += 1) await systemClock.sleep(1);
  assert.ok(open() <= 257);
  const first = opened[0];
  assert.equal((await collect(first?.read(0, 5) ?? Buffer.alloc(0))).toString(), "bytes");
  writeFileSync(at("b"), "other");
  renameSync(at("b"), at("a"));
  const late = async () => collect(first?.read(0, 5) ?? Buffer.alloc(0));
  await assert.rejects(late, { kind: "conflict" });
});

test("a volume whose hidden directory was removed is told from one that is whole", async (t) => {
  const { volume, s3, root } = await openVolume(t);
  assert.equal(await volume.isGone(), false);
  rmSync(join(seenFrom(1, root), HIDDEN_NAME), { recursive: true });
  await assert.rejects(s3.put("a", "bytes"));
  // Another machine's removal an NFS client knows when it has asked, or after the time of its cache.
  await volume.hidden.refresh().catch(() => {});
  assert.equal(await volume.isGone(), true);
});

test("a volume that is closed waits for what is read and written, and then keeps nothing open", async (t) => {
  const root = await newRoot(t);
  const before = readdirSync("/proc/self/fd").length;
  const volume = await Volume.open({ root });
  const { s3 } = testVolume(root, volume);
  const bytes = sample(3 * 2 ** 20);
  await s3.put("a", bytes);
  const { read } = await s3.open("a");
  await s3.open("a");
  const chunks = read(0, bytes.length);
  assert.ok(!(chunks instanceof Uint8Array));
  const reading = chunks[Symbol.asyncIterator]();
  const got = [Buffer.from((await reading.next()).value ?? [])];
  const written = s3.put("b", bytes);
  let closed = false;
  const closing = volume[Symbol.asyncDispose]().then(() => {
    closed = true;
  });
  await written;
  assert.equal(closed, false);
  for (let next = await reading.next(); !next.done; next = await reading.next()) {
    got.push(Buffer.from(next.value));
  }
  await closing;
  assert.ok(bytes.equals(Buffer.concat(got)));
  assert.equal(readdirSync("/proc/self/fd").length, before);
});
