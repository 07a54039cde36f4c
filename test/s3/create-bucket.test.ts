import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused, only, s3Document } from "#test/s3/xml.ts";
import { OTHER, startServer } from "#test/support/server.ts";

const LOCATION = (region: string) =>
  `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>${region}</LocationConstraint></CreateBucketConfiguration>`;

test("CreateBucket makes a bucket and names its location", async (t) => {
  const s3 = await startServer(t, { buckets: [] });

  const reply = await s3.put("/new-bucket", "");

  assert.equal(reply.status, 200);
  assert.equal(reply.headers["location"], "/new-bucket");
  assert.equal(reply.headers["x-amz-bucket-arn"], "arn:aws:s3:::new-bucket");
  assert.equal(reply.headers["content-length"], "0");
  assert.equal((await s3.get("/new-bucket")).status, 200);
});

test("CreateBucket takes the name with a slash behind it", async (t) => {
  const s3 = await startServer(t, { buckets: [] });

  assert.equal((await s3.put("/new-bucket/", "")).status, 200);
});

test("CreateBucket takes a name from the host", async (t) => {
  const s3 = await startServer(t, { buckets: [] });

  const reply = await s3.put("/", "", { host: "new-bucket.localhost" });

  assert.equal(reply.status, 200);
  assert.equal((await s3.get("/new-bucket")).status, 200);
});

test("CreateBucket succeeds again for the owner of the bucket and keeps its objects", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");

  const reply = await s3.put("/bucket", "");

  assert.equal(reply.status, 200);
  assert.equal((await s3.get("/bucket/key")).text, "bytes");
});

test("CreateBucket refuses the same name in another region with BucketAlreadyOwnedByYou", async (t) => {
  const s3 = await startServer(t);

  const reply = await s3.put("/bucket", LOCATION("eu-west-9"));

  assertRefused(reply, 409, "BucketAlreadyOwnedByYou");
  assert.equal(only(reply.text, "BucketName"), "bucket");
});

test("CreateBucket refuses another owner's name with BucketAlreadyExists", async (t) => {
  const s3 = await startServer(t);

  const reply = await s3.request({ method: "PUT", path: "/bucket", as: OTHER });

  assertRefused(reply, 409, "BucketAlreadyExists");
});

test("CreateBucket gives one of two owners at once the name", async (t) => {
  const s3 = await startServer(t, { buckets: [] });
  const ask = { method: "PUT", path: "/contended" };

  const replies = await Promise.all([s3.request(ask), s3.request({ ...ask, as: OTHER })]);

  assert.deepEqual(replies.map(({ status }) => status).sort(), [200, 409]);
});

const LONGEST = "a".repeat(63);
for (const name of ["abc", "0-0", "a--b", "xn-a", "cwa", "int1", "1int", LONGEST]) {
  test(`CreateBucket accepts the name ${name}`, async (t) => {
    const s3 = await startServer(t, { buckets: [] });

    assert.equal((await s3.put(`/${name}`, "")).status, 200);
  });
}

const INVALID = ["ab", `${LONGEST}a`, "-abc", "abc-", "a.b", "Abc", "a_b", "a%20b", "%C3%A4bc"];
const RESERVED = ["xn--abc", "cw-abc", "vip-abc", "log-stitcher-ch-1", "int"];
for (const name of [...INVALID, ...RESERVED, "192.168.5.4"]) {
  test(`CreateBucket refuses the name ${name} with InvalidBucketName`, async (t) => {
    const s3 = await startServer(t, { buckets: [] });

    assertRefused(await s3.put(`/${name}`, ""), 400, "InvalidBucketName");
  });
}

test("CreateBucket puts the bucket where LocationConstraint says", async (t) => {
  const s3 = await startServer(t, { buckets: [] });

  await s3.put("/new-bucket", LOCATION("US-EAST-04A"));

  const { headers } = await s3.request({ method: "HEAD", path: "/new-bucket" });
  assert.equal(headers["x-amz-bucket-region"], "US-EAST-04A");
});

test("CreateBucket without LocationConstraint uses the server's region", async (t) => {
  const s3 = await startServer(t, { buckets: [], region: "here-1" });

  await s3.put("/new-bucket", "<CreateBucketConfiguration/>");

  const { headers } = await s3.request({ method: "HEAD", path: "/new-bucket" });
  assert.equal(headers["x-amz-bucket-region"], "here-1");
});

test("CreateBucket demands LocationConstraint where the server is strict about it", async (t) => {
  const s3 = await startServer(t, { buckets: [], strictLocation: true });

  assertRefused(await s3.put("/new-bucket", ""), 400, "InvalidLocationConstraint");
  assert.equal((await s3.put("/new-bucket", LOCATION("US-EAST-04A"))).status, 200);
});

const TAGS = (tags: string) =>
  `<CreateBucketConfiguration><Tags>${tags}</Tags></CreateBucketConfiguration>`;
const TAG = (key: string, value: string) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`;
const FIFTY_ONE = Array.from({ length: 51 }, (_, index) => TAG(`k${index}`, "v")).join("");

test("CreateBucket gives the bucket the tags that it asks for", async (t) => {
  const s3 = await startServer(t, { buckets: [] });

  assert.equal((await s3.put("/new-bucket", TAGS(TAG("b", "x y") + TAG("a", "")))).status, 200);

  const tags = s3Document("Tagging", `<TagSet>${TAG("a", "")}${TAG("b", "x y")}</TagSet>`);
  assert.equal((await s3.get("/new-bucket?tagging")).text, tags);
});

test("CreateBucket with tags needs the permission to tag too", async (t) => {
  const s3 = await startServer(t, { buckets: [] });
  const statement = {
    ...{ name: "untagged", effect: "Deny", principals: ["*"] },
    ...{ actions: ["s3:PutBucketTagging"], resources: ["*"] },
  };
  const policy = { version: "v1alpha1", name: "untagged", statements: [statement] };
  await s3.identities.policies.ensure(s3.organizationId, JSON.stringify(policy));

  assertRefused(await s3.put("/new-bucket", TAGS(TAG("a", "1"))), 403, "AccessDenied");
  assert.equal((await s3.put("/new-bucket", TAGS(""))).status, 403);
  assert.equal((await s3.put("/new-bucket", "")).status, 200);
});

test("CreateBucket succeeds again with the same tags, and refuses others with BucketAlreadyOwnedByYou", async (t) => {
  const s3 = await startServer(t, { buckets: [] });
  await s3.put("/new-bucket", TAGS(TAG("a", "1")));

  assert.equal((await s3.put("/new-bucket", TAGS(TAG("a", "1")))).status, 200);
  assert.equal((await s3.put("/new-bucket", "")).status, 200);
  const refused = await s3.put("/new-bucket", TAGS(TAG("a", "2")));
  assertRefused(refused, 409, "BucketAlreadyOwnedByYou");
  assert.equal(only((await s3.get("/new-bucket?tagging")).text, "Value"), "1");
});

test("CreateBucket takes the ownership that every bucket has", async (t) => {
  const s3 = await startServer(t, { buckets: [] });

  const headers = { "x-amz-object-ownership": "BucketOwnerEnforced" };
  assert.equal((await s3.put("/new-bucket", "", headers)).status, 200);
});

const REFUSED = [
  { why: "fifty-one tags", body: TAGS(FIFTY_ONE), code: "BadRequest" },
  { why: "a tag twice", body: TAGS(TAG("a", "1").repeat(2)), code: "InvalidTag" },
  { why: "a tag without a value", body: TAGS("<Tag><Key>a</Key></Tag>"), code: "MalformedXML" },
  {
    why: "a directory bucket",
    body: "<CreateBucketConfiguration><Bucket><Type>Directory</Type></Bucket></CreateBucketConfiguration>",
    status: 501,
    code: "NotImplemented",
  },
  { why: "a malformed region", body: LOCATION("no such place"), code: "InvalidLocationConstraint" },
  { why: "another document", body: "<Tagging/>", code: "MalformedXML" },
  { why: "a truncated document", body: "<CreateBucketConfiguration>", code: "MalformedXML" },
  {
    why: "a document type",
    body: "<!DOCTYPE x><CreateBucketConfiguration/>",
    code: "MalformedXML",
  },
  { why: "an unknown ACL", headers: { "x-amz-acl": "everyone" }, code: "InvalidArgument" },
  {
    why: "a public ACL",
    headers: { "x-amz-acl": "public-read" },
    code: "InvalidBucketAclWithObjectOwnership",
  },
  {
    why: "a grant in a header",
    headers: { "x-amz-grant-read": "id=a" },
    code: "InvalidBucketAclWithObjectOwnership",
  },
  {
    why: "the ownership ObjectWriter",
    headers: { "x-amz-object-ownership": "ObjectWriter" },
    status: 501,
    code: "NotImplemented",
  },
  {
    why: "the ownership BucketOwnerPreferred",
    headers: { "x-amz-object-ownership": "BucketOwnerPreferred" },
    status: 501,
    code: "NotImplemented",
  },
  {
    why: "an unknown ownership",
    headers: { "x-amz-object-ownership": "Everyone" },
    code: "InvalidArgument",
  },
  {
    why: "object lock",
    headers: { "x-amz-bucket-object-lock-enabled": "true" },
    status: 501,
    code: "NotImplemented",
  },
];
for (const { why, body = "", headers = {}, status = 400, code } of REFUSED) {
  test(`CreateBucket refuses ${why} with ${code} and makes nothing`, async (t) => {
    const s3 = await startServer(t, { buckets: [] });

    const sent: Record<string, string> = { ...headers };
    assertRefused(await s3.put("/new-bucket", body, sent), status, code);
    assertRefused(await s3.get("/new-bucket"), 404, "NoSuchBucket");
  });
}

test("CreateBucket takes the zones that were named, in upper or lower case, and no others", async (t) => {
  const s3 = await startServer(t, { buckets: [] });
  await s3.catalog.zones.create("US-EAST-04A");

  assert.equal((await s3.put("/new-bucket", LOCATION("us-east-04a"))).status, 200);
  assert.match((await s3.get("/new-bucket?location")).text, />US-EAST-04A</);
  assert.equal(
    (await s3.put("/new-bucket", LOCATION("US-EAST-04A"))).status,
    200,
    "the same again",
  );
  const refused = await s3.put("/other-bucket", LOCATION("US-WEST-01A"));
  assertRefused(refused, 400, "InvalidLocationConstraint");
  assertRefused(await s3.put("/other-bucket", ""), 400, "InvalidLocationConstraint");
});

test("CreateBucket names the ownership that there is none of", async (t) => {
  const s3 = await startServer(t, { buckets: [] });

  const headers = { "x-amz-object-ownership": "Everyone" };
  const refused = await s3.put("/new-bucket", "", headers);

  const message = "Invalid x-amz-object-ownership header: Everyone";
  assert.equal(only(refused.text, "Message"), message);
});

test("CreateBucket takes the ACL private", async (t) => {
  const s3 = await startServer(t, { buckets: [] });

  assert.equal((await s3.put("/new-bucket", "", { "x-amz-acl": "private" })).status, 200);
});

test("CreateBucket refuses a document that is not what Content-MD5 says with BadDigest", async (t) => {
  const s3 = await startServer(t, { buckets: [] });
  const headers = { "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==" };

  assertRefused(await s3.put("/new-bucket", LOCATION("eu-1"), headers), 400, "BadDigest");
});

for (const query of ["acl", "foo", "policy=", "versioning", "tagging=x"]) {
  test(`CreateBucket is not what PUT ?${query} means`, async (t) => {
    const s3 = await startServer(t, { buckets: [] });

    const reply = await s3.request({ method: "PUT", path: "/new-bucket", query });

    assert.ok(reply.status >= 400);
    assertRefused(await s3.get("/new-bucket"), 404, "NoSuchBucket");
  });
}
