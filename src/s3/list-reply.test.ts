import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { document } from "#base/xml.ts";
import { listReply } from "#s3/list-reply.ts";

test("a list is the document of all its pieces in UTF-8, however many and long they are", () => {
  const piece = fc.oneof(
    fc.string({ unit: "binary" }),
    fc
      .tuple(fc.constantFrom("a", "é", "\u{FFFD}", "\u{10000}"), fc.nat(20_000))
      .map(([char, count]) => char.repeat(count)),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const { body, headers } = listReply("Root", pieces);
      const whole = Buffer.from(document("Root", pieces.join("")));
      assert.ok(body instanceof Uint8Array && whole.equals(body));
      assert.equal(headers["content-length"], String(whole.length));
    }),
  );
});
