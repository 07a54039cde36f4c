/** Request targets, Host and headers: what a request is about, however it is spelled. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { HttpRequest } from "#base/http.ts";
import { readCopySource } from "#s3/copy-source.ts";
import { OPERATIONS } from "#s3/operations.ts";
import { frame } from "#s3/request.ts";
import { router } from "#s3/route.ts";
import { orRefused, REFUSED } from "#test/fuzz/refusal.ts";
import { cleanText, nastyText, percentEncoded, REPEATED } from "#test/fuzz/text.ts";
import { runs } from "#test/support/runs.ts";

const ADDRESSING = { baseDomains: ["localhost", "s3.example"], pathStyle: true };
const route = router(OPERATIONS);
/** What may stand in a path, and in a query, as it is. */
const IN_PATH = /[\w.~!$&'()*+,;=:@/-]/;
const IN_QUERY = /[\w.~!$'()*,;:@/?-]/;

function request(target: string, rawHeaders: readonly string[] = []): HttpRequest {
  return {
    ...{ method: "GET", target, rawHeaders, remoteAddress: "127.0.0.1", secure: false },
    body: (async function* none() {})(),
  };
}

test("a key is read as it was meant, however its bytes are spelled", () => {
  const spelled = cleanText.chain((key) =>
    fc.tuple(fc.constant(key), percentEncoded(key, IN_PATH), fc.boolean()),
  );
  fc.assert(
    fc.property(spelled, ([key, path, hosted]) => {
      const host = ["host", hosted ? "bucket.localhost:9000" : "127.0.0.1:9000"];
      const framed = frame(request(hosted ? `/${path}` : `/bucket/${path}`, host), ADDRESSING);

      assert.deepEqual([framed.bucket, framed.key], ["bucket", key]);
    }),
    runs({ short: 1_000, long: 300_000 }),
  );
});

test("a query is read as it was meant, however its bytes are spelled", () => {
  const field = cleanText.chain((text) => percentEncoded(text, IN_QUERY).map((to) => [text, to]));
  const fields = fc.uniqueArray(fc.tuple(field, field), {
    ...{ maxLength: 5, selector: ([[name]]) => name },
  });
  fc.assert(
    fc.property(fields, (pairs) => {
      const query = pairs.map(([[, name], [, value]]) => `${name}=${value}`).join("&");

      const framed = frame(request(`/bucket?${query}`), ADDRESSING);

      const meant = pairs.map(([[name], [value]]) => [name, value]);
      assert.deepEqual([...framed.query], meant);
    }),
    runs({ short: 500, long: 100_000 }),
  );
});

test("the source of a copy is read as it was meant, however its bytes are spelled", () => {
  const spelled = cleanText.chain((key) =>
    fc.tuple(fc.constant(key), percentEncoded(key, /[\w.~!$'()*,;:@/-]/)),
  );
  fc.assert(
    fc.property(spelled, fc.constantFrom("", "/"), ([key, path], slash) => {
      const headers = { "x-amz-copy-source": `${slash}bucket/${path}` };

      assert.deepEqual(readCopySource(headers), { bucket: "bucket", key });
    }),
    runs({ short: 500, long: 100_000 }),
  );
});

test("any target, Host and headers are framed and routed, or refused", () => {
  const known = fc.constantFrom(
    ...OPERATIONS.flatMap(({ route: { query = [] } }) => query),
    ...["x-id=PutObject", "versionId", "X-Amz-Signature", "X-Amz-Meta-a", "prefix", "uploadId"],
  );
  const pair = fc.oneof(
    known,
    fc.tuple(known, nastyText).map((both) => both.join("=")),
    nastyText,
  );
  const target = fc
    .tuple(fc.constantFrom("/", "", "/bucket/", "//", "http://h/", "https://", "*"), nastyText)
    .chain(([start, path]) =>
      fc.array(pair, { maxLength: 4 }).map((all) => `${start}${path}?${all.join("&")}`),
    );
  const header = fc.tuple(
    fc.oneof(fc.constantFrom("Host", "host", "x-amz-meta-a", "Range", "__proto__"), nastyText),
    fc.oneof(fc.constantFrom("bucket.localhost", ".localhost", "localhost:", "[::1]:9"), nastyText),
  );
  const method = fc.constantFrom("GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "__proto__");
  fc.assert(
    fc.property(method, target, fc.array(header, { maxLength: 4 }), (verb, where, headers) => {
      const sent = { ...request(where, headers.flat()), method: verb };
      orRefused(() => {
        const framed = frame(sent, ADDRESSING);
        assert.notEqual(framed.key, "");
        return route(framed);
      });
    }),
    runs({ short: 2_000, long: 1_000_000 }),
  );
});

test("however long a target is, reading it takes no longer than it is", { timeout: 30_000 }, () => {
  for (const piece of REPEATED) {
    const long = piece.repeat(50_000 / piece.length);
    for (const target of [`/bucket/${long}`, `/bucket?${long}`, `/bucket?a=${long}`, long]) {
      orRefused(() => frame(request(target, ["host", long]), ADDRESSING));
    }
    orRefused(() => readCopySource({ "x-amz-copy-source": long }));
  }
  assert.notEqual(
    orRefused(() => frame(request("/bucket"), ADDRESSING)),
    REFUSED,
  );
});
