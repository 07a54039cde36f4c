import assert from "node:assert/strict";
import { test } from "node:test";
import { readClaim, type SignedRequest } from "#s3/signature/claim.ts";

const SHA256 = "0".repeat(64);
const CREDENTIAL = "AK/20130524/us-east-1/s3/aws4_request";
const MALFORMED = "AuthorizationHeaderMalformed";
const SHAPE =
  'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".';
const DATE_NEEDED = "AWS authentication requires a valid Date or x-amz-date header";

test("an Authorization header is read with or without spaces, in any order", () => {
  const spaced = `Credential=${CREDENTIAL}, SignedHeaders=host;x-amz-date, Signature=${SHA256}`;
  const swapped = `Signature=${SHA256},Credential=${CREDENTIAL} , SignedHeaders=host;x-amz-date`;
  for (const fields of [spaced, spaced.replaceAll(", ", ","), `  ${swapped}`]) {
    const claim = readClaim(withHeaders({ authorization: `AWS4-HMAC-SHA256 ${fields}` }));
    assert.deepEqual(claim, {
      kind: "header",
      accessKeyId: "AK",
      scope: {
        date: "20130524",
        region: "us-east-1",
        service: "s3",
        text: "20130524/us-east-1/s3/aws4_request",
      },
      signedHeaders: ["host", "x-amz-date"],
      signature: SHA256,
      timeMs: Date.UTC(2013, 4, 24),
      amzDate: "20130524T000000Z",
      expiresSeconds: undefined,
      sessionToken: undefined,
      payload: { kind: "hash", text: SHA256, sha256: SHA256 },
    });
  }
});

test("any region, an access key with slashes, s3express and a session token are read", () => {
  const headers = {
    ...authorized("a/b/20130524/anywhere/s3express/aws4_request"),
    "x-amz-security-token": "T",
  };
  const claim = readClaim(withHeaders(headers));
  assert.equal(claim?.accessKeyId, "a/b");
  assert.equal(claim?.scope.region, "anywhere");
  assert.equal(claim?.sessionToken, "T");
  const express = { ...authorized(CREDENTIAL), "x-amz-s3session-token": "S" };
  assert.equal(readClaim(withHeaders(express))?.sessionToken, "S");
});

const PAYLOADS: Readonly<Record<string, object>> = {
  "UNSIGNED-PAYLOAD": { kind: "unsigned" },
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD": { kind: "chunked", signed: true, trailer: false },
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER": { kind: "chunked", signed: true, trailer: true },
  "STREAMING-UNSIGNED-PAYLOAD-TRAILER": { kind: "chunked", signed: false, trailer: true },
  [`${"A".repeat(64)}`]: { kind: "hash", sha256: "a".repeat(64) },
};
for (const [text, payload] of Object.entries(PAYLOADS)) {
  test(`reads the payload mode ${text}`, () => {
    const headers = { ...authorized(CREDENTIAL), "x-amz-content-sha256": text };
    assert.deepEqual(readClaim(withHeaders(headers))?.payload, { text, ...payload });
  });
}

type Refusal = readonly [
  why: string,
  request: SignedRequest,
  code: string,
  message: string | RegExp,
];

const REFUSED: readonly Refusal[] = [
  [
    "no fields",
    withHeaders({ authorization: "AWS4-HMAC-SHA256 x" }),
    MALFORMED,
    /requires three components/,
  ],
  [
    "a bad SignedHeaders",
    withHeaders(authorized(CREDENTIAL, "host;;x")),
    MALFORMED,
    /SignedHeaders/,
  ],
  [
    "no region",
    withHeaders(authorized("AK/20130524//s3/aws4_request")),
    MALFORMED,
    `The authorization header is malformed; ${SHAPE}`,
  ],
  [
    "a date in another form",
    withHeaders(authorized("AK/2013-05-24/r/s3/aws4_request")),
    MALFORMED,
    /incorrect date format "2013-05-24"/,
  ],
  [
    "another service",
    withHeaders(authorized("AK/20130524/r/sts/aws4_request")),
    MALFORMED,
    'The authorization header is malformed; incorrect service "sts". This endpoint belongs to "s3".',
  ],
  [
    "another terminal",
    withHeaders(authorized("AK/20130524/r/s3/aws3")),
    MALFORMED,
    /incorrect terminal "aws3"/,
  ],
  [
    "another day",
    withHeaders(authorized("AK/20130523/r/s3/aws4_request")),
    MALFORMED,
    /Invalid credential date "20130523"/,
  ],
  [
    "no date",
    withHeaders({ ...authorized(CREDENTIAL), "x-amz-date": undefined }),
    "AccessDenied",
    DATE_NEEDED,
  ],
  [
    "a date that is none",
    withHeaders({ ...authorized(CREDENTIAL), "x-amz-date": "20131324T000000Z" }),
    "AccessDenied",
    DATE_NEEDED,
  ],
  [
    "a Date in words",
    withHeaders({ ...authorized(CREDENTIAL), "x-amz-date": undefined, date: "yesterday" }),
    "AccessDenied",
    DATE_NEEDED,
  ],
  [
    "no digest",
    withHeaders({ ...authorized(CREDENTIAL), "x-amz-content-sha256": undefined }),
    "InvalidRequest",
    "Missing required header for this request: x-amz-content-sha256",
  ],
  [
    "an unknown payload mode",
    withHeaders({ ...authorized(CREDENTIAL), "x-amz-content-sha256": "unsigned-payload" }),
    "InvalidArgument",
    /^x-amz-content-sha256 must be UNSIGNED-PAYLOAD, .* or a valid sha256 value\.$/,
  ],
  [
    "chunks signed with V4A",
    withHeaders({
      ...authorized(CREDENTIAL),
      "x-amz-content-sha256": "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER",
    }),
    "NotImplemented",
    /4A/,
  ],
];
for (const [why, request, code, message] of REFUSED) {
  test(`refuses ${why} with ${code}`, () => {
    assert.throws(() => readClaim(request), { name: "S3Error", code, message });
  });
}

function authorized(
  credential: string,
  signedHeaders = "host",
): Record<string, string | undefined> {
  return {
    authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signedHeaders}, Signature=${SHA256}`,
  };
}

function withHeaders(headers: Readonly<Record<string, string | undefined>>): SignedRequest {
  const all = {
    host: "h",
    "x-amz-date": "20130524T000000Z",
    "x-amz-content-sha256": SHA256,
    ...headers,
  };
  return { method: "GET", path: "/b/k", query: "", headers: all };
}
