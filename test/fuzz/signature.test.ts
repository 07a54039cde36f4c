/** Signature V4: what was signed is believed, and nothing else is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readClaim, type SignedRequest } from "#s3/signature/claim.ts";
import { verifyClaim } from "#s3/signature/verify.ts";
import { orRefused, REFUSED } from "#test/fuzz/refusal.ts";
import { type ToBeSigned, toBeSigned } from "#test/fuzz/signed-request.ts";
import { nastyText, REPEATED } from "#test/fuzz/text.ts";
import { runs } from "#test/support/runs.ts";
import { presignedUrl, signedHeaders } from "#test/support/sign.ts";

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

test("what a signer by the specification signed is believed", () => {
  fc.assert(
    fc.property(toBeSigned, (given) => {
      assert.notEqual(verified(sign(given), given.secret), REFUSED);
    }),
    runs({ short: 400, long: 100_000 }),
  );
});

/** Each makes another request of a signed one, that means something else or claims somebody else. */
const FORGERIES: Readonly<Record<string, (request: SignedRequest) => SignedRequest>> = {
  "another method": (request) => ({ ...request, method: request.method === "GET" ? "PUT" : "GET" }),
  "another key": (request) => ({ ...request, path: `${request.path}x` }),
  "a key above": (request) => ({ ...request, path: request.path.replace("/bucket/", "/") }),
  "one more parameter": (request) => ({
    ...request,
    query: request.query === "" ? "acl" : `acl&${request.query}`,
  }),
  "one more x-amz header": (request) => withHeader(request, "x-amz-copy-source", "/other/key"),
  "another value of a signed header": (request) => withHeader(request, "host", "elsewhere"),
  "another digest": (request) => ({
    ...withHeader(request, "x-amz-content-sha256", "0".repeat(64)),
    query: request.query.replace(/(X-Amz-Date=\d{3})\d/, "$19"),
  }),
  "another signature": (request) => changed(request, /(Signature=)([0-9a-f])/, swapDigit),
  "another region": (request) => changed(request, /(\/|%2F)([^/%]+)((?:\/|%2F)s3)/, "$1other$3"),
  "fewer signed headers": (request) => changed(request, /(SignedHeaders=)host/, "$1x-host"),
};

for (const [forgery, forge] of Object.entries(FORGERIES)) {
  test(`a signed request with ${forgery} is refused`, () => {
    fc.assert(
      fc.property(toBeSigned, (given) => {
        const request = sign(given);
        const forged = forge(request);

        assert.notDeepEqual(forged, request);
        assert.equal(verified(forged, given.secret), REFUSED);
      }),
      runs({ short: 40, long: 10_000 }),
    );
  });
}

test("a signed request under another secret, or at another time, is refused", () => {
  fc.assert(
    fc.property(toBeSigned, fc.nat(60), (given, minutes) => {
      const request = sign(given);
      const lateMs = NOW_MS + (given.expires ?? 900) * 1_000 + 1_000 + minutes * 60_000;

      assert.equal(verified(request, `${given.secret}x`), REFUSED);
      assert.equal(verified(request, given.secret, lateMs), REFUSED);
      assert.equal(verified(request, given.secret, NOW_MS - 901_000 - minutes * 60_000), REFUSED);
    }),
    runs({ short: 100, long: 20_000 }),
  );
});

test("any claim is read, or refused, and none of them is true", () => {
  const fields = [
    ...["AWS4-HMAC-SHA256", "Credential=", "SignedHeaders=", "Signature=", "AKID/20260102/"],
    ...["us-east-1/s3/aws4_request", "host", ";", ", ", ",", " ", "AWS4-ECDSA-P256-SHA256", "AWS "],
    ...["x-amz-date", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
  ];
  const parameters = [
    ...["X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Credential=", "X-Amz-Signature=", "&", "="],
    ...["X-Amz-Date=20260102T030405Z", "X-Amz-Expires=", "X-Amz-SignedHeaders=", "AWSAccessKeyId"],
    ...["X-Amz-Security-Token=", "AKID%2F20260102%2Fus-east-1%2Fs3%2Faws4_request", "60", "host"],
  ];
  const pieces = (known: readonly string[]) =>
    fc
      .array(fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...known) }, nastyText), {
        maxLength: 12,
      })
      .map((each) => each.join(""));
  const headers = fc.record(
    {
      authorization: pieces(fields),
      host: nastyText,
      "x-amz-date": fc.oneof(fc.constant("20260102T030405Z"), nastyText),
      date: nastyText,
      "x-amz-content-sha256": fc.oneof(fc.constant("UNSIGNED-PAYLOAD"), nastyText),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(headers, fc.oneof(fc.constant(""), pieces(parameters)), (sent, query) => {
      const request = { method: "GET", path: "/bucket/key", query, headers: sent };

      assert.equal(verified(request, "secret"), REFUSED);
    }),
    runs({ short: 2_000, long: 1_000_000 }),
  );
});

test("however long a claim is, reading it takes no longer than it is", { timeout: 30_000 }, () => {
  const start = "AWS4-HMAC-SHA256 ";
  for (const piece of REPEATED) {
    const long = piece.repeat(100_000 / piece.length);
    const forms = [long, `${start}${long}`, `${start}Credential=${long}`];
    for (const authorization of [...forms, `${start}SignedHeaders=${long}`]) {
      const headers = { authorization, "x-amz-date": long, date: long, host: long };
      orRefused(() => readClaim({ method: "GET", path: "/", query: "", headers }));
    }
    for (const query of [long, `X-Amz-Signature=${long}`, `X-Amz-Credential=a&${long}`]) {
      orRefused(() => readClaim({ method: "GET", path: "/", query, headers: {} }));
    }
  }
});

/** As it would arrive. */
function sign({ token, expires, ...given }: ToBeSigned): SignedRequest {
  const request = {
    ...{ ...given, nowMs: NOW_MS },
    ...(token === undefined ? {} : { sessionToken: token }),
  };
  const host = { host: "127.0.0.1:9000" };
  const [url, headers] =
    expires === undefined
      ? [given.url, signedHeaders(request)]
      : [presignedUrl({ ...request, expiresSeconds: expires }), { ...host, ...given.headers }];
  const [, target = ""] = /^http:\/\/[^/]+(.*)$/s.exec(url) ?? [];
  const [path = "", ...query] = target.split("?");
  return { method: given.method, path, query: query.join("?"), headers };
}

/** REFUSED for a request without a claim too. */
function verified(request: SignedRequest, secret: string, nowMs = NOW_MS) {
  return orRefused(() => {
    const claim = readClaim(request);
    if (claim === undefined) return REFUSED;
    return verifyClaim(request, claim, { secret, nowMs, skewMsMax: 900_000 });
  });
}

function withHeader(request: SignedRequest, name: string, value: string): SignedRequest {
  return { ...request, headers: { ...request.headers, [name]: value } };
}

/** In the Authorization header, or else in the query. */
function changed(request: SignedRequest, from: RegExp, to: string | typeof swapDigit) {
  const authorization = request.headers["authorization"];
  // One of the two overloads takes each of the two.
  const change = (text: string) =>
    typeof to === "string" ? text.replace(from, to) : text.replace(from, to);
  if (authorization === undefined) return { ...request, query: change(request.query) };
  return withHeader(request, "authorization", change(authorization));
}

function swapDigit(_: string, before: string, digit: string): string {
  return `${before}${digit === "0" ? "1" : "0"}`;
}
