import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

const CONTROLS = (rule: string) =>
  `<OwnershipControls><Rule><ObjectOwnership>${rule}</ObjectOwnership></Rule></OwnershipControls>`;

test("ownership controls are put, got and deleted", async (t) => {
  const s3 = await startServer(t);

  const put = await s3.put("/bucket?ownershipControls", CONTROLS("BucketOwnerEnforced"));
  const got = await s3.get("/bucket?ownershipControls");
  const deleted = await s3.request({ method: "DELETE", path: "/bucket?ownershipControls" });

  assert.deepEqual([put.status, got.status, deleted.status], [200, 200, 204]);
  assert.match(got.text, /<ObjectOwnership>BucketOwnerEnforced<\/ObjectOwnership>/);
  assertRefused(await s3.get("/bucket?ownershipControls"), 404, "OwnershipControlsNotFoundError");
});

test("PutBucketOwnershipControls refuses what would need ACLs with NotImplemented", async (t) => {
  const s3 = await startServer(t);

  const reply = await s3.put("/bucket?ownershipControls", CONTROLS("ObjectWriter"));

  assertRefused(reply, 501, "NotImplemented");
});

test("PutBucketOwnershipControls refuses an unknown rule with MalformedXML", async (t) => {
  const s3 = await startServer(t);

  assertRefused(await s3.put("/bucket?ownershipControls", CONTROLS("Me")), 400, "MalformedXML");
});
