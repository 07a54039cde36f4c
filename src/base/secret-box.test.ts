import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { derivedKey, SecretBox } from "#base/secret-box.ts";

const KEY = Buffer.alloc(32, 7);
const OTHER = Buffer.alloc(32, 8);

test("opens what it sealed, of any bytes and under any context", () => {
  const secret = fc.uint8Array({ maxLength: 200 });
  const context = fc.string({ unit: "grapheme" });
  fc.assert(
    fc.property(secret, context, (bytes, name) => {
      const text = new SecretBox(KEY).seal(bytes, name);

      assert.deepEqual(new SecretBox(KEY).open(text, name), Buffer.from(bytes));
    }),
  );
});

test("seals the same secret otherwise each time", () => {
  const box = new SecretBox(KEY);

  const texts = Array.from({ length: 100 }, () => box.seal(Buffer.from("secret"), "name"));

  assert.equal(new Set(texts.map((text) => text.slice(0, 16))).size, 100);
});

test("shows nothing of the secret", () => {
  const secret = Buffer.alloc(64, "secret");

  const sealed = Buffer.from(new SecretBox(KEY).seal(secret, "name"), "base64");

  assert.equal(sealed.includes("secret"), false);
});

test("does not open under another key or another context", () => {
  const text = new SecretBox(KEY).seal(Buffer.from("secret"), "name");

  assert.equal(new SecretBox(OTHER).open(text, "name"), undefined);
  assert.equal(new SecretBox(KEY).open(text, "other"), undefined);
  assert.equal(new SecretBox(KEY).open(text, ""), undefined);
});

test("does not open with any one bit flipped", () => {
  const box = new SecretBox(KEY);
  const sealed = Buffer.from(box.seal(Buffer.from("secret"), "name"), "base64");

  for (let bit = 0; bit < sealed.length * 8; bit += 1) {
    const changed = Buffer.from(sealed);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.equal(box.open(changed.toString("base64"), "name"), undefined, `bit ${bit}`);
  }
});

test("does not open what was cut or is no sealing at all", () => {
  const box = new SecretBox(KEY);
  const sealed = Buffer.from(box.seal(Buffer.from("secret"), "name"), "base64");

  for (let bytes = 0; bytes < sealed.length; bytes += 1) {
    assert.equal(box.open(sealed.toString("base64", 0, bytes), "name"), undefined, `${bytes}`);
    assert.equal(box.open(sealed.toString("base64", bytes + 1), "name"), undefined);
  }
  assert.equal(box.open("no base64 !", "name"), undefined);
});

test("keys for two purposes and of two keys differ, and none is the key it came from", () => {
  const derived = [derivedKey(KEY, "a"), derivedKey(KEY, "b"), derivedKey(OTHER, "a")];

  const all = [KEY, OTHER, ...derived].map((key) => key.toString("hex"));

  assert.equal(new Set(all).size, 5);
  assert.deepEqual(derived[0], derivedKey(KEY, "a"));
  assert.ok(derived.every((key) => key.length === 32));
});
