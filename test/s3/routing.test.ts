import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused, only } from "#test/s3/xml.ts";
import { type Ask, startServer } from "#test/support/server.ts";

const VIRTUAL = { host: "bucket.localhost" };

test("a bucket may stand in the host, with a port or without, in any case", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/a/b", "bytes");

  for (const host of ["bucket.localhost", `bucket.localhost:${s3.port}`, "Bucket.LOCALHOST"]) {
    assert.equal((await s3.get("/a/b", { host })).text, "bytes");
  }
});

test("a host of the base domain alone, or of another domain, leaves the bucket to the path", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");

  for (const host of [
    "localhost",
    `localhost:${s3.port}`,
    "example.org",
    "notlocalhost",
    "[::1]:9",
  ]) {
    assert.equal((await s3.get("/bucket/key", { host })).text, "bytes");
  }
});

test("a bucket in the host makes the whole path the key, even one that names a bucket", async (t) => {
  const s3 = await startServer(t);

  await s3.put("/bucket/key", "bytes", VIRTUAL);

  assert.equal((await s3.get("/bucket/bucket/key")).text, "bytes");
  assert.equal((await s3.get("/", VIRTUAL)).status, 200);
  assert.match((await s3.get("/", VIRTUAL)).text, /<Key>bucket\/key<\/Key>/);
});

test("a bucket in the host that cannot be one is refused with InvalidBucketName", async (t) => {
  const s3 = await startServer(t);

  assertRefused(await s3.get("/key", { host: "a.b.localhost" }), 400, "InvalidBucketName");
});

test("a server of virtual-hosted addressing alone refuses buckets in the path", async (t) => {
  const s3 = await startServer(t, { pathStyle: false });

  assertRefused(await s3.get("/bucket/key"), 400, "InvalidRequest");
  assert.equal((await s3.put("/key", "bytes", VIRTUAL)).status, 200);
  assert.equal((await s3.get("/", { host: "localhost" })).status, 200);
});

const WRONG: readonly { ask: Ask; type: string }[] = [
  { ask: { method: "POST", path: "/bucket/key" }, type: "OBJECT" },
  { ask: { method: "PATCH", path: "/bucket/key" }, type: "OBJECT" },
  { ask: { method: "PATCH", path: "/bucket" }, type: "BUCKET" },
  { ask: { method: "PUT", path: "/" }, type: "SERVICE" },
  { ask: { method: "DELETE", path: "/" }, type: "SERVICE" },
];
for (const { ask, type } of WRONG) {
  test(`${ask.method} ${ask.path} is refused with MethodNotAllowed`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", "bytes");

    const reply = await s3.request(ask);

    assertRefused(reply, 405, "MethodNotAllowed");
    assert.equal(only(reply.text, "Method"), ask.method);
    assert.equal(only(reply.text, "ResourceType"), type);
  });
}

const SUBRESOURCES = [
  "foo",
  "foo=",
  "renameObjects",
  "torrent",
  "restore",
  "select&select-type=2",
  "cors",
];
for (const method of ["GET", "PUT", "POST", "DELETE"]) {
  for (const query of SUBRESOURCES) {
    test(`${method} /bucket/key?${query} is refused with NotImplemented and touches nothing`, async (t) => {
      const s3 = await startServer(t);
      await s3.put("/bucket/key", "bytes");

      const reply = await s3.request({ method, path: "/bucket/key", query });

      assertRefused(reply, 501, "NotImplemented");
      assert.equal((await s3.get("/bucket/key")).text, "bytes");
    });
  }
}

test("an unknown subresource is named in its refusal", async (t) => {
  const s3 = await startServer(t);

  const { text } = await s3.get("/bucket?foo");

  assert.match(only(text, "Message") ?? "", /"foo"/);
});

test("HEAD with an unknown subresource is refused with 501 and no body", async (t) => {
  const s3 = await startServer(t);

  const reply = await s3.request({ method: "HEAD", path: "/bucket", query: "foo" });

  assert.equal(reply.status, 501);
  assert.equal(reply.bytes.length, 0);
});

for (const path of ["/bucket/%", "/bucket/%zz", "/bucket/%FF", "/%C3", "/bucket?prefix=%FF", "*"]) {
  test(`the target ${path} is refused with InvalidURI`, async (t) => {
    const s3 = await startServer(t);

    assertRefused(await s3.request({ path, sign: false }), 400, "InvalidURI");
  });
}

test("a target in absolute form, as a proxy sends it, is answered", async (t) => {
  const s3 = await startServer(t);

  const reply = await s3.request({ path: "http://localhost/bucket", sign: false });

  assertRefused(reply, 403, "AccessDenied");
  assert.equal(reply.code, "AccessDenied");
});

for (const name of [
  "range",
  "content-md5",
  "x-amz-copy-source",
  "x-amz-date",
  "if-match",
  "x-amz-content-sha256",
]) {
  test(`a request with two ${name} headers is refused with InvalidRequest`, async (t) => {
    const s3 = await startServer(t);
    const unsigned = { [name]: ["a", "b"] };

    const ask: Ask = { method: "PUT", path: "/bucket/key", body: "bytes", sign: false, unsigned };
    assertRefused(await s3.request(ask), 400, "InvalidRequest");
  });
}
