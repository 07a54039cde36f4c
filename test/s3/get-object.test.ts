import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "#base/checksum.ts";
import {
  completeUpload,
  type PartName,
  sendPart,
  startUpload,
  uploadWhole,
  withChecksum,
} from "#test/s3/multipart.ts";
import { assertRefused, only } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

// Conditions and ranges of reads are in files of their own.

test("GetObject answers the bytes and what is known of them", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "123456789", { "content-type": "text/plain" });

  const { status, text, headers } = await s3.get("/bucket/key");

  assert.equal(status, 200);
  assert.equal(text, "123456789");
  assert.equal(headers["etag"], '"25f9e794323b453885f5181f1b624d0b"');
  assert.equal(headers["last-modified"], "Fri, 02 Jan 2026 03:04:05 GMT");
  assert.equal(headers["content-length"], "9");
  assert.equal(headers["content-type"], "text/plain");
  assert.equal(headers["accept-ranges"], "bytes");
  assert.equal(headers["x-amz-version-id"], undefined);
  assert.match(headers["x-amz-request-id"] ?? "", /^[0-9A-F]{16}$/);
  assert.match(headers["x-amz-id-2"] ?? "", /./);
  assert.match(headers["date"] ?? "", /GMT$/);
});

test("GetObject answers Last-Modified of the last write", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "1");
  s3.clock.move(3_600_000);
  await s3.put("/bucket/key", "2");

  const { headers } = await s3.get("/bucket/key");

  assert.equal(headers["last-modified"], "Fri, 02 Jan 2026 04:04:05 GMT");
});

test("GetObject keeps the checksum to itself unless x-amz-checksum-mode is ENABLED", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "123456789", { "x-amz-checksum-crc32": "y/Q5Jg==" });

  assert.equal((await s3.get("/bucket/key")).headers["x-amz-checksum-crc32"], undefined);
  const { headers } = await s3.get("/bucket/key", { "x-amz-checksum-mode": "ENABLED" });
  assert.equal(headers["x-amz-checksum-crc32"], "y/Q5Jg==");
});

test("GetObject of a part of the bytes leaves the checksum of the whole out", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "123456789", { "x-amz-checksum-crc32": "y/Q5Jg==" });
  const ask = { "x-amz-checksum-mode": "ENABLED", range: "bytes=0-3" };

  const { status, headers } = await s3.get("/bucket/key", ask);

  assert.equal(status, 206);
  assert.equal(headers["x-amz-checksum-crc32"], undefined);
  assert.equal(headers["x-amz-checksum-type"], undefined);
});

test("GetObject refuses a missing key with NoSuchKey, in exactly this document", async (t) => {
  const s3 = await startServer(t);

  const { status, text, headers } = await s3.get("/bucket/a%20%3C&key?x=y");

  const requestId = headers["x-amz-request-id"];
  assert.equal(status, 404);
  assert.equal(headers["content-type"], "application/xml");
  assert.equal(
    text,
    `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>a &lt;&amp;key</Key><Resource>/bucket/a%20%3C&amp;key</Resource><RequestId>${requestId}</RequestId><HostId>${headers["x-amz-id-2"]}</HostId></Error>`,
  );
});

const OVERRIDES = {
  "cache-control": "no-store",
  "content-disposition": 'attachment; filename="x y.txt"',
  "content-encoding": "identity",
  "content-language": "fr",
  "content-type": "text/html; charset=utf-8",
  expires: "Thu, 01 Dec 1994 16:00:00 GMT",
};
for (const [name, value] of Object.entries(OVERRIDES)) {
  test(`GetObject answers the ${name} that response-${name} asks for`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", "bytes", { [name]: "stored" });
    const query = { [`response-${name}`]: value };

    const reply = await s3.request({ path: "/bucket/key", query });
    const presigned = await s3.request({
      ...{ path: "/bucket/key", query, sign: { presignedSeconds: 60 } },
    });

    for (const { headers, text } of [reply, presigned]) {
      assert.equal(headers[name], value);
      assert.equal(text, "bytes");
    }
    assert.equal((await s3.get("/bucket/key")).headers[name], "stored");
  });
}

for (const value of ["%0D%0Aset-cookie:a=b", "a%0Ab", "a%00b", "a%01b", "a%7Fb"]) {
  test(`GetObject refuses response-content-type=${value} with InvalidArgument`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", "bytes");

    const reply = await s3.get(`/bucket/key?response-content-type=${value}`);

    assertRefused(reply, 400, "InvalidArgument");
    assert.equal(reply.headers["set-cookie"], undefined);
  });
}

test("GetObject refuses to override another header with InvalidArgument", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");

  for (const name of ["response-etag", "response-", "response-x-amz-website-redirect-location"]) {
    const refused = await s3.get(`/bucket/key?${name}=a`);

    assertRefused(refused, 400, "InvalidArgument");
    assert.equal(only(refused.text, "ArgumentName"), name);
    assert.equal(only(refused.text, "ArgumentValue"), "a");
  }
});

test("GetObject gives an override beyond ASCII as UTF-8", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");

  const { headers } = await s3.get("/bucket/key?response-content-disposition=na%C3%AFve");

  assert.equal(headers["content-disposition"], Buffer.from("naïve").toString("latin1"));
});

test("GetObject refuses overrides to an anonymous caller", async (t) => {
  const s3 = await startServer(t);
  const ask = { path: "/bucket/key?response-expires=0", sign: false } as const;

  const reply = await s3.request(ask);

  assertRefused(reply, 400, "InvalidRequest");
});

test("GetObject with partNumber answers one part of an object uploaded in parts", async (t) => {
  const s3 = await startServer(t);
  await uploadWhole(s3, "/bucket/key", ["first", "second", "3"]);

  const { status, text, headers } = await s3.get("/bucket/key?partNumber=2");

  assert.equal(status, 206);
  assert.equal(text, "second");
  assert.equal(headers["content-range"], "bytes 5-10/12");
  assert.equal(headers["content-length"], "6");
  assert.equal(headers["x-amz-mp-parts-count"], "3");
  assert.match(headers["etag"] ?? "", /-3"$/);
});

test("GetObject tells a part's checksum where the object's is of those, and where the part is the whole", async (t) => {
  const s3 = await startServer(t);
  const enabled = { "x-amz-checksum-mode": "ENABLED" };
  const told = async (path: string) =>
    (await s3.get(path, enabled)).headers["x-amz-checksum-crc32"] !== undefined;
  for (const [type, bodies] of [
    ["COMPOSITE", ["first", "2"]],
    ["FULL_OBJECT", ["first", "2"]],
    ["FULL_OBJECT", ["1"]],
  ] as const) {
    const path = `/bucket/${type}-${bodies.length}`;
    const asked = { "x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": type };
    const uploadId = await startUpload(s3, path, asked);
    const parts: PartName[] = [];
    for (const [at, body] of bodies.entries()) {
      const sum = digestOf("CRC32", Buffer.from(body)).toString("base64");
      const headers = { "x-amz-checksum-crc32": sum };
      const part = { uploadId, number: at + 1, body, headers };
      parts.push(withChecksum(await sendPart(s3, path, part)));
    }
    assert.equal((await completeUpload(s3, path, { uploadId, parts })).status, 200);
  }

  assert.equal(await told("/bucket/COMPOSITE-2?partNumber=1"), true);
  assert.equal(await told("/bucket/FULL_OBJECT-2?partNumber=1"), false);
  assert.equal(await told("/bucket/FULL_OBJECT-1?partNumber=1"), true);
});

test("GetObject with partNumber=1 answers the whole of an object that was put whole", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");

  const { status, text, headers } = await s3.get("/bucket/key?partNumber=1");

  assert.equal(status, 206);
  assert.equal(text, "bytes");
  assert.equal(headers["content-range"], "bytes 0-4/5");
  assert.equal(headers["x-amz-mp-parts-count"], undefined);
});

test("GetObject refuses a part that is not there with InvalidPartNumber", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");
  await uploadWhole(s3, "/bucket/parts", ["first", "second"]);

  const [whole, parts] = [
    await s3.get("/bucket/key?partNumber=2"),
    await s3.get("/bucket/parts?partNumber=3"),
  ];

  assertRefused(whole, 416, "InvalidPartNumber");
  assertRefused(parts, 416, "InvalidPartNumber");
  assert.equal(only(parts.text, "PartNumberRequested"), "3");
  assert.equal(only(parts.text, "ActualPartCount"), "2");
});

for (const number of ["0", "10001", "-1", "x", "1.5", ""]) {
  test(`GetObject refuses partNumber=${number} with InvalidArgument`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", "bytes");

    assertRefused(await s3.get(`/bucket/key?partNumber=${number}`), 400, "InvalidArgument");
  });
}

test("GetObject refuses Range together with partNumber with InvalidRequest", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");

  const reply = await s3.get("/bucket/key?partNumber=1", { range: "bytes=0-0" });

  assertRefused(reply, 400, "InvalidRequest");
});

test("GetObject of a version answers that version", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "null version");
  await s3.setVersioning("bucket", "Enabled");
  const versionId = (await s3.put("/bucket/key", "1")).headers["x-amz-version-id"] ?? "";
  await s3.put("/bucket/key", "2");

  const old = await s3.request({ path: "/bucket/key", query: { versionId } });
  const oldest = await s3.get("/bucket/key?versionId=null");

  assert.equal(old.text, "1");
  assert.equal(old.headers["x-amz-version-id"], versionId);
  assert.equal(oldest.text, "null version");
  assert.equal(oldest.headers["x-amz-version-id"], "null");
});

test("GetObject tells of a delete marker: 404 without its version, 405 with it", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");
  await s3.put("/bucket/key", "bytes");
  const marker = await s3.request({ method: "DELETE", path: "/bucket/key" });
  const versionId = marker.headers["x-amz-version-id"] ?? "";

  const [missing, named] = [
    await s3.get("/bucket/key"),
    await s3.request({ path: "/bucket/key", query: { versionId } }),
  ];

  assertRefused(missing, 404, "NoSuchKey");
  assertRefused(named, 405, "MethodNotAllowed");
  assert.equal(named.headers["allow"], "DELETE");
  for (const { headers } of [missing, named]) {
    assert.equal(headers["x-amz-delete-marker"], "true");
    assert.equal(headers["x-amz-version-id"], versionId);
  }
});

test("GetObject refuses a version that is not there", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");

  assertRefused(await s3.get("/bucket/key?versionId=000000000000abcd"), 404, "NoSuchVersion");
  assertRefused(await s3.get("/bucket/key?versionId=never"), 400, "InvalidArgument");
  assertRefused(await s3.get("/bucket/key?versionId="), 400, "InvalidArgument");
});
