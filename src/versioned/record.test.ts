import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32Of } from "#base/checksum.ts";
import { writeStamp } from "#base/stamp.ts";
import { unpackHead } from "#versioned/head.ts";
import { type PartRecord, unpackJson, unpackVersion } from "#versioned/record.ts";

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
