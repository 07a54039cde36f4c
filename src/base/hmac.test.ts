import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { HmacSha256 } from "#base/hmac.ts";

test("HmacSha256 answers what node:crypto does, for any key and messages", () => {
  const key = fc.uint8Array({ maxLength: 200 });
  const messages = fc.array(fc.string({ unit: "binary" }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(key, messages, (bytes, texts) => {
      const mac = new HmacSha256(bytes);
      for (const text of texts) {
        const expected = createHmac("sha256", bytes).update(text, "utf8").digest("hex");
        assert.equal(mac.hex(text), expected);
        assert.equal(mac.digest(text).toString("hex"), expected);
      }
    }),
  );
});
