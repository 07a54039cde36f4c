import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused, s3Document } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

test("GetBucketVersioning answers an empty document where versions were never kept", async (t) => {
  const s3 = await startServer(t);

  const reply = await s3.get("/bucket?versioning");

  assert.equal(reply.status, 200);
  assert.equal(reply.text, s3Document("VersioningConfiguration", ""));
});

for (const status of ["Enabled", "Suspended"] as const) {
  test(`GetBucketVersioning answers ${status} where it is`, async (t) => {
    const s3 = await startServer(t);
    await s3.setVersioning("bucket", status);

    const { text } = await s3.get("/bucket?versioning");

    assert.equal(text, s3Document("VersioningConfiguration", `<Status>${status}</Status>`));
  });
}

test("GetBucketVersioning refuses a missing bucket with NoSuchBucket", async (t) => {
  const s3 = await startServer(t);

  assertRefused(await s3.get("/missing?versioning"), 404, "NoSuchBucket");
});
