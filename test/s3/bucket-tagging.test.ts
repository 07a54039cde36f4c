import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

const TAGGING = (tags: string) => `<Tagging><TagSet>${tags}</TagSet></Tagging>`;
const TAG = (key: string) => `<Tag><Key>${key}</Key><Value>1</Value></Tag>`;

test("bucket tags are put, got and deleted", async (t) => {
  const s3 = await startServer(t);

  const replies = [
    await s3.put("/bucket?tagging", TAGGING(TAG("b") + TAG("a"))),
    await s3.get("/bucket?tagging"),
    await s3.request({ method: "DELETE", path: "/bucket?tagging" }),
  ];

  assert.deepEqual(
    replies.map(({ status }) => status),
    [204, 200, 204],
  );
  assert.match(replies[1]?.text ?? "", /<TagSet><Tag><Key>a<.*<Key>b</s);
  assertRefused(await s3.get("/bucket?tagging"), 404, "NoSuchTagSet");
});

test("PutBucketTagging refuses an eleventh tag with BadRequest", async (t) => {
  const s3 = await startServer(t);
  const tags = Array.from({ length: 11 }, (_, index) => TAG(`k${index}`)).join("");

  assertRefused(await s3.put("/bucket?tagging", TAGGING(tags)), 400, "BadRequest");
});

test("bucket tags do not outlive their bucket", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket?tagging", TAGGING(TAG("a")));

  await s3.request({ method: "DELETE", path: "/bucket" });
  await s3.put("/bucket", "");

  assertRefused(await s3.get("/bucket?tagging"), 404, "NoSuchTagSet");
});
