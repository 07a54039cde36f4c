import assert from "node:assert/strict";
import { test } from "node:test";
import { readClaim } from "#s3/signature/claim.ts";

const V2_QUERY = "AWSAccessKeyId=AK&Signature=s&Expires=1";

test("a request with no credentials is anonymous", () => {
  for (const query of ["", "prefix=X-Amz-Signature&x-Signature=1", "list-type=2&Signatures=1"]) {
    assert.equal(read({ query }), undefined);
  }
});

type Refusal = readonly [
  why: string,
  request: { authorization?: string; query?: string },
  code: string,
  message: RegExp,
];

const REFUSED: readonly Refusal[] = [
  [
    "V2",
    { authorization: "AWS AK:sig=" },
    "InvalidRequest",
    /boto3: .*; AWS CLI v1: aws configure/,
  ],
  ["V2 presigned", { query: V2_QUERY }, "InvalidRequest", /Please use AWS4-HMAC-SHA256\. boto3/],
  ["V4A", { authorization: "AWS4-ECDSA-P256-SHA256 x" }, "NotImplemented", /4A/],
  ["V4A presigned", { query: "X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256" }, "NotImplemented", /4A/],
  [
    "a bearer",
    { authorization: "Bearer x" },
    "InvalidArgument",
    /^Unsupported Authorization Type$/,
  ],
  [
    "V4 twice",
    { authorization: "AWS4-HMAC-SHA256 x", query: "X-Amz-Signature=x" },
    "InvalidArgument",
    /^Only one auth mechanism allowed; only the X-Amz-Algorithm query/,
  ],
  [
    "V4 and V2",
    { authorization: "AWS4-HMAC-SHA256 x", query: V2_QUERY },
    "InvalidArgument",
    /^Only one auth mechanism allowed/,
  ],
  [
    "a part of V4",
    { query: "a&X-Amz-Credential" },
    "AuthorizationQueryParametersError",
    /requires/,
  ],
];
for (const [why, request, code, message] of REFUSED) {
  test(`refuses ${why} with ${code}`, () => {
    assert.throws(() => read(request), { name: "S3Error", code, message });
  });
}

test("a refusal of an Authorization header repeats its scheme and no secret", () => {
  for (const query of ["", "X-Amz-Signature=x"]) {
    const detail = { ArgumentName: "Authorization", ArgumentValue: "Bearer" };
    assert.throws(() => read({ authorization: "Bearer s3cret", query }), {
      code: "InvalidArgument",
      detail,
    });
  }
});

function read({ authorization, query = "" }: { authorization?: string; query?: string }) {
  return readClaim({ method: "GET", path: "/b/k", query, headers: { host: "h", authorization } });
}
