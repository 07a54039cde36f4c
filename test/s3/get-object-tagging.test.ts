import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused, s3Document } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

const PATH = "/bucket/key?tagging";

test("GetObjectTagging answers the tags in order of their keys, in this document", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes", { "x-amz-tagging": "z=1&a=x%20y&empty" });

  const { status, text, headers } = await s3.get(PATH);

  const tags = [
    ["a", "x y"],
    ["empty", ""],
    ["z", "1"],
  ];
  const inner = tags.map(([key, value]) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`);
  assert.equal(status, 200);
  assert.equal(headers["x-amz-version-id"], undefined);
  assert.equal(text, s3Document("Tagging", `<TagSet>${inner.join("")}</TagSet>`));
});

test("GetObjectTagging of an object without tags answers an empty set", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");

  assert.equal((await s3.get(PATH)).text, s3Document("Tagging", "<TagSet></TagSet>"));
});

test("GetObjectTagging answers the tags of the version that is named", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");
  const put = await s3.put("/bucket/key", "1", { "x-amz-tagging": "old=1" });
  await s3.put("/bucket/key", "2", { "x-amz-tagging": "new=1" });
  const versionId = put.headers["x-amz-version-id"];

  const { text, headers } = await s3.get(`${PATH}&versionId=${versionId}`);

  assert.equal(headers["x-amz-version-id"], versionId);
  assert.match(text, /<Key>old<\/Key>/);
});

const REFUSED = [
  { path: "/bucket/missing?tagging", status: 404, code: "NoSuchKey" },
  { path: "/missing/key?tagging", status: 404, code: "NoSuchBucket" },
  { path: `${PATH}&versionId=000000000000abcd`, status: 404, code: "NoSuchVersion" },
  { path: `${PATH}&versionId=never`, status: 400, code: "InvalidArgument" },
];
for (const { path, status, code } of REFUSED) {
  test(`GetObjectTagging refuses ${path} with ${code}`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", "bytes");

    assertRefused(await s3.get(path), status, code);
  });
}
