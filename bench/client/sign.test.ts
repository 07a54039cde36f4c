import assert from "node:assert/strict";
import { test } from "node:test";
import { objectPath, Signer } from "./sign.ts";

const CREDENTIALS = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  region: "us-east-1",
};
const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const NOW = new Date("2013-05-24T00:00:00Z");

function signatureOf(head: string): string | undefined {
  return /Signature=([0-9a-f]+)\r\n/.exec(head)?.[1];
}

// Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, examples.
test("the signer signs the published GET example as published", () => {
  const head = new Signer(CREDENTIALS, NOW).head({
    method: "GET",
    path: "/test.txt",
    headers: {
      host: "examplebucket.s3.amazonaws.com",
      range: "bytes=0-9",
      "x-amz-content-sha256": EMPTY,
    },
  });
  assert.equal(
    signatureOf(head),
    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  );
  assert.match(head, /^GET \/test\.txt HTTP\/1\.1\r\n/);
  assert.ok(head.endsWith("\r\n\r\n"));
});

test("the signer signs the published listing example as published", () => {
  const head = new Signer(CREDENTIALS, NOW).head({
    method: "GET",
    path: "/",
    query: { prefix: "J", "max-keys": "2" },
    headers: { host: "examplebucket.s3.amazonaws.com", "x-amz-content-sha256": EMPTY },
  });
  assert.equal(
    signatureOf(head),
    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
  );
  assert.match(head, /^GET \/\?max-keys=2&prefix=J HTTP/);
});

test("a header sorts by its name, not by its line", () => {
  const head = new Signer(CREDENTIALS, NOW).head({
    method: "PUT",
    path: "/b/k",
    headers: { host: "h", "x-amz-copy-source-range": "bytes=0-1", "x-amz-copy-source": "/b/j" },
  });
  assert.match(head, /x-amz-copy-source;x-amz-copy-source-range;x-amz-date/);
});

test("a key keeps its slashes and encodes everything else that is reserved", () => {
  assert.equal(objectPath("b", "a/b c+(1)"), "/b/a/b%20c%2B%281%29");
});
