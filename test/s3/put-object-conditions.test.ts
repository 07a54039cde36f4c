import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused, only } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

// The conditions of a write, which CompleteMultipartUpload and CopyObject share.

test("PutObject with If-None-Match: * stores an object that was missing", async (t) => {
  const s3 = await startServer(t);

  const reply = await s3.put("/bucket/key", "bytes", { "if-none-match": "*" });

  assert.equal(reply.status, 200);
});

test("PutObject with If-None-Match: * refuses an object that is there with PreconditionFailed", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "before");

  const reply = await s3.put("/bucket/key", "after", { "if-none-match": "*" });

  assertRefused(reply, 412, "PreconditionFailed");
  assert.equal(only(reply.text, "Condition"), "If-None-Match");
  assert.equal((await s3.get("/bucket/key")).text, "before");
});

test("PutObject with If-None-Match: * stores an object over a delete marker", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");
  await s3.put("/bucket/key", "before");
  await s3.request({ method: "DELETE", path: "/bucket/key" });

  assert.equal((await s3.put("/bucket/key", "after", { "if-none-match": "*" })).status, 200);
});

for (const value of ['"25f9e794323b453885f5181f1b624d0b"', "abc", '*, "a"', ""]) {
  test(`PutObject refuses If-None-Match: ${value} with InvalidRequest`, async (t) => {
    const s3 = await startServer(t);

    const reply = await s3.put("/bucket/key", "bytes", { "if-none-match": value });

    assertRefused(reply, 400, "InvalidRequest");
    assertRefused(await s3.get("/bucket/key"), 404, "NoSuchKey");
  });
}

test("PutObject refuses If-Match and If-None-Match at once with NotImplemented", async (t) => {
  const s3 = await startServer(t);
  const { headers } = await s3.put("/bucket/key", "before");

  const both = { "if-match": headers["etag"] ?? "", "if-none-match": "*" };
  const reply = await s3.put("/bucket/key", "after", both);

  assertRefused(reply, 501, "NotImplemented");
  assert.equal((await s3.get("/bucket/key")).text, "before");
});

for (const form of ['"ETAG"', "ETAG"]) {
  test(`PutObject with If-Match: ${form} of the object replaces it`, async (t) => {
    const s3 = await startServer(t);
    const etag = (await s3.put("/bucket/key", "before")).headers["etag"]?.replaceAll('"', "") ?? "";

    const headers = { "if-match": form.replace("ETAG", etag) };
    const reply = await s3.put("/bucket/key", "after", headers);

    assert.equal(reply.status, 200);
    assert.equal((await s3.get("/bucket/key")).text, "after");
  });
}

test("PutObject with If-Match of another ETag refuses with PreconditionFailed", async (t) => {
  const s3 = await startServer(t);
  const old = (await s3.put("/bucket/key", "first")).headers["etag"] ?? "";
  await s3.put("/bucket/key", "second");

  const reply = await s3.put("/bucket/key", "third", { "if-match": old });

  assertRefused(reply, 412, "PreconditionFailed");
  assert.equal(only(reply.text, "Condition"), "If-Match");
  assert.equal((await s3.get("/bucket/key")).text, "second");
});

test("PutObject with If-Match refuses a missing key with NoSuchKey", async (t) => {
  const s3 = await startServer(t);

  assertRefused(await s3.put("/bucket/key", "bytes", { "if-match": '"a"' }), 404, "NoSuchKey");
});

test("PutObject with If-Match refuses a deleted key of a versioned bucket with NoSuchKey", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");
  const etag = (await s3.put("/bucket/key", "before")).headers["etag"] ?? "";
  await s3.request({ method: "DELETE", path: "/bucket/key" });

  assertRefused(await s3.put("/bucket/key", "bytes", { "if-match": etag }), 404, "NoSuchKey");
});

for (const header of ["if-modified-since", "if-unmodified-since"]) {
  test(`PutObject refuses ${header} with NotImplemented, for it would not be held to it`, async (t) => {
    const s3 = await startServer(t);
    const headers = { [header]: "Fri, 02 Jan 2026 00:00:00 GMT" };

    assertRefused(await s3.put("/bucket/key", "bytes", headers), 501, "NotImplemented");
  });
}

test("PutObject lets one of many with If-None-Match: * at once through", async (t) => {
  const s3 = await startServer(t);
  const bodies = Array.from({ length: 12 }, (_, index) => `body ${index}`);

  const replies = await Promise.all(
    bodies.map((body) => s3.put("/bucket/key", body, { "if-none-match": "*" })),
  );

  const winners = replies.flatMap(({ status }, index) => (status === 200 ? [bodies[index]] : []));
  assert.deepEqual(winners, [(await s3.get("/bucket/key")).text]);
  for (const { status, code } of replies) {
    assert.ok(
      status === 200 || code === "ConditionalRequestConflict" || code === "PreconditionFailed",
    );
  }
});

test("PutObject lets one of many with If-Match of one ETag at once through", async (t) => {
  const s3 = await startServer(t);
  const etag = (await s3.put("/bucket/key", "before")).headers["etag"] ?? "";
  const bodies = Array.from({ length: 12 }, (_, index) => `body ${index}`);

  const replies = await Promise.all(
    bodies.map((body) => s3.put("/bucket/key", body, { "if-match": etag })),
  );

  assert.equal(replies.filter(({ status }) => status === 200).length, 1);
});
