import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  closedSpan,
  garbageKey,
  garbageSpan,
  headKey,
  headSpan,
  keyOfHead,
  openClosedKey,
  partKey,
  partNumberOf,
  uploadKey,
  versionKey,
  versionSpan,
} from "#versioned/keys.ts";

const BUCKET = "00ff".repeat(4);
const ID = "0001".repeat(8);
const key = fc.string({
  minLength: 1,
  maxLength: 5,
  unit: fc.constantFrom(..."a/\u0000\u0001\u00FF\u{10000}\uFFFD"),
});
const within = (bytes: Buffer, { from, to }: { from: Buffer; to: Buffer }) =>
  Buffer.compare(from, bytes) <= 0 && Buffer.compare(bytes, to) < 0;

test("a key is read back from each kind of store key", () => {
  fc.assert(
    fc.property(key, fc.integer({ min: 1, max: 10_000 }), (key, number) => {
      assert.equal(keyOfHead(headKey(BUCKET, key)), key);
      const upload = openClosedKey(uploadKey(BUCKET, key, ID));
      assert.deepEqual([upload.key, upload.rest.toString("hex")], [key, ID]);
      assert.equal(openClosedKey(versionKey(BUCKET, key, 7)).key, key);
      assert.equal(partNumberOf(partKey(ID, number)), number);
    }),
  );
});

test("store keys order as the object keys do by their bytes, and versions the newest first", () => {
  fc.assert(
    fc.property(key, key, fc.tuple(fc.nat(), fc.nat()), (a, b, [one, two]) => {
      const order = Buffer.compare(Buffer.from(a), Buffer.from(b));
      assert.equal(Buffer.compare(headKey(BUCKET, a), headKey(BUCKET, b)), order);
      if (order === 0) return;
      const versions = [versionKey(BUCKET, a, one + 1), versionKey(BUCKET, b, two + 1)] as const;
      assert.equal(Buffer.compare(...versions), order);
      assert.equal(Buffer.compare(uploadKey(BUCKET, a, ID), uploadKey(BUCKET, b, ID)), order);
    }),
  );
  assert.ok(Buffer.compare(versionKey(BUCKET, "a", 2), versionKey(BUCKET, "a", 1)) < 0);
});

test("a span holds all keys that begin with its prefix, and no other", () => {
  fc.assert(
    fc.property(key, key, (prefix, key) => {
      const begins = Buffer.from(key).indexOf(Buffer.from(prefix)) === 0;
      assert.equal(within(headKey(BUCKET, key), headSpan(BUCKET, prefix)), begins);
      assert.equal(within(versionKey(BUCKET, key, 1), closedSpan("v", BUCKET, prefix)), begins);
      assert.equal(within(uploadKey(BUCKET, key, ID), closedSpan("u", BUCKET, prefix)), begins);
      assert.equal(within(versionKey(BUCKET, key, 1), versionSpan(BUCKET, prefix)), key === prefix);
    }),
  );
});

test("a span of garbage holds what was thrown away before its time", () => {
  assert.ok(within(garbageKey(999, "ff".repeat(16)), garbageSpan(1_000)));
  assert.ok(!within(garbageKey(1_000, ID), garbageSpan(1_000)));
});
