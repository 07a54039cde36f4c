import assert from "node:assert/strict";
import { test } from "node:test";
import { bucketDocumentLaws } from "#test/s3/bucket-document.ts";
import { assertRefused } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

const TAG = (key: string, value: string) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`;
const TAGGING = (tags: string) => `<Tagging><TagSet>${tags}</TagSet></Tagging>`;
const tags = (count: number) =>
  Array.from({ length: count }, (_, index) => TAG(`k${index}`, "v")).join("");

bucketDocumentLaws({
  name: "BucketTagging",
  query: "tagging",
  root: "Tagging",
  put: `\n <TagSet>${TAG("b", "x y")}${TAG("a", "")}</TagSet>`,
  got: `<TagSet>${TAG("a", "")}${TAG("b", "x y")}</TagSet>`,
  other: `<TagSet>${TAG("c", "1")}</TagSet>`,
  putStatus: 204,
  missing: "NoSuchTagSet",
  refused: [
    { why: "a fifty-first tag", body: TAGGING(tags(51)), code: "BadRequest" },
    {
      why: "a bad one of too many",
      body: TAGGING(tags(50) + TAG("aws:a", "1")),
      code: "InvalidTag",
    },
    { why: "a repeated key", body: TAGGING(TAG("a", "1").repeat(2)), code: "InvalidTag" },
    { why: "a key of AWS's own", body: TAGGING(TAG("aws:a", "1")), code: "InvalidTag" },
    { why: "an empty key", body: TAGGING(TAG("", "1")), code: "InvalidTag" },
    {
      why: "a tag without a value",
      body: TAGGING("<Tag><Key>a</Key></Tag>"),
      code: "MalformedXML",
    },
  ],
});

test("PutBucketTagging of no tags leaves the bucket without a set, and so does CreateBucket", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/other", "<CreateBucketConfiguration><Tags></Tags></CreateBucketConfiguration>");
  assertRefused(await s3.get("/other?tagging"), 404, "NoSuchTagSet");

  for (const none of [TAGGING(""), "<Tagging/>"]) {
    await s3.put("/bucket?tagging", TAGGING(TAG("a", "1")));

    assert.equal((await s3.put("/bucket?tagging", none)).status, 204);
    assertRefused(await s3.get("/bucket?tagging"), 404, "NoSuchTagSet");
  }
});

test("PutBucketTagging takes fifty tags, and CreateBucket does", async (t) => {
  const s3 = await startServer(t);
  const created = `<Tags>${tags(50)}</Tags>`;
  await s3.put("/other", `<CreateBucketConfiguration>${created}</CreateBucketConfiguration>`);

  assert.equal((await s3.put("/bucket?tagging", TAGGING(tags(50)))).status, 204);
  for (const bucket of ["other", "bucket"]) {
    const got = await s3.get(`/${bucket}?tagging`);
    assert.equal(got.text.match(/<Tag>/g)?.length, 50);
  }
});
