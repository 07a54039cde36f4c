/**
 * Two servers on two machines over one directory. On a local disk both are here; where
 * `LODE_TEST_MOUNTS` names several mounts of one network file system, each has a mount of its own.
 * The one server reckons with caches here too, so that both ways are tried.
 */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { StorageError } from "#base/error.ts";
import { systemCode } from "#blob/system-error.ts";
import type { PartInfo } from "#object/engine.ts";
import { refused, sample } from "#test/contract/engine-objects.ts";
import { listAll, newRoot, openVolume, seenFrom } from "#test/volume/volume.ts";
import { closeClaims } from "#volume/assemble.ts";
import { HIDDEN_NAME } from "#volume/key-path.ts";
import { CLAIMS_CLOSED } from "#volume/uploads.ts";

const TURNS = 12;
const REPLACEMENTS = 60;

async function twoServers(t: TestContext) {
  const root = await newRoot(t);
  const a = await openVolume(t, { root: seenFrom(0, root) });
  const b = await openVolume(t, { root: seenFrom(1, root), isShared: true });
  return { a, b };
}

test("what one server has acknowledged, the other shows at once, whatever it saw before", async (t) => {
  const { a, b } = await twoServers(t);
  for (let turn = 0; turn < TURNS; turn += 1) {
    const [writer, reader] = turn % 2 === 0 ? [a, b] : [b, a];
    const { etag } = await writer.s3.put("d/key", `bytes ${turn}`);
    assert.equal((await reader.s3.head("d/key")).etag, etag, `turn ${turn}`);
    assert.equal(await reader.s3.text("d/key"), `bytes ${turn}`);
    assert.deepEqual(
      (await listAll(reader)).map((each) => each.etag),
      [etag],
    );
    await writer.s3.rename("d/key", "d/moved");
    await refused(reader.s3.head("d/key"), "NoSuchKey");
    assert.equal((await reader.s3.head("d/moved")).etag, etag);
    await writer.s3.delete("d/moved");
    await refused(reader.s3.head("d/moved"), "NoSuchKey");
    await refused(reader.s3.open("d/moved"), "NoSuchKey");
  }
});

test("a directory that the other server made or renamed is there at once, and nowhere else", async (t) => {
  const { a, b } = await twoServers(t);
  for (let turn = 0; turn < TURNS; turn += 1) {
    const [writer, reader] = turn % 2 === 0 ? [a, b] : [b, a];
    const [old, next] = [`deep/old ${turn}`, `deep/next ${turn}`];
    for (const key of [`${old}/d/key`, `${next}/d/key`]) {
      await refused(reader.s3.head(key), "NoSuchKey");
    }
    const { etag } = await writer.s3.put(`${old}/d/key`, "bytes");
    assert.equal((await reader.s3.head(`${old}/d/key`)).etag, etag);
    await writer.s3.rename(`${old}/`, `${next}/`);
    await refused(reader.s3.head(`${old}/d/key`), "NoSuchKey");
    await refused(reader.s3.open(`${old}/d/key`), "NoSuchKey");
    assert.equal(await reader.s3.text(`${next}/d/key`), "bytes");
  }
});

test("a condition is judged by what the other server wrote last", async (t) => {
  const { a, b } = await twoServers(t);
  for (let turn = 0; turn < TURNS; turn += 1) {
    const [one, other] = turn % 2 === 0 ? [a, b] : [b, a];
    const first = await one.s3.put("key", `first ${turn}`);
    assert.equal((await other.s3.head("key")).etag, first.etag);
    const second = await one.s3.put("key", `second ${turn}`);
    const stale = { conditions: { ifMatch: first.etag } };
    await refused(other.s3.put("key", "lost", stale), "PreconditionFailed");
    await refused(
      other.s3.put("key", "lost", { conditions: { ifNoneMatch: "*" } }),
      "PreconditionFailed",
    );
    await other.s3.put("key", `third ${turn}`, { conditions: { ifMatch: second.etag } });
    assert.equal(await one.s3.text("key"), `third ${turn}`);
  }
});

test("metadata that one server changes in place is what the other's conditions see", async (t) => {
  const { a, b } = await twoServers(t);
  const { etag } = await a.s3.put("key", "bytes");
  assert.equal((await b.s3.head("key")).etag, etag);
  const metadata = { headers: {}, userMetadata: { value: "1" } };
  await a.s3.copy("key", "key", {
    attributes: { metadata, tags: undefined, storageClass: undefined },
  });
  assert.equal((await b.s3.head("key")).etag, etag);
  await b.s3.put("key", "new", { conditions: { ifMatch: etag } });
  assert.equal(await a.s3.text("key"), "new");
});

test("a key that is replaced again and again is there all the time, old or new", async (t) => {
  const { a, b } = await twoServers(t);
  await a.s3.put("key", sample(10_000));
  let over = false;
  // Readers beside the writer keep the file open that it replaces.
  const reading = [a, b, a, b].map(async ({ s3 }) => {
    let seen = 0;
    while (!over) {
      const bytes = await s3.bytes("key").catch(unlessBroken);
      if (bytes === undefined) continue;
      assert.ok(bytes.length >= 10_000 && bytes.length < 10_000 + REPLACEMENTS);
      assert.ok(bytes.equals(sample(bytes.length)));
      seen += 1;
    }
    return seen;
  });
  const writing = (async () => {
    for (let turn = 0; turn < REPLACEMENTS; turn += 1) {
      const { s3 } = turn % 3 === 0 ? b : a;
      await s3.put("key", sample(10_000 + turn));
    }
  })();
  await writing.finally(() => {
    over = true;
  });
  const seen = await Promise.all(reading);
  assert.ok(seen.every((count) => count > 0));
  assert.deepEqual(await a.s3.keys(), ["key"]);
});

/** For `catch`: an answer that NFS breaks off, as it may when another machine replaces the file. */
function unlessBroken(cause: unknown): undefined {
  if (!(cause instanceof StorageError && systemCode(cause.cause) === "ESTALE")) throw cause;
}

test("a GET that has begun is of one content, whatever the other server does to the key", async (t) => {
  const { a, b } = await twoServers(t);
  const size = 5 * 2 ** 20;
  for (const end of ["replaced", "removed"]) {
    await a.s3.put("key", Buffer.alloc(size, "old"));
    const opened = await a.s3.open("key");
    const read: Buffer[] = [];
    const stream = opened.read(0, size);
    assert.ok(!(stream instanceof Uint8Array));
    for await (const chunk of stream) {
      if (read.length === 0 && end === "replaced") await b.s3.put("key", Buffer.alloc(size, "new"));
      if (read.length === 0 && end === "removed") await b.s3.delete("key");
      read.push(Buffer.from(chunk));
    }
    assert.ok(Buffer.concat(read).equals(Buffer.alloc(size, "old")), end);
  }
});

test("a part that comes late to the other server is not written into what becomes the object", async (t) => {
  const { a, b } = await twoServers(t);
  const upload = await a.s3.create("key");
  await a.s3.part(upload, 1, sample(70_000));
  const { uploadId } = upload;
  // As far as a Complete is when it has decided which file becomes the object.
  await closeClaims(b.volume, uploadId);

  await a.s3.part(upload, 2, sample(70_000));

  const directory = b.at(HIDDEN_NAME, "uploads", uploadId);
  assert.deepEqual(readdirSync(join(directory, CLAIMS_CLOSED)), []);
  assert.ok(readdirSync(directory).some((name) => name.startsWith("apart-2-")));
});

test("an upload is made through one server and the other, in turn", async (t) => {
  const { a, b } = await twoServers(t);
  const upload = await a.s3.create("key");
  assert.deepEqual((await b.s3.parts(upload)).parts, []);
  const parts: PartInfo[] = [];
  for (const number of [3, 1, 2, 4]) {
    const { s3 } = number % 2 === 0 ? a : b;
    parts[number - 1] = await s3.part(upload, number, sample(70_000 + number));
  }
  const done = await b.s3.complete(upload, parts);
  assert.equal((await a.s3.head("key")).etag, done.etag);
  const whole = [1, 2, 3, 4].map((number) => sample(70_000 + number));
  assert.ok((await a.s3.bytes("key")).equals(Buffer.concat(whole)));
  await refused(a.s3.part(upload, 5, "late"), "NoSuchUpload");
  await refused(a.s3.parts(upload), "NoSuchUpload");
});
