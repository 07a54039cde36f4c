/** The digests of files that other programs write, computed in the background. */
import assert from "node:assert/strict";
import {
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { digestOf } from "#base/checksum.ts";
import type { Clock } from "#base/clock.ts";
import { makeLog } from "#base/log.ts";
import { buffersLent } from "#blob/buffer-pool.ts";
import { Catalog } from "#catalog/catalog.ts";
import { Running } from "#job/running.ts";
import { runVolumes } from "#job/volumes.ts";
import { MemoryMetaStore } from "#meta/memory.ts";
import { newBucketName } from "#object/name.ts";
import { md5, sample } from "#test/contract/engine-objects.ts";
import { startServer } from "#test/support/server.ts";
import { newRoot, openVolume } from "#test/volume/volume.ts";
import { type DigestBounds, FileDigester } from "#volume/digest-files.ts";
import { HIDDEN_NAME } from "#volume/key-path.ts";
import { sweepVolume } from "#volume/sweep.ts";

const LATER_MS = 3_600_000;
const MiB = 2 ** 20;
const NEVER = new AbortController().signal;

/** So far ahead that what is written now is old, and moved by whoever waits. */
class WaitedClock implements Clock {
  waitedMs = 0;
  /** Called before each wait. */
  onWait: (ms: number) => void = () => {};
  readonly now = () => Math.floor(Date.now() + LATER_MS + this.waitedMs);
  readonly sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    this.onWait(ms);
    signal?.throwIfAborted();
    this.waitedMs += ms;
  };
}

async function open(t: TestContext, bounds: Partial<DigestBounds> = {}, root?: string) {
  const clock = new WaitedClock();
  const at = await openVolume(t, { clock, ...(root === undefined ? {} : { root }) });
  const digester = new FileDigester(at.volume, bounds);
  const pass = async (signal: AbortSignal = NEVER) => await digester.pass(signal);
  return { ...at, clock, pass };
}

function checksum(bytes: string | Uint8Array) {
  const value = digestOf("CRC64NVME", Buffer.from(bytes)).toString("base64");
  return { algorithm: "CRC64NVME", type: "FULL_OBJECT", value } as const;
}

function kept(root: string): string[] {
  const names = readdirSync(join(root, HIDDEN_NAME, "meta"), { recursive: true, encoding: "utf8" });
  return names.filter((name) => name.endsWith(".digests"));
}

test("HEAD and GET show the checksum of a file once it was read, and nothing else changes", async (t) => {
  const { s3, at, root, pass } = await open(t);
  const bytes = sample(3 * MiB + 5);
  writeFileSync(at("a"), bytes);
  writeFileSync(at("nothing"), "");
  const [before, listed] = [await s3.head("a"), await s3.list()];
  assert.equal(before.checksum, undefined);

  assert.deepEqual(await pass(), { files: 2, bytes: bytes.length });

  assert.deepEqual(await s3.head("a"), { ...before, checksum: checksum(bytes) });
  assert.deepEqual((await s3.open("a")).info, await s3.head("a"));
  assert.deepEqual((await s3.head("nothing")).checksum, checksum(""));
  assert.deepEqual(await s3.list(), listed);
  const { ino } = statSync(at("a"));
  const own = kept(root).find((name) => name.endsWith(`/${ino}.digests`)) ?? "";
  const { md5 } = JSON.parse(readFileSync(join(root, HIDDEN_NAME, "meta", own), "utf8"));
  assert.equal(md5, digestOf("MD5", bytes).toString("hex"));
  assert.deepEqual(await pass(), { files: 0, bytes: 0 });
});

test("reading changes none of a file's times", async (t) => {
  const { at, pass, volume } = await open(t);
  writeFileSync(at("a"), "bytes");
  utimesSync(at("a"), 1_000_000_000, 1_100_000_000);
  const times = () => {
    const { atimeNs, mtimeNs, ctimeNs } = statSync(at("a"), { bigint: true });
    // Of when a file was read, an NFS server keeps account by itself.
    return volume.tree.mount.isShared ? [mtimeNs, ctimeNs] : [atimeNs, mtimeNs, ctimeNs];
  };
  const before = times();
  assert.equal((await pass()).files, 1);
  assert.deepEqual(times(), before);
});

test("a copy has the checksum that is known of its source, also of one onto itself", async (t) => {
  const { s3, at, pass } = await open(t);
  writeFileSync(at("a"), "bytes");
  assert.equal((await s3.copy("a", "unknown")).object.checksum, undefined);
  await pass();

  const { object } = await s3.copy("a", "b");
  assert.deepEqual(object.checksum, checksum("bytes"));
  assert.equal(object.etag, md5("bytes"));
  assert.deepEqual((await s3.head("b")).checksum, checksum("bytes"));
  await s3.copy("a", "a");
  assert.deepEqual((await s3.head("a")).checksum, checksum("bytes"));
});

test("a file that is written to again has no checksum until it was read again", async (t) => {
  const { s3, at, pass } = await open(t);
  writeFileSync(at("a"), "bytes");
  await pass();
  writeFileSync(at("a"), "other");
  utimesSync(at("a"), 1_000_000_000, 1_000_000_000);
  assert.equal((await s3.head("a")).checksum, undefined);
  const { etag } = await s3.head("a");

  await pass();

  assert.deepEqual((await s3.head("a")).checksum, checksum("other"));
  assert.equal((await s3.head("a")).etag, etag);
  assert.equal((await s3.list()).objects[0]?.etag, etag);
});

test("what S3 wrote is not read, and keeps its own checksum and metadata", async (t) => {
  const { s3, root, pass } = await open(t);
  await s3.put("a", "bytes");
  const before = await s3.head("a");
  assert.deepEqual(await pass(), { files: 0, bytes: 0 });
  assert.deepEqual(await s3.head("a"), before);
  assert.deepEqual(kept(root), []);
});

const CHANGES: Readonly<Record<string, (path: string) => void>> = {
  "is written to": (path) => writeFileSync(path, sample(3 * MiB).fill(1)),
  "is written to, and its time set back,": (path) => {
    const { atime, mtime } = statSync(path);
    const { ctimeNs } = statSync(path, { bigint: true });
    writeFileSync(path, sample(3 * MiB).fill(1));
    // In one tick of the file system's clock a change could hide.
    do utimesSync(path, atime, mtime);
    while (statSync(path, { bigint: true }).ctimeNs === ctimeNs);
  },
  "is cut short": (path) => truncateSync(path, 10),
  "is removed": (path) => rmSync(path),
};
for (const [what, change] of Object.entries(CHANGES)) {
  test(`of a file that ${what} while it is read nothing is kept`, async (t) => {
    const { s3, at, root, clock, pass } = await open(t);
    writeFileSync(at("a"), sample(3 * MiB));
    // Whole milliseconds, which can be set back.
    utimesSync(at("a"), 1_000_000_000, 1_000_000_000);
    writeFileSync(at("b"), "bytes");
    let waits = 0;
    clock.onWait = () => {
      waits += 1;
      if (waits === 1) change(at("a"));
    };

    assert.deepEqual(await pass(), { files: 1, bytes: 5 });

    assert.equal(kept(root).length, 1);
    assert.deepEqual((await s3.head("b")).checksum, checksum("bytes"));
    const left = (await s3.list()).objects.map(({ key }) => key);
    if (left.includes("a")) assert.equal((await s3.head("a")).checksum, undefined);
  });
}

test("a file is left alone until a minute after it was changed", async (t) => {
  const { s3, at, volume } = await openVolume(t);
  writeFileSync(at("a"), "bytes");
  // The time that programs set says nothing of when they wrote.
  utimesSync(at("a"), 1_000_000_000, 1_000_000_000);
  assert.deepEqual(await new FileDigester(volume).pass(NEVER), { files: 0, bytes: 0 });
  assert.equal((await s3.head("a")).checksum, undefined);
});

test("no more bytes are read in a second than are meant", async (t) => {
  const { at, clock, pass } = await open(t, { bytesPerSecond: MiB });
  writeFileSync(at("a"), sample(5 * MiB));
  const waits: number[] = [];
  clock.onWait = (ms) => waits.push(ms);
  await pass();
  assert.equal(Math.round(clock.waitedMs), 5_000);
  // Chunk by chunk, not at the end.
  assert.ok(Math.max(...waits) <= 1_000);
});

test("a pass ends after so many files or bytes, and the next goes on from there", async (t) => {
  const { at, pass, root } = await open(t, { filesMax: 2 });
  for (const name of ["a", "b", "c", "d", "e"]) writeFileSync(at(name), name);
  assert.equal((await pass()).files, 2);
  assert.equal((await pass()).files, 2);
  assert.equal((await pass()).files, 1);
  writeFileSync(at("a"), "again");
  assert.deepEqual(await pass(), { files: 1, bytes: 5 });
  const few = await open(t, { bytesMax: 1 }, root);
  for (const name of ["f", "g"]) writeFileSync(at(name), name);
  assert.equal((await few.pass()).files, 1);
  assert.equal((await few.pass()).files, 1);
});

test("the signal ends a pass within a file, of which nothing is kept", async (t) => {
  const { at, root, clock, pass } = await open(t);
  writeFileSync(at("a"), sample(5 * MiB));
  const stop = new AbortController();
  let waits = 0;
  clock.onWait = () => {
    waits += 1;
    if (waits === 2) stop.abort();
  };
  await pass(stop.signal);
  assert.equal(waits, 2);
  assert.deepEqual(kept(root), []);
  assert.equal(buffersLent(), 0);
  await pass(stop.signal);
  assert.equal(waits, 2);
});

test("digests are removed with their file, follow it when it moves, and are swept when it is gone", async (t) => {
  const { s3, at, root, volume, pass } = await open(t);
  for (const name of ["deleted", "replaced", "moved", "gone", "stays"]) {
    writeFileSync(at(name), name);
  }
  await pass();
  assert.equal(kept(root).length, 5);
  await s3.delete("deleted");
  assert.equal(kept(root).length, 4);
  await s3.put("replaced", "new");
  assert.equal(kept(root).length, 3);
  await s3.rename("moved", "elsewhere");
  assert.deepEqual((await s3.head("elsewhere")).checksum, checksum("moved"));
  rmSync(at("gone"));
  const meta = join(root, HIDDEN_NAME, "meta");
  for (const name of kept(root)) utimesSync(join(meta, name), 1_000_000_000, 1_000_000_000);

  assert.equal((await sweepVolume(volume, { uploadAgeMs: LATER_MS })).records, 1);

  assert.equal(kept(root).length, 2);
  assert.deepEqual((await s3.head("elsewhere")).checksum, checksum("moved"));
  assert.deepEqual((await s3.head("stays")).checksum, checksum("stays"));
});

test("clients see the checksum of a file that was read, when they ask for it", async (t) => {
  const s3 = await startServer(t);
  const root = await newRoot(t);
  await s3.makeVolume("volume", root);
  writeFileSync(join(root, "a"), "bytes");
  const ask = { "x-amz-checksum-mode": "ENABLED" };
  const before = await s3.get("/volume/a", ask);
  assert.equal(before.headers["x-amz-checksum-crc64nvme"], undefined);

  // As the supervisor does, beside the worker that answers.
  const { pass } = await open(t, {}, root);
  await pass();

  const { value } = checksum("bytes");
  const after = await s3.get("/volume/a", ask);
  assert.equal(after.headers["x-amz-checksum-crc64nvme"], value);
  assert.equal(after.headers["x-amz-checksum-type"], "FULL_OBJECT");
  assert.equal(after.headers["etag"], before.headers["etag"]);
  const head = await s3.request({ method: "HEAD", path: "/volume/a", headers: ask });
  assert.equal(head.headers["x-amz-checksum-crc64nvme"], value);
  assert.equal((await s3.get("/volume/a")).headers["x-amz-checksum-crc64nvme"], undefined);
  const wanted = { "x-amz-object-attributes": "Checksum" };
  const { text } = await s3.get("/volume/a?attributes", wanted);
  assert.ok(text.includes(`<ChecksumCRC64NVME>${value}</ChecksumCRC64NVME>`), text);
  assert.match(text, /<ChecksumType>FULL_OBJECT<\/ChecksumType>/);
});

test("the job reads the files of each volume until it is told to stop", async (t) => {
  const { volume, s3, at, root, clock } = await open(t);
  writeFileSync(at("a"), "bytes");
  const catalog = new Catalog(new MemoryMetaStore(), clock);
  const settings = {
    name: "volume",
    path: root,
    sizeBytes: undefined,
    uid: undefined,
    gid: undefined,
  };
  const owner = { id: "owner", region: "here", organizationId: "organization" };
  await catalog.create(newBucketName("volume"), owner, { volume: { ...settings, umask: 0o022 } });
  const stop = new AbortController();
  clock.onWait = (ms) => {
    if (ms >= LATER_MS && kept(root).length > 0) stop.abort();
  };
  await runVolumes({
    ...{ catalog, clock, signal: stop.signal, count: () => {}, running: new Running() },
    volumeOf: async () => volume,
    log: makeLog({ pretty: false, access: false, to: 2 }),
  });
  assert.deepEqual((await s3.head("a")).checksum, checksum("bytes"));
});
