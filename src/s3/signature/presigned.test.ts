import assert from "node:assert/strict";
import { test } from "node:test";
import { readClaim, type SignedRequest } from "#s3/signature/claim.ts";

const SHA256 = "0".repeat(64);
const PARAMETERS = "AuthorizationQueryParametersError";
const REQUIRED =
  "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.";
const QUERY: Readonly<Record<string, string | undefined>> = {
  "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
  "X-Amz-Credential": "AK/20130524/us-east-1/s3/aws4_request",
  "X-Amz-Date": "20130524T000000Z",
  "X-Amz-Expires": "60",
  "X-Amz-SignedHeaders": "host",
  "X-Amz-Signature": SHA256,
};

test("a presigned URL is read, its body unsigned unless the query or a signed header says", () => {
  const claim = readClaim(presigned({ "X-Amz-Security-Token": "T" }));
  assert.equal(claim?.kind, "presigned");
  assert.equal(claim?.expiresSeconds, 60);
  assert.equal(claim?.sessionToken, "T");
  assert.equal(claim?.payload.text, "UNSIGNED-PAYLOAD");
  assert.equal(readClaim(presigned({ "X-Amz-Content-Sha256": SHA256 }))?.payload.text, SHA256);
  const headers = { host: "h", "x-amz-content-sha256": SHA256 };
  assert.equal(readClaim({ ...presigned({}), headers })?.payload.kind, "unsigned");
  const both = presigned({ "X-Amz-SignedHeaders": "host;x-amz-content-sha256" });
  assert.equal(readClaim({ ...both, headers })?.payload.kind, "hash");
});

type Refusal = readonly [
  why: string,
  request: SignedRequest,
  code: string,
  message: string | RegExp,
];

const REFUSED: readonly Refusal[] = [
  [
    "a line feed in SignedHeaders",
    presigned({ "X-Amz-SignedHeaders": "host\nx" }),
    PARAMETERS,
    /SignedHeaders/,
  ],
  [
    "no access key",
    presigned({ "X-Amz-Credential": "20130524/r/s3/aws4_request" }),
    PARAMETERS,
    `Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".`,
  ],
  [
    "another day, presigned",
    presigned({ "X-Amz-Credential": "AK/20130523/r/s3/aws4_request" }),
    PARAMETERS,
    'Invalid credential date "20130523". This date is not the same as X-Amz-Date: "20130524".',
  ],
  [
    "chunks in a presigned request",
    presigned({ "X-Amz-Content-Sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER" }),
    "InvalidArgument",
    /aws-chunked/,
  ],
  [
    "a presigned date in another form",
    presigned({ "X-Amz-Date": "2013-05-24" }),
    PARAMETERS,
    `X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`,
  ],
  [
    "another algorithm",
    presigned({ "X-Amz-Algorithm": "AWS5" }),
    PARAMETERS,
    'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"',
  ],
  ["half an escape", presigned({}, "&X-Amz-Security-Token=%E0"), PARAMETERS, /percent-encoded/],
  [
    "X-Amz-Expires=-1",
    presigned({ "X-Amz-Expires": "-1" }),
    PARAMETERS,
    "X-Amz-Expires must be non-negative",
  ],
  [
    "X-Amz-Expires=0",
    presigned({ "X-Amz-Expires": "0" }),
    PARAMETERS,
    "X-Amz-Expires must be at least 1 second",
  ],
  [
    "X-Amz-Expires=604801",
    presigned({ "X-Amz-Expires": "604801" }),
    PARAMETERS,
    "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
  ],
  [
    "X-Amz-Expires=1e3",
    presigned({ "X-Amz-Expires": "1e3" }),
    PARAMETERS,
    "X-Amz-Expires should be a number",
  ],
  ...Object.keys(QUERY).map(
    (name): Refusal => [`no ${name}`, presigned({ [name]: undefined }), PARAMETERS, REQUIRED],
  ),
];
for (const [why, request, code, message] of REFUSED) {
  test(`refuses ${why} with ${code}`, () => {
    assert.throws(() => readClaim(request), { name: "S3Error", code, message });
  });
}

function withQuery(query: string): SignedRequest {
  return { method: "GET", path: "/b/k", query, headers: { host: "h" } };
}

/** A presigned request with some parameters changed, or left out. */
function presigned(
  changes: Readonly<Record<string, string | undefined>>,
  rest = "",
): SignedRequest {
  const pairs = Object.entries({ ...QUERY, ...changes }).map(([name, value]) =>
    value === undefined ? "" : `${name}=${encodeURIComponent(value)}`,
  );
  return withQuery(pairs.filter((pair) => pair !== "").join("&") + rest);
}
