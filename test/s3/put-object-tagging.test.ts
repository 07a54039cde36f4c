import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused, only, s3Document, texts } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

const TAG = (key: string, value: string) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`;
const TAGGING = (tags: string) => `<Tagging><TagSet>${tags}</TagSet></Tagging>`;
const PATH = "/bucket/key?tagging";

test("PutObjectTagging replaces the whole tag set and nothing else", async (t) => {
  const s3 = await startServer(t);
  const before = await s3.put("/bucket/key", "123456789", {
    "x-amz-meta-a": "1",
    "x-amz-tagging": "z=0",
  });
  s3.clock.move(60_000);

  await s3.put(PATH, TAGGING(TAG("a", "1") + TAG("b", "2")));
  const reply = await s3.put(PATH, TAGGING(TAG("c", "x &amp; y".replace("&amp; ", ""))));

  assert.equal(reply.status, 200);
  assert.equal(reply.bytes.length, 0);
  assert.equal(
    (await s3.get(PATH)).text,
    s3Document("Tagging", `<TagSet>${TAG("c", "x y")}</TagSet>`),
  );
  const got = await s3.get("/bucket/key");
  assert.equal(got.text, "123456789");
  assert.equal(got.headers["etag"], before.headers["etag"]);
  assert.equal(got.headers["x-amz-meta-a"], "1");
  assert.equal(got.headers["last-modified"], "Fri, 02 Jan 2026 03:04:05 GMT");
});

test("PutObjectTagging with an empty set, or none, removes all tags", async (t) => {
  const s3 = await startServer(t);
  for (const none of [TAGGING(""), "<Tagging/>"]) {
    await s3.put("/bucket/key", "bytes", { "x-amz-tagging": "a=1" });

    assert.equal((await s3.put(PATH, none)).status, 200);

    assert.deepEqual(texts((await s3.get(PATH)).text, "Key"), []);
    assert.equal((await s3.get("/bucket/key")).headers["x-amz-tagging-count"], undefined);
  }
});

test("InvalidTag tells the key, and the value where it is what is wrong", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");

  for (const path of [PATH, "/bucket?tagging"]) {
    const value = await s3.put(path, TAGGING(TAG("a", "1,2")));
    const key = await s3.put(path, TAGGING(TAG("a,b", "1")));

    assertRefused(value, 400, "InvalidTag");
    assert.deepEqual([only(value.text, "TagKey"), only(value.text, "TagValue")], ["a", "1,2"]);
    assertRefused(key, 400, "InvalidTag");
    assert.deepEqual([only(key.text, "TagKey"), only(key.text, "TagValue")], ["a,b", undefined]);
  }
});

test("PutObjectTagging takes ten tags of 128 and 256 characters of any language", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");
  const tags = Array.from({ length: 10 }, (_, index) =>
    TAG(`${index}${"ü".repeat(127)}`, "値".repeat(256)),
  );

  assert.equal((await s3.put(PATH, TAGGING(tags.join("")))).status, 200);
  assert.equal((await s3.get("/bucket/key")).headers["x-amz-tagging-count"], "10");
});

test("PutObjectTagging tags the version that is named", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");
  const versionId = (await s3.put("/bucket/key", "1")).headers["x-amz-version-id"] ?? "";
  await s3.put("/bucket/key", "2");

  const reply = await s3.put(`${PATH}&versionId=${versionId}`, TAGGING(TAG("a", "1")));

  assert.equal(reply.headers["x-amz-version-id"], versionId);
  assert.equal(only((await s3.get(`${PATH}&versionId=${versionId}`)).text, "Key"), "a");
  assert.equal(only((await s3.get(PATH)).text, "Key"), undefined);
});

const ELEVEN = Array.from({ length: 11 }, (_, index) => TAG(`k${index}`, "v")).join("");
const REFUSED = [
  { why: "an eleventh tag", body: TAGGING(ELEVEN), code: "BadRequest" },
  { why: "a repeated key", body: TAGGING(TAG("a", "1").repeat(2)), code: "InvalidTag" },
  { why: "an empty key", body: TAGGING(TAG("", "1")), code: "InvalidTag" },
  { why: "a key of 129 characters", body: TAGGING(TAG("k".repeat(129), "1")), code: "InvalidTag" },
  {
    why: "a value of 257 characters",
    body: TAGGING(TAG("a", "v".repeat(257))),
    code: "InvalidTag",
  },
  { why: "a character that tags cannot have", body: TAGGING(TAG("a", "&lt;")), code: "InvalidTag" },
  { why: "a tag without a value", body: TAGGING("<Tag><Key>a</Key></Tag>"), code: "MalformedXML" },
  { why: "another document", body: "<Delete/>", code: "MalformedXML" },
  { why: "no document", body: "", code: "MalformedXML" },
  { why: "text after the document", body: `${TAGGING("")}x`, code: "MalformedXML" },
  {
    why: "a missing key",
    path: "/bucket/missing?tagging",
    body: TAGGING(""),
    status: 404,
    code: "NoSuchKey",
  },
  {
    why: "a missing bucket",
    path: "/missing/key?tagging",
    body: TAGGING(""),
    status: 404,
    code: "NoSuchBucket",
  },
  {
    why: "a missing version",
    path: `${PATH}&versionId=000000000000abcd`,
    body: TAGGING(""),
    status: 404,
    code: "NoSuchVersion",
  },
];
for (const { why, path = PATH, body, status = 400, code } of REFUSED) {
  test(`PutObjectTagging refuses ${why} with ${code} and changes nothing`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", "bytes", { "x-amz-tagging": "before=1" });

    assertRefused(await s3.put(path, body), status, code);
    assert.deepEqual(texts((await s3.get(PATH)).text, "Key"), ["before"]);
    assert.equal((await s3.get("/bucket/key")).text, "bytes");
  });
}

test("a delete marker has no tags and no ACL to be set, read or removed: the current version as one that is named", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");
  const marker = await s3.request({ method: "DELETE", path: "/bucket/key" });
  const versionId = marker.headers["x-amz-version-id"] ?? "";
  const asks = [
    { method: "PUT", path: PATH, body: TAGGING("") },
    { method: "GET", path: PATH },
    { method: "DELETE", path: PATH },
    { method: "PUT", path: "/bucket/key?acl", headers: { "x-amz-acl": "private" } },
  ];

  for (const ask of asks) {
    for (const path of [ask.path, `${ask.path}&versionId=${versionId}`]) {
      const reply = await s3.request({ ...ask, path });
      assertRefused(reply, 405, "MethodNotAllowed");
      assert.equal(only(reply.text, "Method"), ask.method);
      assert.equal(only(reply.text, "ResourceType"), "DeleteMarker");
      assert.equal(reply.headers["x-amz-delete-marker"], "true");
      assert.equal(reply.headers["x-amz-version-id"], versionId);
      assert.equal(reply.headers["allow"], "DELETE");
    }
  }
  // Others say of it what GetObject says.
  for (const query of ["?acl", "?attributes"]) {
    const headers = { "x-amz-object-attributes": "ETag" };
    assertRefused(await s3.get(`/bucket/key${query}`, headers), 404, "NoSuchKey");
  }
});
