import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { S3Error } from "#base/error.ts";
import { bodyOf, collect, NOTHING_SAID, type OpenSubject, Words } from "#test/contract/engine.ts";

/** The laws of objects that are put whole. */
export function objectContract(adapter: string, open: OpenSubject): void {
  reading(adapter, open);
  writing(adapter, open);
  conditions(adapter, open);
  moving(adapter, open);
}

export function md5(bytes: string | Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}

export async function refused(doing: Promise<unknown>, ...codes: readonly string[]): Promise<void> {
  await assert.rejects(doing, (cause) => {
    assert.ok(cause instanceof S3Error, String(cause));
    assert.ok(codes.includes(cause.code), cause.code);
    return true;
  });
}

/** Bytes that differ at every offset a fault could shift them by. */
export function sample(sizeBytes: number, seed = 1): Buffer {
  const words = new Uint32Array(Math.ceil(sizeBytes / 4));
  let state = seed;
  for (let at = 0; at < words.length; at += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    words[at] = state ^ (state >>> 15);
  }
  return Buffer.from(words.buffer, 0, sizeBytes);
}

function reading(adapter: string, open: OpenSubject): void {
  test(`${adapter}: an object is what was put, whatever its size`, async (t) => {
    const s3 = new Words(await open(t));
    for (const size of [0, 1, 70_000, 3 * 2 ** 20 + 7]) {
      const bytes = sample(size);
      const put = await s3.put(`size/${size}`, bytes);
      assert.equal(put.etag, md5(bytes));
      assert.equal(put.sizeBytes, size);
      assert.deepEqual(await s3.head(`size/${size}`), put);
      assert.ok(bytes.equals(await s3.bytes(`size/${size}`)));
    }
  });

  test(`${adapter}: headers and metadata are given back as they were`, async (t) => {
    const s3 = new Words(await open(t));
    const headers = { "content-type": "text/x", "cache-control": "no-store", expires: "never" };
    const userMetadata = { a: "1", ümlaut: "日本", mtime: "1.5" };
    await s3.put("a", "bytes", { attributes: { ...NOTHING_SAID, headers, userMetadata } });

    const { attributes, versionId } = await s3.head("a");

    assert.deepEqual({ ...attributes.headers }, headers);
    assert.deepEqual({ ...attributes.userMetadata }, userMetadata);
    assert.deepEqual([attributes.storageClass, versionId], ["STANDARD", undefined]);
  });

  test(`${adapter}: a range of any object is its bytes`, async (t) => {
    const s3 = new Words(await open(t));
    const bytes = sample(2 * 2 ** 20 + 100_001);
    await s3.put("a", bytes);
    for (const [from, to] of [
      [0, 1],
      [1, 70_000],
      [2 ** 20 - 1, 2 ** 20 + 1],
      [5, bytes.length],
      [bytes.length - 1, bytes.length],
    ] as const) {
      assert.ok(bytes.subarray(from, to).equals(await s3.bytes("a", from, to)), `${from}-${to}`);
    }
  });

  test(`${adapter}: what is opened is read whole, though it is replaced and deleted meanwhile`, async (t) => {
    const s3 = new Words(await open(t));
    const [old, next] = [sample(2 * 2 ** 20, 1), sample(2 * 2 ** 20, 2)];
    await s3.put("a", old);
    const [first, second] = [await s3.open("a"), await s3.open("a")];
    await s3.put("a", next);

    const read = collect(first.read(0, old.length));
    await s3.delete("a");

    assert.ok(old.equals(await read));
    assert.ok(old.equals(await collect(second.read(0, old.length))));
  });

  test(`${adapter}: what is not there is NoSuchKey`, async (t) => {
    const s3 = new Words(await open(t));
    await s3.put("a/b", "x");
    for (const key of ["b", "a", "a/b/c", "a/c"]) {
      await refused(s3.head(key), "NoSuchKey");
      await refused(s3.open(key), "NoSuchKey");
      await refused(s3.copy(key, "z"), "NoSuchKey");
      await refused(s3.rename(key, "z"), "NoSuchKey");
    }
  });

  test(`${adapter}: a list shows of an object what its head says`, async (t) => {
    const s3 = new Words(await open(t));
    const put = await s3.put("a", "bytes");
    const { objects } = await s3.list();
    assert.deepEqual(objects, [
      {
        key: "a",
        sizeBytes: 5,
        etag: put.etag,
        modifiedMs: put.modifiedMs,
        storageClass: "STANDARD",
        checksumAlgorithm: "CRC64NVME",
        checksumType: "FULL_OBJECT",
      },
    ]);
  });
}

function writing(adapter: string, open: OpenSubject): void {
  test(`${adapter}: an object is replaced, and deleted, and deleted again`, async (t) => {
    const s3 = new Words(await open(t));
    await s3.put("a", "old");
    await s3.put("a", "new");
    assert.equal(await s3.text("a"), "new");
    await s3.delete("a");
    await s3.delete("a");
    await refused(s3.head("a"), "NoSuchKey");
    assert.deepEqual(await s3.keys(), []);
  });

  test(`${adapter}: a body that fails, or is not what it claims, leaves what was`, async (t) => {
    const s3 = new Words(await open(t));
    await s3.put("a", "old");
    const none = { md5: undefined, sha256: undefined, checksum: undefined };
    const wrong = Buffer.alloc(16);
    const cut = bodyOf(sample(200_000));
    for (const key of ["a", "new", "directory/new"]) {
      await refused(s3.put(key, { ...cut, chunks: cutChunks() }), "IncompleteBody");
      await refused(
        s3.put(key, bodyOf("x", { claims: () => ({ ...none, md5: wrong }) })),
        "BadDigest",
      );
      await refused(
        s3.put(
          key,
          bodyOf("x", {
            algorithm: "CRC32",
            claims: () => ({ ...none, checksum: Buffer.alloc(4) }),
          }),
        ),
        "BadDigest",
      );
    }
    assert.equal(await s3.text("a"), "old");
    assert.deepEqual(await s3.keys(), ["a"]);
  });

  test(`${adapter}: a body may end sooner than it could, and is whole then`, async (t) => {
    const s3 = new Words(await open(t));
    for (const size of [0, 1, 1_000, 70_000, 140_000]) {
      for (const short of [0, 1, 20_000]) {
        const body = bodyOf(sample(size), { sizeBytesMin: Math.max(0, size - 100) });
        const put = await s3.put("a", { ...body, sizeBytes: size + short });
        assert.equal(put.sizeBytes, size);
        assert.equal((await s3.head("a")).sizeBytes, size);
        assert.equal((await s3.list()).objects[0]?.sizeBytes, size);
        assert.ok((await s3.bytes("a")).equals(sample(size)));
        const half = Math.floor(size / 2);
        assert.ok((await s3.bytes("a", half)).equals(sample(size).subarray(half)));
        await s3.copy("a", "b");
        assert.ok((await s3.bytes("b")).equals(sample(size)));
      }
    }
  });

  test(`${adapter}: the checksum that is asked for is kept, and CRC64NVME where none is`, async (t) => {
    const s3 = new Words(await open(t));
    const plain = await s3.put("a", "123456789");
    assert.deepEqual(plain.checksum, {
      algorithm: "CRC64NVME",
      type: "FULL_OBJECT",
      value: "rosUhgp5mIg=",
    });
    const asked = await s3.put("b", bodyOf("123456789", { algorithm: "CRC32C" }));
    assert.equal(asked.checksum?.value, "4waSgw==");
    assert.deepEqual((await s3.head("b")).checksum, asked.checksum);
  });
}

async function* cutChunks() {
  yield sample(100_000);
  throw new S3Error("IncompleteBody", {});
}

function conditions(adapter: string, open: OpenSubject): void {
  test(`${adapter}: If-None-Match refuses to replace, If-Match to replace another`, async (t) => {
    const s3 = new Words(await open(t));
    const { etag } = await s3.put("a", "1", { conditions: { ifNoneMatch: "*" } });
    await refused(s3.put("a", "2", { conditions: { ifNoneMatch: "*" } }), "PreconditionFailed");
    await refused(s3.put("a", "2", { conditions: { ifMatch: md5("x") } }), "PreconditionFailed");
    await refused(s3.put("b", "2", { conditions: { ifMatch: etag } }), "NoSuchKey");
    await s3.put("a", "2", { conditions: { ifMatch: `"${etag}"` } });
    assert.equal(await s3.text("a"), "2");
    await refused(s3.delete("a", etag), "PreconditionFailed");
    await s3.delete("a", md5("2"));
    await refused(s3.delete("a", etag), "NoSuchKey");
  });

  test(`${adapter}: of many who create one key, one does`, async (t) => {
    const s3 = new Words(await open(t));
    const made = await Promise.allSettled(
      Array.from({ length: 16 }, (_, at) =>
        s3.put("d/a", `${at}`, { conditions: { ifNoneMatch: "*" } }),
      ),
    );
    const won = made.flatMap((each, at) => (each.status === "fulfilled" ? [at] : []));
    assert.equal(won.length, 1);
    assert.equal(await s3.text("d/a"), `${won[0]}`);
    for (const each of made) requireLost(each);
  });

  test(`${adapter}: of many who replace one object by its ETag, one does`, async (t) => {
    const s3 = new Words(await open(t));
    let { etag } = await s3.put("a", "begin");
    for (let round = 0; round < 5; round += 1) {
      const made = await Promise.allSettled(
        Array.from({ length: 8 }, (_, at) =>
          s3.put("a", `${round} ${at}`, { conditions: { ifMatch: etag } }),
        ),
      );
      const won = made.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
      assert.equal(won.length, 1);
      for (const each of made) requireLost(each);
      etag = won[0]?.etag ?? "";
      assert.equal((await s3.head("a")).etag, etag);
    }
  });
}

function requireLost(made: PromiseSettledResult<unknown>): void {
  if (made.status === "fulfilled") return;
  const cause: unknown = made.reason;
  assert.ok(cause instanceof S3Error, String(cause));
  assert.ok(["ConditionalRequestConflict", "PreconditionFailed"].includes(cause.code), cause.code);
}

function moving(adapter: string, open: OpenSubject): void {
  test(`${adapter}: a copy has the bytes, the metadata and the ETag of its source`, async (t) => {
    const s3 = new Words(await open(t));
    const bytes = sample(2 ** 20 + 5);
    const attributes = { ...NOTHING_SAID, userMetadata: { a: "1" } };
    const { etag, checksum } = await s3.put("a", bytes, { attributes });

    const { object } = await s3.copy("a", "d/b");

    assert.deepEqual([object.etag, object.checksum], [etag, checksum]);
    assert.deepEqual({ ...object.attributes.userMetadata }, { a: "1" });
    assert.deepEqual(await s3.head("d/b"), object);
    await s3.delete("a");
    assert.ok(bytes.equals(await s3.bytes("d/b")));
  });

  test(`${adapter}: a copy takes the metadata that it is given, also onto itself`, async (t) => {
    const s3 = new Words(await open(t));
    await s3.put("a", "bytes", { attributes: { ...NOTHING_SAID, userMetadata: { a: "1" } } });
    const metadata = { headers: { "content-type": "x/y" }, userMetadata: { b: "2" } };
    const attributes = { metadata, tags: undefined, storageClass: undefined };
    for (const to of ["b", "a"]) {
      await s3.copy("a", to, { attributes });
      const { etag, attributes: given } = await s3.head(to);
      assert.equal(etag, md5("bytes"));
      assert.deepEqual({ ...given.headers }, metadata.headers);
      assert.deepEqual({ ...given.userMetadata }, metadata.userMetadata);
      assert.equal(await s3.text(to), "bytes");
    }
  });

  test(`${adapter}: a copy holds to the conditions on both sides`, async (t) => {
    const s3 = new Words(await open(t));
    const { etag } = await s3.put("a", "bytes");
    await s3.put("b", "other");
    const failing = { sourceConditions: { ifNoneMatch: etag } };
    await refused(s3.copy("a", "c", failing), "PreconditionFailed");
    await refused(s3.copy("a", "b", { conditions: { ifNoneMatch: "*" } }), "PreconditionFailed");
    await s3.copy("a", "b", { conditions: { ifMatch: md5("other") } });
    assert.equal(await s3.text("b"), "bytes");
  });

  test(`${adapter}: a rename moves the object with all that belongs to it`, async (t) => {
    const s3 = new Words(await open(t));
    await s3.put("a", "bytes", { attributes: { ...NOTHING_SAID, userMetadata: { a: "1" } } });
    const { key: _, ...before } = await s3.head("a");
    await s3.put("d/b", "replaced");

    assert.equal((await s3.rename("a", "d/b")).etag, before.etag);

    const { key: __, ...after } = await s3.head("d/b");
    assert.deepEqual(after, before);
    assert.deepEqual(await s3.keys(), ["d/b"]);
    assert.equal(await s3.text("d/b"), "bytes");
  });

  test(`${adapter}: a rename holds to the conditions on both sides`, async (t) => {
    const s3 = new Words(await open(t));
    const { etag } = await s3.put("a", "bytes");
    await s3.put("b", "other");
    const only = { conditions: { ifNoneMatch: "*" } };
    await refused(s3.rename("a", "b", only), "PreconditionFailed");
    await refused(s3.rename("a", "c", { conditions: { ifMatch: etag } }), "PreconditionFailed");
    const failing = { sourceConditions: { ifMatch: md5("other") } };
    await refused(s3.rename("a", "b", failing), "PreconditionFailed");
    await s3.rename("a", "c", only);
    assert.deepEqual(await s3.keys(), ["b", "c"]);
  });

  test(`${adapter}: a rename that is sent again with its token does nothing again`, async (t) => {
    const s3 = new Words(await open(t));
    await s3.put("a", "bytes");
    const first = await s3.rename("a", "b", { token: "t" });
    await s3.put("a", "made again");
    assert.deepEqual(await s3.rename("a", "b", { token: "t" }), first);
    assert.deepEqual([await s3.text("a"), await s3.text("b")], ["made again", "bytes"]);
    await refused(s3.rename("a", "c", { token: "t" }), "IdempotencyParameterMismatch");
  });

  test(`${adapter}: of many who rename one object, one does`, async (t) => {
    const s3 = new Words(await open(t));
    await s3.put("a", "bytes");
    const renamed = await Promise.allSettled(
      Array.from({ length: 8 }, (_, at) => s3.rename("a", `to-${at}`)),
    );
    assert.equal(renamed.filter(({ status }) => status === "fulfilled").length, 1);
    assert.equal((await s3.keys()).length, 1);
  });
}
