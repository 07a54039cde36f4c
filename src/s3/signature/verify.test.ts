import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { readClaim, type SignedRequest } from "#s3/signature/claim.ts";
import { verifyClaim } from "#s3/signature/verify.ts";
import { presignedUrl, signedHeaders } from "#test/support/sign.ts";

const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const MAY_24 = Date.UTC(2013, 4, 24);
const AWS = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};
const WHO = { ...AWS, nowMs: MAY_24 };
const URL_ = "http://127.0.0.1:9000/bkt/key";

/** The examples of AWS's documentation, whose host is examplebucket.s3.amazonaws.com. */
const PUBLISHED: Readonly<Record<string, SignedRequest>> = {
  "GET Object": example("GET", "/test.txt", {
    range: "bytes=0-9",
    "x-amz-content-sha256": EMPTY,
    "x-amz-date": "20130524T000000Z",
    authorization:
      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  }),
  // Sent as test$file.text and signed as test%24file.text.
  "PUT Object": example("PUT", "/test$file.text", {
    date: "Fri, 24 May 2013 00:00:00 GMT",
    "x-amz-date": "20130524T000000Z",
    "x-amz-storage-class": "REDUCED_REDUNDANCY",
    "x-amz-content-sha256": "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
    authorization:
      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
  }),
  "GET Bucket Lifecycle": example("GET", "/?lifecycle", {
    "x-amz-date": "20130524T000000Z",
    "x-amz-content-sha256": EMPTY,
    authorization:
      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
  }),
  "List Objects": example("GET", "/?max-keys=2&prefix=J", {
    "x-amz-date": "20130524T000000Z",
    "x-amz-content-sha256": EMPTY,
    authorization:
      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
  }),
  "presigned GET": example(
    "GET",
    "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
    {},
  ),
};

for (const [title, request] of Object.entries(PUBLISHED)) {
  test(`verifies AWS's example of ${title}`, () => {
    assert.equal(verify(request).accessKeyId, AWS.accessKeyId);
  });
}

test("a mismatch tells what was signed, as UTF-8, and never the right signature", () => {
  const request = signed("GET", URL_, { "x-amz-meta-who": "Ren\xc3\xa9" });
  const canonical = `GET\n/bkt/other\n\nhost:127.0.0.1:9000\nx-amz-content-sha256:${EMPTY}\nx-amz-date:20130524T000000Z\nx-amz-meta-who:René\n\nhost;x-amz-content-sha256;x-amz-date;x-amz-meta-who\n${EMPTY}`;
  const toSign = `AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n${hash("sha256", canonical)}`;
  const bytes = (text: string) =>
    [...Buffer.from(text)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  assert.throws(() => verify({ ...request, path: "/bkt/other" }), {
    code: "SignatureDoesNotMatch",
    detail: {
      AWSAccessKeyId: AWS.accessKeyId,
      SignatureProvided: request.headers["authorization"]?.slice(-64),
      StringToSign: toSign,
      StringToSignBytes: bytes(toSign),
      CanonicalRequest: canonical,
      CanonicalRequestBytes: bytes(canonical),
    },
  });
});

test("another secret, a signature cut short or in capitals does not match", () => {
  const request = signed("GET", URL_, {});
  const authorization = request.headers["authorization"] ?? "";
  assert.throws(() => verify(request, { secret: "other" }), { code: "SignatureDoesNotMatch" });
  for (const signature of ["0", authorization.slice(-63), authorization.slice(-64).toUpperCase()]) {
    const changed = `${authorization.slice(0, -64)}${signature}`;
    const headers = { ...request.headers, authorization: changed };
    assert.throws(() => verify({ ...request, headers }), { code: "SignatureDoesNotMatch" });
  }
});

test("header values are trimmed and their spaces run together, in bytes", () => {
  const values = { "x-amz-meta-a": "a b", "x-amz-meta-b": "voil\xc3\xa0", "x-amz-meta-c": "1,2" };
  const request = signed("GET", URL_, values);
  const sent = { "x-amz-meta-a": " \ta \t  b  ", "x-amz-meta-b": "voil\xc3\xa0 " };
  verify({ ...request, headers: { ...request.headers, ...sent } });
});

test("a signed header that did not arrive counts as empty", () => {
  const { headers, ...request } = signed("GET", URL_, { "content-type": "" });
  verify({ ...request, headers: { ...headers, "content-type": undefined } });
});

const REWRITTEN: readonly (readonly [why: string, signedTarget: string, sentTarget: string])[] = [
  ["a plain bracket", "/bkt/a%28b%29", "/bkt/a(b)"],
  ["lower-case hex", "/bkt/%C3%A9", "/bkt/%c3%a9"],
  ["raw bytes", "/bkt/%C3%A9", "/bkt/\xc3\xa9"],
  ["needless encoding", "/bkt/a-b", "/bkt/%61%2Db"],
  ["an encoded slash", "/bkt/a/b", "/bkt/a%2Fb"],
  ["a query not encoded", "/bkt?prefix=a%2Fb%3Ac", "/bkt?prefix=a/b:c"],
  ["a plus for a space", "/bkt?prefix=a%20b", "/bkt?prefix=a+b"],
  ["an order of its own", "/bkt?a=1&a-b=2&b=3", "/bkt?b=3&a-b=2&a=1"],
  ["an equals sign", "/bkt?uploads", "/bkt?uploads="],
  ["empty pairs", "/bkt?a=1&b=2", "/bkt?a=1&&b=2&"],
];
for (const [why, signedTarget, sentTarget] of REWRITTEN) {
  test(`verifies a target that was rewritten on its way: ${why}`, () => {
    const request = signed("GET", `http://127.0.0.1:9000${signedTarget}`, {});
    verify({ ...request, ...targetOf(sentTarget) });
  });
}

test("verifies a target signed as it was sent, though AWS would spell it otherwise", () => {
  verify({
    method: "GET",
    ...targetOf("/a(b)%2f?x=a+b/"),
    headers: {
      host: "h",
      "x-amz-date": "20130524T000000Z",
      "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
      authorization:
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=132c7e81d1ffe110bd9ebf8f384620aec013d048e069b0f2cac15cfdb54510ab",
    },
  });
});

test("verifies a request signed with a Date header alone", () => {
  verify({
    method: "GET",
    ...targetOf("/k"),
    headers: {
      host: "h",
      date: "Fri, 24 May 2013 00:00:00 GMT",
      "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
      authorization:
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=date;host;x-amz-content-sha256, Signature=323d54f9d5a62438c41b186c8a7b9717ed78cd55584f12921fd65181b1dd8315",
    },
  });
});

test("a request out of its time is refused", () => {
  const late = { nowMs: MAY_24 + 2001 };
  assert.throws(() => verify(signed("GET", URL_, {}), late), { code: "RequestTimeTooSkewed" });
  const link = presigned("GET", URL_, { expiresSeconds: 2 });
  verify(link, { nowMs: MAY_24 + 2000 });
  assert.throws(() => verify(link, late), { code: "AccessDenied", message: "Request has expired" });
});

test("host and every x-amz- header must be signed, in a header or a presigned URL", () => {
  const added = { "x-amz-copy-source": "/bkt/secret", "x-amz-acl": "public-read", accept: "*/*" };
  for (const request of [signed("PUT", URL_, {}), presigned("PUT", URL_, { expiresSeconds: 60 })]) {
    const headers = { ...request.headers, ...added };
    assert.throws(() => verify({ ...request, headers }), {
      code: "AccessDenied",
      message: "There were headers present in the request which were not signed",
      detail: { HeadersNotSigned: "x-amz-copy-source, x-amz-acl" },
    });
  }
  const request = signed("GET", URL_, {});
  const authorization = request.headers["authorization"]?.replace("host;", "");
  assert.throws(() => verify({ ...request, headers: { ...request.headers, authorization } }), {
    code: "AccessDenied",
    detail: { HeadersNotSigned: "host" },
  });
});

test("verifies what the independent signer signs, of any method, path, query and header", () => {
  const word = fc.string({ unit: "grapheme", maxLength: 12 });
  const request = fc.record({
    path: fc.array(word, { maxLength: 4 }),
    query: fc.array(fc.tuple(word, word), { maxLength: 5 }),
    value: fc.stringMatching(/^[ -~\x80-\xff]{0,20}$/),
    presign: fc.boolean(),
  });
  fc.assert(
    fc.property(request, ({ path, query, value, presign }) => {
      const search = query.map(([name, text]) => `x${encode(name)}=${encode(text)}`).join("&");
      const url = `http://127.0.0.1:9000/${path.map(encode).join("/")}?${search}`;
      const headers = { "x-amz-meta-v": value };
      if (presign) verify(presigned("PUT", url, { headers, expiresSeconds: 1 }));
      else verify(signed("PUT", url, headers));
    }),
  );
});

function verify(request: SignedRequest, given: { secret?: string; nowMs?: number } = {}) {
  const claim = readClaim(request);
  assert.ok(claim !== undefined);
  return verifyClaim(request, claim, {
    secret: AWS.secret,
    nowMs: MAY_24,
    skewMsMax: 0,
    ...given,
  });
}

function example(
  method: string,
  target: string,
  headers: Readonly<Record<string, string>>,
): SignedRequest {
  const host = "examplebucket.s3.amazonaws.com";
  return { method, ...targetOf(target), headers: { host, ...headers } };
}

function signed(
  method: string,
  url: string,
  headers: Readonly<Record<string, string>>,
): SignedRequest {
  return {
    method,
    ...targetOf(url.slice(21)),
    headers: signedHeaders({ ...WHO, method, url, headers }),
  };
}

function presigned(
  method: string,
  url: string,
  {
    headers = {},
    expiresSeconds,
  }: { headers?: Readonly<Record<string, string>>; expiresSeconds: number },
): SignedRequest {
  const target = presignedUrl({ ...WHO, method, url, headers, expiresSeconds }).slice(21);
  return { method, ...targetOf(target), headers: { host: "127.0.0.1:9000", ...headers } };
}

function targetOf(target: string): { readonly path: string; readonly query: string } {
  const [path = "", ...query] = target.split("?");
  return { path, query: query.join("?") };
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
