/** Range, conditions, dates, tags and digests in headers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { failedCondition } from "#object/conditions.ts";
import { readRange } from "#object/range.ts";
import { readDigest, sentChecksum } from "#s3/checksum-headers.ts";
import { readConditions, readWriteConditions } from "#s3/conditions.ts";
import { readTagHeader } from "#s3/tags.ts";
import { orRefused, REFUSED } from "#test/fuzz/refusal.ts";
import { nastyText, REPEATED } from "#test/fuzz/text.ts";
import { hold } from "#test/model/conditions.ts";
import { marker } from "#test/model/version.ts";
import { runs } from "#test/support/runs.ts";

const SOME = runs({ short: 1_000, long: 300_000 });

test("a range header gives a slice of what is there, as RFC 9110 says, or the whole, or nothing", () => {
  const number = fc.oneof(fc.nat(50), fc.constantFrom("", "007", "99999999999999999999", "-1"));
  const form = fc
    .tuple(fc.constantFrom("bytes=", "bytes =", "Bytes=", "items=", ""), number, number)
    .map(([unit, first, last]) => `${unit}${first}-${last}`);
  const header = fc.oneof(
    form,
    form,
    fc.tuple(form, form).map((both) => both.join(",")),
    nastyText,
  );
  fc.assert(
    fc.property(header, fc.nat(40), (text, sizeBytes) => {
      const slice = readRange(text, sizeBytes);

      if (typeof slice === "object") {
        assert.ok(0 <= slice.from && slice.from < slice.to && slice.to <= sizeBytes);
      }
      assert.deepEqual(slice, naiveRange(text, sizeBytes));
    }),
    SOME,
  );
});

/** Byte by byte: which of them does the header ask for? */
function naiveRange(text: string, sizeBytes: number) {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(text.trim()) ?? [];
  if (first === undefined || last === undefined || first.length > 20 || last.length > 20) return;
  if (first + last === "") return undefined;
  if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined;
  if (first === "" && Number(last) > 0 && sizeBytes === 0) return undefined;
  const all = Array.from({ length: sizeBytes }, (_, at) => at);
  const asked = all.filter((at) =>
    first === ""
      ? at >= sizeBytes - Number(last)
      : at >= Number(first) && (last === "" || at <= Number(last)),
  );
  const [from, to] = [asked[0], asked.at(-1)];
  return from === undefined || to === undefined ? "unsatisfiable" : { from, to: to + 1 };
}

test("conditions hold when the model says so", () => {
  const tags = fc.constantFrom('"abc"', "abc", '"x"', "x", "*", '"x", "abc"', '"x", "y"');
  const time = fc.constantFrom(0, 4_000, 5_000, 6_000);
  const conditions = fc.record(
    { ifMatch: tags, ifNoneMatch: tags, ifModifiedSinceMs: time, ifUnmodifiedSinceMs: time },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(conditions, fc.integer({ min: 4_000, max: 6_999 }), (asked, modifiedMs) => {
      const version = { ...marker("null", modifiedMs), etag: "abc" };

      assert.equal(failedCondition(asked, version) === undefined, hold(asked, version));
    }),
    SOME,
  );
});

test("any conditions are read, or refused", () => {
  const date = fc.oneof(
    fc.date({ noInvalidDate: true }).map((each) => each.toUTCString()),
    fc.constantFrom("Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "0", ""),
    nastyText,
  );
  const headers = fc.record(
    {
      ...{ "if-match": nastyText, "if-none-match": nastyText },
      ...{ "if-modified-since": date, "if-unmodified-since": date },
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(headers, (sent) => {
      const read = readConditions({ headers: sent, nowMs: Date.UTC(2026, 0) });
      for (const ms of [read.ifModifiedSinceMs ?? 0, read.ifUnmodifiedSinceMs ?? 0]) {
        assert.ok(Number.isSafeInteger(ms) && ms % 1_000 === 0, `${ms}`);
      }
      orRefused(() => readWriteConditions(sent));
      failedCondition(read, { etag: "abc", modifiedMs: 0 });
    }),
    SOME,
  );
});

test("tags in a header come back as they were sent, and others are refused", () => {
  const word = fc.string({
    unit: fc.constantFrom(..."aZ0 é漢+-=._:/@"),
    minLength: 1,
    maxLength: 9,
  });
  const tags = fc.uniqueArray(fc.tuple(word, word), { maxLength: 10, selector: ([key]) => key });
  fc.assert(
    fc.property(tags, (pairs) => {
      const header = pairs.map((pair) => pair.map(encodeURIComponent).join("=")).join("&");
      const bytes = ([a]: readonly string[], [b]: readonly string[]) =>
        Buffer.compare(Buffer.from(a ?? ""), Buffer.from(b ?? ""));

      assert.deepEqual(readTagHeader(header), [...pairs].sort(bytes));
    }),
    SOME,
  );
  fc.assert(
    fc.property(nastyText, (text) => {
      const read = orRefused(() => readTagHeader(text));
      if (read !== REFUSED) assert.ok((read?.length ?? 0) <= 10);
    }),
    SOME,
  );
});

test("any digest header is read, or refused", () => {
  const headers = fc.dictionary(
    fc.constantFrom(
      ...["x-amz-checksum-crc32", "x-amz-checksum-crc32c", "x-amz-checksum-crc64nvme"],
      ...["x-amz-checksum-sha1", "x-amz-checksum-sha256", "x-amz-checksum-other"],
    ),
    fc.oneof(fc.base64String({ maxLength: 48 }), nastyText),
    { maxKeys: 2 },
  );
  fc.assert(
    fc.property(headers, (sent) => {
      const sum = orRefused(() => sentChecksum(sent));
      if (sum === REFUSED || sum === undefined) return;
      const digest = orRefused(() => readDigest(sum));
      if (digest !== REFUSED) assert.equal(digest.toString("base64"), sum.value.trim());
    }),
    SOME,
  );
});

test("however long a header is, reading it takes no longer than it is", { timeout: 30_000 }, () => {
  for (const piece of REPEATED) {
    const long = piece.repeat(100_000 / piece.length);
    readRange(long, 100);
    readRange(`bytes=${long}`, 100);
    const conditions = { ifMatch: long, ifNoneMatch: `"${long}"` };
    failedCondition(conditions, { etag: "abc", modifiedMs: 0 });
    readConditions({ headers: { "if-modified-since": long }, nowMs: 0 });
    orRefused(() => readTagHeader(long));
  }
});
