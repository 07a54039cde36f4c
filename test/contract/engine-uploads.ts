import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "#base/checksum.ts";
import type { PartInfo } from "#object/engine.ts";
import { bodyOf, NOTHING_SAID, type OpenSubject, Words } from "#test/contract/engine.ts";
import { md5, refused, sample } from "#test/contract/engine-objects.ts";

/** The laws of objects that are uploaded in parts. `partBytes` is the least that a part may have. */
export function uploadContract(adapter: string, open: OpenSubject, partBytes: number): void {
  completing(adapter, open, partBytes);
  parts(adapter, open, partBytes);
  uploads(adapter, open);
}

function etagOf(parts: readonly Pick<PartInfo, "etag">[]): string {
  const md5s = Buffer.concat(parts.map(({ etag }) => Buffer.from(etag, "hex")));
  return `${md5(md5s)}-${parts.length}`;
}

function completing(adapter: string, open: OpenSubject, size: number): void {
  test(`${adapter}: an upload is its parts in their order, in whatever order they came`, async (t) => {
    const s3 = new Words(await open(t));
    const attributes = { ...NOTHING_SAID, userMetadata: { a: "1" } };
    const upload = await s3.create("d/a", { attributes });
    const bytes = [sample(size, 1), sample(size, 2), sample(size, 3), sample(size - 3, 4)];
    const sent = new Map<number, PartInfo>();
    for (const at of [3, 0, 2, 1]) {
      sent.set(at, await s3.part(upload, at + 1, bytes[at] ?? ""));
    }
    const ordered = [0, 1, 2, 3].flatMap((at) => sent.get(at) ?? []);
    assert.deepEqual(await s3.keys(), []);

    const object = await s3.complete(upload, ordered, { sizeBytes: size * 4 - 3 });

    assert.equal(object.etag, etagOf(ordered));
    assert.equal(object.partsCount, 4);
    assert.deepEqual({ ...object.attributes.userMetadata }, { a: "1" });
    assert.deepEqual(await s3.head("d/a"), object);
    assert.ok(Buffer.concat(bytes).equals(await s3.bytes("d/a")));
    const told = await (await s3.open("d/a")).parts();
    assert.deepEqual(
      told.map(({ number, sizeBytes }) => [number, sizeBytes]),
      [1, 2, 3, 4].map((number) => [number, number === 4 ? size - 3 : size]),
    );
  });

  test(`${adapter}: a part that is sent again replaces the one before`, async (t) => {
    const s3 = new Words(await open(t));
    const upload = await s3.create("a");
    const first = await s3.part(upload, 1, sample(size, 1));
    const second = await s3.part(upload, 2, sample(size, 2));
    const again = await s3.part(upload, 1, sample(size + 9, 3));
    await refused(s3.complete(upload, [first, second]), "InvalidPart");
    const third = await s3.part(upload, 3, sample(7, 4));

    await s3.complete(upload, [again, second, third]);

    const whole = [sample(size + 9, 3), sample(size, 2), sample(7, 4)];
    assert.ok(Buffer.concat(whole).equals(await s3.bytes("a")));
  });

  test(`${adapter}: parts of any sizes and numbers are put together, those not named are dropped`, async (t) => {
    const s3 = new Words(await open(t));
    const upload = await s3.create("a");
    const bytes = new Map(
      [1, 2, 5, 9, 40].map((number, at) => [number, sample(size + at * 13, number)]),
    );
    const sent: PartInfo[] = [];
    for (const [number, part] of bytes) sent.push(await s3.part(upload, number, part));
    const named = sent.filter(({ number }) => number !== 5);

    const object = await s3.complete(upload, named);

    const whole = named.map(({ number }) => bytes.get(number) ?? Buffer.alloc(0));
    assert.equal(object.etag, etagOf(named));
    assert.ok(Buffer.concat(whole).equals(await s3.bytes("a")));
    assert.deepEqual(await s3.keys(), ["a"]);
  });

  test(`${adapter}: fewer parts than were sent make a shorter object`, async (t) => {
    const s3 = new Words(await open(t));
    const upload = await s3.create("a");
    const sent: PartInfo[] = [];
    for (const number of [1, 2, 3]) sent.push(await s3.part(upload, number, sample(size, number)));
    await s3.complete(upload, sent.slice(0, 2));
    assert.ok(Buffer.concat([sample(size, 1), sample(size, 2)]).equals(await s3.bytes("a")));
  });

  test(`${adapter}: an upload that is completed is no upload any more`, async (t) => {
    const s3 = new Words(await open(t));
    const upload = await s3.create("a");
    const part = await s3.part(upload, 1, "bytes");
    await s3.complete(upload, [part]);
    await refused(s3.parts(upload), "NoSuchUpload");
    await refused(s3.part(upload, 2, "x"), "NoSuchUpload");
    await refused(s3.abort(upload), "NoSuchUpload");
    assert.deepEqual((await s3.uploads()).uploads, []);
    assert.equal(await s3.text("a"), "bytes");
  });

  test(`${adapter}: an upload that cannot be completed goes on`, async (t) => {
    const s3 = new Words(await open(t));
    await s3.put("a", "there");
    const upload = await s3.create("a");
    const [one, two] = [await s3.part(upload, 1, sample(size)), await s3.part(upload, 2, "end")];
    const only = { conditions: { ifNoneMatch: "*" } } as const;
    await refused(s3.complete(upload, [one, two], only), "PreconditionFailed");
    await refused(s3.complete(upload, [two, one]), "InvalidPartOrder");
    const absent = { number: 3, etag: two.etag };
    await refused(s3.complete(upload, [one, absent, two]), "InvalidPartOrder");
    await refused(s3.complete(upload, [one, absent]), "InvalidPart");
    await refused(s3.complete(upload, [one, two], { sizeBytes: 1 }), "InvalidRequest");
    const checksum = { algorithm: "CRC64NVME", value: "AAAAAAAAAAA=" } as const;
    await refused(s3.complete(upload, [one, two], { checksum }), "BadDigest");
    assert.equal(await s3.text("a"), "there");
    const three = await s3.part(upload, 2, "another end");

    await s3.complete(upload, [one, three]);

    const whole = Buffer.concat([sample(size), Buffer.from("another end")]);
    assert.ok(whole.equals(await s3.bytes("a")));
  });

  test(`${adapter}: of many who complete one upload, all see one object`, async (t) => {
    const s3 = new Words(await open(t));
    const upload = await s3.create("a");
    const sent = [await s3.part(upload, 1, sample(size)), await s3.part(upload, 2, "end")];
    const done = await Promise.allSettled(
      Array.from({ length: 4 }, () => s3.complete(upload, sent)),
    );
    assert.ok(done.some(({ status }) => status === "fulfilled"));
    for (const each of done) {
      if (each.status === "rejected") await refused(Promise.reject(each.reason), "NoSuchUpload");
    }
    assert.equal((await s3.head("a")).etag, etagOf(sent));
  });

  test(`${adapter}: checksums of the whole follow from those of the parts`, async (t) => {
    const s3 = new Words(await open(t));
    const bytes = [sample(size, 1), sample(size, 2), sample(5, 3)];
    for (const [algorithm, checksumType] of [
      ["CRC32", "FULL_OBJECT"],
      ["CRC64NVME", "FULL_OBJECT"],
      ["CRC32C", "COMPOSITE"],
      ["SHA256", "COMPOSITE"],
    ] as const) {
      const upload = await s3.create(algorithm, { algorithm, checksumType });
      const sent: PartInfo[] = [];
      for (const [at, part] of bytes.entries()) {
        sent.push(await s3.part(upload, at + 1, bodyOf(part, { algorithm })));
      }
      const { checksum } = await s3.complete(upload, sent);
      const digests = Buffer.concat(bytes.map((part) => digestOf(algorithm, part)));
      const value =
        checksumType === "FULL_OBJECT"
          ? digestOf(algorithm, Buffer.concat(bytes)).toString("base64")
          : `${digestOf(algorithm, digests).toString("base64")}-3`;
      assert.deepEqual(checksum, { algorithm, type: checksumType, value });
      assert.deepEqual((await s3.head(algorithm)).checksum, checksum);
    }
  });
}

function parts(adapter: string, open: OpenSubject, size: number): void {
  test(`${adapter}: parts are listed by their numbers, a page at a time`, async (t) => {
    const s3 = new Words(await open(t));
    const upload = await s3.create("a");
    for (const number of [10, 9, 2]) await s3.part(upload, number, "x".repeat(number));
    const first = await s3.parts(upload, 0, 2);
    assert.deepEqual(
      first.parts.map(({ number, sizeBytes, etag }) => [number, sizeBytes, etag]),
      [2, 9].map((number) => [number, number, md5("x".repeat(number))]),
    );
    assert.deepEqual([first.truncated, first.upload.key], [true, "a"]);
    const rest = await s3.parts(upload, 9, 2);
    assert.deepEqual([rest.parts.map(({ number }) => number), rest.truncated], [[10], false]);
  });

  test(`${adapter}: a part can be a piece of an object, or all of it`, async (t) => {
    const s3 = new Words(await open(t));
    const bytes = sample(size * 2 + 11);
    await s3.put("source", bytes);
    const upload = await s3.create("a");
    const range = { first: 3, last: size + 9 };
    const sent = [
      await s3.partOf(upload, 1, { from: "source", range }),
      await s3.partOf(upload, 2, { from: "source" }),
    ];
    const beyond = { from: "source", range: { first: 0, last: bytes.length } };
    await refused(s3.partOf(upload, 3, beyond), "InvalidArgument");
    const outside = { from: "source", range: { first: bytes.length, last: bytes.length } };
    await refused(s3.partOf(upload, 3, outside), "InvalidRequest");
    await refused(s3.partOf(upload, 3, { from: "missing" }), "NoSuchKey");

    await s3.complete(upload, sent);

    const whole = Buffer.concat([bytes.subarray(3, size + 10), bytes]);
    assert.ok(whole.equals(await s3.bytes("a")));
  });

  test(`${adapter}: a part whose body fails leaves the one before`, async (t) => {
    const s3 = new Words(await open(t));
    const upload = await s3.create("a");
    const part = await s3.part(upload, 1, "good");
    const none = { sha256: undefined, checksum: undefined };
    const claims = () => ({ ...none, md5: Buffer.alloc(16) });
    await refused(s3.part(upload, 1, bodyOf("evil", { claims })), "BadDigest");
    await refused(s3.part(upload, 2, bodyOf("evil", { claims })), "BadDigest");
    const two = await s3.part(upload, 2, "bye");
    if (size <= 4) {
      await s3.complete(upload, [part, two]);
      assert.equal(await s3.text("a"), "goodbye");
    } else {
      await s3.complete(upload, [two]);
      assert.equal(await s3.text("a"), "bye");
    }
  });

  test(`${adapter}: many parts may come at once`, async (t) => {
    const s3 = new Words(await open(t));
    const upload = await s3.create("a");
    const numbers = Array.from({ length: 40 }, (_, at) => at + 1);
    const sent = await Promise.all(
      numbers.map(async (number) => s3.part(upload, number, sample(size, number))),
    );
    await s3.complete(upload, sent);
    const whole = numbers.map((number) => sample(size, number));
    assert.ok(Buffer.concat(whole).equals(await s3.bytes("a")));
  });
}

function uploads(adapter: string, open: OpenSubject): void {
  test(`${adapter}: uploads are listed by key and age, and go when they are aborted`, async (t) => {
    const s3 = new Words(await open(t));
    const made = [await s3.create("b/1"), await s3.create("a"), await s3.create("b/2")];
    await s3.part(made[0] ?? (await s3.create("none")), 1, "x");
    const listed = async () => (await s3.uploads()).uploads.map(({ key }) => key);
    assert.deepEqual(await listed(), ["a", "b/1", "b/2"]);
    assert.deepEqual((await s3.uploads("b/")).uploads.length, 2);
    const page = await s3.uploads("", 2);
    assert.deepEqual(page.next, { key: "b/1", uploadId: made[0]?.uploadId });
    for (const upload of made) await s3.abort(upload);
    assert.deepEqual(await listed(), []);
    for (const upload of made) await refused(s3.abort(upload), "NoSuchUpload");
  });

  test(`${adapter}: an upload is found under its own key and id alone`, async (t) => {
    const s3 = new Words(await open(t));
    const upload = await s3.create("a");
    await refused(s3.part({ ...upload, key: "b" }, 1, "x"), "NoSuchUpload");
    for (const uploadId of ["..", "", "0".repeat(32), `${upload.uploadId}/`]) {
      await refused(s3.part({ ...upload, uploadId }, 1, "x"), "NoSuchUpload");
      await refused(s3.abort({ ...upload, uploadId }), "NoSuchUpload");
    }
  });
}
