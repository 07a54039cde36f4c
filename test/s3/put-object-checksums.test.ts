import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "#base/checksum.ts";
import { assertRefused, only } from "#test/s3/xml.ts";
import { type Ask, startServer } from "#test/support/server.ts";

const BODY = "123456789";
const MD5 = "JfnnlDI7RTiF9RgfG2JNCw==";
/** Of BODY: the check values that each algorithm's specification gives. */
const VALUES = {
  crc32: "y/Q5Jg==",
  crc32c: "4waSgw==",
  crc64nvme: "rosUhgp5mIg=",
  sha1: "98O8HYCOBHMq32eZZczDTKeuNEE=",
  sha256: "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
};
const OF_OTHERS = {
  crc32: "AAAAAA==",
  crc32c: "AAAAAA==",
  crc64nvme: "AAAAAAAAAAA=",
  sha1: "2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
  sha256: "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
};

/** How a checksum can travel: with each form of payload, as a header or behind the body. */
const WAYS: Readonly<Record<string, (name: string, value: string) => Partial<Ask>>> = {
  "a header of a signed payload": (name, value) => ({ headers: { [name]: value } }),
  "a header of an unsigned payload": (name, value) => ({
    headers: { [name]: value },
    sign: { payload: "UNSIGNED-PAYLOAD" },
  }),
  "a header of signed chunks": (name, value) => ({
    headers: { [name]: value },
    sign: { mode: "signed" },
  }),
  "a header of a presigned request": (name, value) => ({
    headers: { [name]: value },
    sign: { presignedSeconds: 60 },
  }),
  "a trailer of signed chunks": (name, value) => ({
    sign: { mode: "signed-trailer", trailers: { [name]: value } },
  }),
  "a trailer of unsigned chunks": (name, value) => ({
    sign: { mode: "unsigned-trailer", trailers: { [name]: value }, chunkBytes: 4 },
  }),
};
const PUT = { method: "PUT", path: "/bucket/key", body: BODY };

for (const [way, ask] of Object.entries(WAYS)) {
  for (const [algorithm, value] of Object.entries(VALUES)) {
    const name = `x-amz-checksum-${algorithm}`;
    test(`PutObject holds the body to ${algorithm} as ${way}, and keeps it`, async (t) => {
      const s3 = await startServer(t);

      const reply = await s3.request({ ...PUT, ...ask(name, value) });

      assert.equal(reply.status, 200, reply.text);
      const got = await s3.get("/bucket/key", { "x-amz-checksum-mode": "ENABLED" });
      assert.equal(got.text, BODY);
      for (const { headers } of [reply, got]) {
        const sums = Object.keys(headers).filter((header) => header.startsWith("x-amz-checksum-"));
        assert.deepEqual(sums.sort(), [name, "x-amz-checksum-type"].sort());
        assert.equal(headers[name], value);
        assert.equal(headers["x-amz-checksum-type"], "FULL_OBJECT");
      }
    });
  }

  for (const [algorithm, wrong] of Object.entries(OF_OTHERS)) {
    test(`PutObject refuses a wrong ${algorithm} as ${way} with BadDigest and stores nothing`, async (t) => {
      const s3 = await startServer(t);

      const reply = await s3.request({ ...PUT, ...ask(`x-amz-checksum-${algorithm}`, wrong) });

      assertRefused(reply, 400, "BadDigest");
      assertRefused(await s3.get("/bucket/key"), 404, "NoSuchKey");
    });
  }

  test(`PutObject refuses a crc32 that is no digest as ${way} with InvalidRequest`, async (t) => {
    const s3 = await startServer(t);

    for (const value of ["y/Q5", "not base64!", "y/Q5Jg"]) {
      const reply = await s3.request({ ...PUT, ...ask("x-amz-checksum-crc32", value) });
      assertRefused(reply, 400, "InvalidRequest");
    }
    assertRefused(await s3.get("/bucket/key"), 404, "NoSuchKey");
  });
}

test("PutObject takes a body that is what Content-MD5 says", async (t) => {
  const s3 = await startServer(t);

  assert.equal((await s3.put("/bucket/key", BODY, { "content-md5": MD5 })).status, 200);
});

test("PutObject refuses a wrong Content-MD5 with BadDigest and stores nothing", async (t) => {
  const s3 = await startServer(t);

  const reply = await s3.put("/bucket/key", "123456780", { "content-md5": MD5 });

  assertRefused(reply, 400, "BadDigest");
  assert.equal(only(reply.text, "ExpectedDigest"), MD5);
  assert.equal(
    only(reply.text, "CalculatedDigest"),
    digestOf("MD5", Buffer.from("123456780")).toString("base64"),
  );
  assertRefused(await s3.get("/bucket/key"), 404, "NoSuchKey");
});

for (const value of ["", "x", MD5.slice(0, -2), "AAAA", `${MD5}AAAA`]) {
  test(`PutObject refuses the Content-MD5 "${value}" with InvalidDigest`, async (t) => {
    const s3 = await startServer(t);

    const reply = await s3.put("/bucket/key", BODY, { "content-md5": value });

    assertRefused(reply, 400, "InvalidDigest");
    assert.equal(only(reply.text, "Content-MD5"), value);
  });
}

test("PutObject holds a body in chunks to Content-MD5 without its framing", async (t) => {
  const s3 = await startServer(t);
  const ask = { ...PUT, sign: { mode: "signed", chunkBytes: 8_192 } } as const;

  const right = await s3.request({ ...ask, headers: { "content-md5": MD5 } });
  const wrong = await s3.request({ ...ask, body: "other", headers: { "content-md5": MD5 } });

  assert.equal(right.status, 200);
  assertRefused(wrong, 400, "BadDigest");
});

test("PutObject refuses a body that is not what was signed with XAmzContentSHA256Mismatch", async (t) => {
  const s3 = await startServer(t);
  for (const body of [BODY, "longer than what lives in a record"]) {
    const reply = await s3.request({
      ...{ method: "PUT", path: "/bucket/key", body, sign: { payload: "0".repeat(64) } },
    });

    assertRefused(reply, 400, "XAmzContentSHA256Mismatch");
    assertRefused(await s3.get("/bucket/key"), 404, "NoSuchKey");
  }
});

const REFUSED: readonly {
  readonly why: string;
  readonly ask: Partial<Ask>;
  readonly code: string;
}[] = [
  {
    why: "two checksums",
    ask: { headers: { "x-amz-checksum-crc32": VALUES.crc32, "x-amz-checksum-sha1": VALUES.sha1 } },
    code: "InvalidRequest",
  },
  {
    why: "a checksum as header and as trailer",
    ask: {
      headers: { "x-amz-checksum-crc32": VALUES.crc32 },
      sign: { mode: "unsigned-trailer", trailers: { "x-amz-checksum-crc32": VALUES.crc32 } },
    },
    code: "InvalidRequest",
  },
  {
    why: "two trailers",
    ask: {
      sign: {
        mode: "unsigned-trailer",
        trailers: { "x-amz-checksum-crc32": VALUES.crc32, "x-amz-checksum-sha1": VALUES.sha1 },
      },
    },
    code: "InvalidRequest",
  },
  {
    why: "a trailer that is no checksum",
    ask: { sign: { mode: "unsigned-trailer", trailers: { "x-amz-meta-a": "1" } } },
    code: "InvalidRequest",
  },
  {
    why: "a trailer that was announced and does not come",
    ask: {
      headers: { "x-amz-trailer": "x-amz-checksum-crc32" },
      sign: { mode: "unsigned-trailer", trailers: {} },
    },
    code: "MalformedTrailerError",
  },
  {
    why: "an algorithm that does not exist",
    ask: { headers: { "x-amz-sdk-checksum-algorithm": "MD4" } },
    code: "InvalidRequest",
  },
  ...["md5", "sha512", "xxhash64", "xxhash3", "xxhash128"].map((algorithm) => ({
    why: `a checksum by ${algorithm}, which nobody here could check,`,
    ask: { headers: { [`x-amz-checksum-${algorithm}`]: "aGVsbG8=" } },
    code: "InvalidRequest",
  })),
  {
    // Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
    why: "an algorithm that no checksum comes with",
    ask: { headers: { "x-amz-sdk-checksum-algorithm": "SHA256" } },
    code: "InvalidRequest",
  },
  {
    why: "chunks that hold less than was announced",
    ask: { headers: { "x-amz-decoded-content-length": "10" }, sign: { mode: "signed" } },
    code: "IncompleteBody",
  },
  {
    why: "chunks that hold more than was announced",
    ask: { headers: { "x-amz-decoded-content-length": "8" }, sign: { mode: "unsigned-trailer" } },
    code: "IncompleteBody",
  },
];
for (const { why, ask, code } of REFUSED) {
  test(`PutObject refuses ${why} with ${code} and stores nothing`, async (t) => {
    const s3 = await startServer(t);

    assertRefused(await s3.request({ ...PUT, ...ask }), 400, code);
    assertRefused(await s3.get("/bucket/key"), 404, "NoSuchKey");
  });
}
