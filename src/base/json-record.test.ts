import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { packRecord, unpackRecord } from "#base/json-record.ts";

const CORRUPT = { name: "StorageError", kind: "corrupt" };

test("what is packed is what is unpacked", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (record) => {
      assert.deepEqual(unpackRecord(packRecord(record)), JSON.parse(JSON.stringify(record)));
    }),
  );
});

test("a record of format 1 is read, without its number", () => {
  assert.deepEqual(unpackRecord(Buffer.from('{"format":1,"uid":"ada"}')), { uid: "ada" });
});

test("any byte that changes makes it corrupt, though it may still be JSON", () => {
  const stored = packRecord({ effect: "Deny", principals: ["coreweave/ada"] });
  for (let at = 0; at < stored.length; at += 1) {
    const changed = Buffer.from(stored);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.throws(() => unpackRecord(changed), CORRUPT, `byte ${at}`);
  }
});

test("what is cut short, empty, of a later release or no record at all is corrupt", () => {
  const stored = packRecord({ uid: "ada" });
  const later = Buffer.from(stored).fill(9, 0, 1);
  const others = ['{"format":2}', "{}", "null", "", "\0\0\0\0\0\0"].map((text) =>
    Buffer.from(text),
  );
  for (const bytes of [stored.subarray(0, -1), stored.subarray(0, 3), later, ...others]) {
    assert.throws(() => unpackRecord(bytes), CORRUPT, JSON.stringify(bytes.toString()));
  }
});
