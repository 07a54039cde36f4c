import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32Of } from "#base/checksum.ts";
import { writeStamp } from "#base/stamp.ts";
import { unpackHead } from "#versioned/head.ts";
import {
  type PartRecord,
  packVersion,
  unpackJson,
  unpackVersion,
  unpackVersionStart,
  versionStartBytes,
} from "#versioned/record.ts";

/** Records as they were written before they had a checksum. */
const VERSION =
  '{"deleteMarker":false,"isNull":true,"sizeBytes":5,"md5":"5d41402abc4b2a76b9719d911017c592","partsCount":0,"modifiedMs":1767323045678,"attributes":{"headers":{},"userMetadata":{},"tags":[],"storageClass":"STANDARD"},"content":{"kind":"inline"}}';
const PART =
  '{"format":1,"number":3,"sizeBytes":5,"md5":"5d41402abc4b2a76b9719d911017c592","modifiedMs":1767323045678,"checksums":{},"extents":[]}';

test("a version of format 1 is read", () => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(VERSION.length);
  const stored = Buffer.concat([Buffer.of(1), length, Buffer.from(`${VERSION}hello`)]);

  const { record, inline } = unpackVersion(stored);

  assert.equal(record.modifiedMs, 1_767_323_045_678);
  assert.equal(Buffer.from(inline).toString(), "hello");
});

test("a version of format 2 is read", () => {
  const body = Buffer.concat([Buffer.alloc(4), Buffer.from(`${VERSION}hello`)]);
  body.writeUInt32BE(VERSION.length);
  const stored = Buffer.concat([Buffer.of(2), Buffer.alloc(4), body]);
  stored.writeUInt32BE(crc32Of(body), 1);

  const { record, inline } = unpackVersion(stored);

  assert.equal(record.md5, "5d41402abc4b2a76b9719d911017c592");
  assert.equal(record.attributes.storageClass, "STANDARD");
  assert.equal(Buffer.from(inline).toString(), "hello");
});

test("the first bytes of a version, in any format, tell what all of it tells", () => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(VERSION.length);
  const body = Buffer.concat([length, Buffer.from(`${VERSION}hello`)]);
  const second = Buffer.concat([Buffer.of(2), Buffer.alloc(4), body]);
  second.writeUInt32BE(crc32Of(body), 1);
  const first = Buffer.concat([Buffer.of(1), body]);
  for (const stored of [first, second, newVersion()]) {
    const bytes = versionStartBytes(stored);

    assert.equal(bytes, stored.length - "hello".length);
    const record = unpackVersionStart(stored.subarray(0, bytes));
    assert.deepEqual(record, unpackVersion(stored).record);
  }
});

test("of a version of which any byte is another nothing is told, and nothing of what is no version", () => {
  const stored = newVersion();
  for (let at = 0; at < stored.length; at += 1) {
    const damaged = Buffer.from(stored);
    damaged[at] = (stored[at] ?? 0) ^ 0x10;
    assert.equal(versionStartBytes(damaged), 0, `byte ${at}`);
  }
  for (const none of [Buffer.alloc(0), Buffer.of(1), Buffer.of(3, 0, 0, 0, 0)]) {
    assert.equal(versionStartBytes(none), 0);
  }
  assert.throws(() => unpackVersionStart(Buffer.alloc(0)), { kind: "corrupt" });
});

test("a version whose format was damaged is corrupt, and not read as one of another format", () => {
  const written = newVersion();
  const compact = written[0];
  for (let format = 0; format < 256; format += 1) {
    written[0] = format;
    if (format === compact) unpackVersion(written);
    else assert.throws(() => unpackVersion(written), { kind: "corrupt" }, `format ${format}`);
  }
});

test("a JSON record of format 1 is read", () => {
  assert.equal(unpackJson<PartRecord>(Buffer.from(PART)).number, 3);
});

test("a head of format 1 is read", () => {
  const stored = Buffer.alloc(56);
  stored.set([1, 6, 1, 3, 1], 0);
  writeStamp(stored, 8, 7);
  stored.writeDoubleBE(1_767_323_045_678, 24);
  stored.writeDoubleBE(5, 32);
  stored.write("5d41402abc4b2a76b9719d911017c592", 40, 16, "hex");

  const head = unpackHead(stored);

  assert.deepEqual(
    [head.sequence, head.isNull, head.inline, head.sizeBytes, head.storageClass],
    [7, true, true, 5, "STANDARD_IA"],
  );
});

test("a record of a format that is not known yet is corrupt, not misread", () => {
  for (const stored of [Buffer.alloc(60, 4), Buffer.from('{"format":2}'), Buffer.alloc(0)]) {
    assert.throws(() => unpackVersion(stored), { kind: "corrupt" });
    assert.throws(() => unpackJson(stored), { kind: "corrupt" });
    assert.throws(() => unpackHead(stored), { kind: "corrupt" });
  }
});

function newVersion(): Buffer {
  const { record } = unpackVersion(
    Buffer.concat([Buffer.from([1, 0, 0, 0, VERSION.length]), Buffer.from(VERSION)]),
  );
  const { value, tail } = packVersion(record, Buffer.from("hello"));
  return Buffer.concat([value, tail]);
}
