import assert from "node:assert/strict";
import { test } from "node:test";
import { StorageError } from "#base/error.ts";
import { Keyring } from "#base/keyring.ts";

const OLD = "01".repeat(32);
const NEW = "02".repeat(32);
const SECRET = Buffer.from("secret");

/** Seals as the ring does now. */
function sealed(ring: Keyring): { readonly keyId: string; readonly text: string } {
  const keyId = ring.sealingKeyId;
  return { keyId, text: ring.box(keyId, "purpose").seal(SECRET, "name") };
}

test("after a rotation the new first key seals, and what the old one sealed still opens", () => {
  const before = sealed(Keyring.fromHex([OLD]));

  const ring = Keyring.fromHex([NEW, OLD]);
  const after = sealed(ring);

  assert.notEqual(after.keyId, before.keyId);
  assert.deepEqual(ring.box(before.keyId, "purpose").open(before.text, "name"), SECRET);
  assert.deepEqual(ring.box(after.keyId, "purpose").open(after.text, "name"), SECRET);
  assert.equal(ring.box(after.keyId, "purpose").open(before.text, "name"), undefined);
});

test("a ring without the key that sealed says which one it lacks", () => {
  const { keyId } = sealed(Keyring.fromHex([OLD]));

  assert.throws(
    () => Keyring.fromHex([NEW]).box(keyId, "purpose"),
    (cause) =>
      cause instanceof StorageError &&
      cause.kind === "corrupt" &&
      cause.message.includes(`master key ${keyId}`),
  );
});

test("what was sealed for one purpose does not open for another", () => {
  const ring = Keyring.fromHex([OLD]);
  const { keyId, text } = sealed(ring);

  assert.equal(ring.box(keyId, "other").open(text, "name"), undefined);
});

test("the id of a key is the same in every ring, whatever its letters' case, and holds nothing of it", () => {
  const upper = "AB".repeat(32);

  const [first = "", second = ""] = Keyring.fromHex([upper, OLD]).keyIds;

  assert.match(first, /^[0-9a-f]{16}$/);
  assert.equal(Keyring.fromHex([upper.toLowerCase()]).sealingKeyId, first);
  assert.equal(Keyring.fromHex([OLD]).sealingKeyId, second);
  assert.equal(upper.toLowerCase().includes(first.slice(0, 4)), false);
});

test("a key that is listed twice is one key", () => {
  assert.equal(Keyring.fromHex([OLD, NEW, OLD]).keyIds.length, 2);
});
