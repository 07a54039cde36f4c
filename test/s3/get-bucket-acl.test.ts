import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused, s3Document, texts } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

test("GetBucketAcl answers that the owner has full control, in this document", async (t) => {
  const s3 = await startServer(t);

  const { status, text } = await s3.get("/bucket?acl");

  const who = `<ID>${texts(text, "ID")[0]}</ID><DisplayName>${s3.organizationId}</DisplayName>`;
  const grantee = `<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">${who}</Grantee>`;
  assert.equal(status, 200);
  assert.match(texts(text, "ID")[0] ?? "", /^[0-9a-f]{64}$/);
  assert.equal(
    text,
    s3Document(
      "AccessControlPolicy",
      `<Owner>${who}</Owner><AccessControlList><Grant>${grantee}<Permission>FULL_CONTROL</Permission></Grant></AccessControlList>`,
    ),
  );
});

test("GetBucketAcl refuses a missing bucket with NoSuchBucket", async (t) => {
  const s3 = await startServer(t);

  assertRefused(await s3.get("/missing?acl"), 404, "NoSuchBucket");
});
