import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { inspect } from "node:util";
import { S3Error } from "#base/error.ts";
import { readCustomerKey } from "#s3/encryption.ts";

const BYTES = Buffer.from("the first key of 32 bytes: 01234");
const STEM = "x-amz-server-side-encryption-customer";
const HEADERS = {
  [`${STEM}-algorithm`]: "AES256",
  [`${STEM}-key`]: BYTES.toString("base64"),
  [`${STEM}-key-md5`]: createHash("md5").update(BYTES).digest("base64"),
};

for (const remoteAddress of ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"]) {
  test(`a key may come over plain HTTP from ${remoteAddress}, which is this machine`, () => {
    const key = readCustomerKey({ headers: HEADERS, secure: false, remoteAddress });

    assert.deepEqual(key?.reveal(), BYTES);
  });
}

const ELSEWHERE = ["10.0.0.1", "192.0.2.127", "::ffff:10.0.0.1", "2001:db8::1", "::2", ""];
for (const remoteAddress of ELSEWHERE) {
  test(`a key over plain HTTP from "${remoteAddress}" is refused with InvalidRequest, over TLS it is not`, () => {
    const request = { headers: HEADERS, remoteAddress };

    assert.throws(
      () => readCustomerKey({ ...request, secure: false }),
      (cause) =>
        cause instanceof S3Error &&
        cause.code === "InvalidRequest" &&
        /must be made over a secure connection/.test(cause.message),
    );
    assert.deepEqual(readCustomerKey({ ...request, secure: true })?.reveal(), BYTES);
  });
}

test("a request without such headers may come from anywhere", () => {
  const request = { headers: {}, secure: false, remoteAddress: "10.0.0.1" };

  assert.equal(readCustomerKey(request), undefined);
});

test("whoever prints or serializes a key does not see its bytes", () => {
  const key = readCustomerKey({ headers: HEADERS, secure: true, remoteAddress: "10.0.0.1" });

  const shown = `${inspect({ key }, { depth: 9, showHidden: true })} ${JSON.stringify({ key })} ${key}`;

  for (const form of ["base64", "hex", "latin1"] as const) {
    assert.equal(shown.includes(BYTES.toString(form)), false, form);
  }
  assert.equal(
    shown.includes(BYTES.subarray(0, 4).toString("hex").replace(/../g, "$& ").trim()),
    false,
  );
});
