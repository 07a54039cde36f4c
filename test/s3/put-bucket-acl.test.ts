import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

const PATH = "/bucket?acl";

test("PutBucketAcl takes back the document that is read, which changes nothing", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");
  const { text } = await s3.get(PATH);

  assert.equal((await s3.put(PATH, text)).status, 200);
  assert.equal((await s3.get(PATH)).text, text);
  assert.equal((await s3.get("/bucket/key")).text, "bytes");
});

for (const acl of ["private", "bucket-owner-full-control"]) {
  test(`PutBucketAcl takes the canned ACL ${acl}`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", "bytes");

    assert.equal((await s3.put(PATH, "", { "x-amz-acl": acl })).status, 200);
    assert.equal((await s3.get("/bucket/key")).text, "bytes");
  });
}

const EVERYONE =
  "<AccessControlPolicy><Owner><ID>a</ID></Owner><AccessControlList><Grant><Grantee><URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee><Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>";
const STRANGER =
  "<AccessControlPolicy><Owner><ID>a</ID></Owner><AccessControlList><Grant><Grantee><ID>a</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>";
const NOBODY =
  "<AccessControlPolicy><Owner><ID>a</ID></Owner><AccessControlList/></AccessControlPolicy>";
const REFUSED = [
  {
    why: "a public canned ACL",
    headers: { "x-amz-acl": "public-read" },
    code: "AccessControlListNotSupported",
  },
  {
    why: "the canned ACL of those who write logs",
    headers: { "x-amz-acl": "log-delivery-write" },
    code: "AccessControlListNotSupported",
  },
  {
    why: "a canned ACL that does not exist",
    headers: { "x-amz-acl": "everyone" },
    code: "InvalidArgument",
  },
  {
    why: "a grant in a header",
    headers: { "x-amz-grant-read": "id=a" },
    code: "AccessControlListNotSupported",
  },
  { why: "a list without a grant", body: NOBODY, code: "AccessControlListNotSupported" },
  { why: "a grant to everyone", body: EVERYONE, code: "AccessControlListNotSupported" },
  { why: "a grant to another owner", body: STRANGER, code: "AccessControlListNotSupported" },
  { why: "another document", body: "<Tagging/>", code: "MalformedXML" },
  { why: "a policy without a list", body: "<AccessControlPolicy/>", code: "MalformedACLError" },
  { why: "nothing said", code: "MissingSecurityHeader" },
  {
    why: "a missing bucket",
    path: PATH.replace("bucket", "missing"),
    status: 404,
    code: "NoSuchBucket",
  },
];
for (const { why, path = PATH, headers = {}, body = "", status = 400, code } of REFUSED) {
  test(`PutBucketAcl refuses ${why} with ${code}`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", "bytes");

    const sent: Record<string, string> = { ...headers };
    assertRefused(await s3.put(path, body, sent), status, code);
  });
}
