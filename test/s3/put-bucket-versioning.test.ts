import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused, only } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

const PATH = "/bucket?versioning";
const STATUS = (status: string, more = "") =>
  `<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>${status}</Status>${more}</VersioningConfiguration>`;

test("PutBucketVersioning makes a bucket keep versions from then on", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "before");

  const reply = await s3.put(PATH, STATUS("Enabled"));
  await s3.put("/bucket/key", "after");

  assert.equal(reply.status, 200);
  assert.equal(reply.bytes.length, 0);
  assert.equal((await s3.get("/bucket/key?versionId=null")).text, "before");
  assert.equal((await s3.get("/bucket/key")).text, "after");
});

test("PutBucketVersioning that suspends keeps old versions and makes null versions", async (t) => {
  const s3 = await startServer(t);
  await s3.put(PATH, STATUS("Enabled"));
  const versionId = (await s3.put("/bucket/key", "kept")).headers["x-amz-version-id"];

  await s3.put(PATH, STATUS("Suspended"));
  for (const body of ["first null", "second null"]) await s3.put("/bucket/key", body);

  assert.equal((await s3.get("/bucket/key?versionId=null")).text, "second null");
  assert.equal((await s3.get(`/bucket/key?versionId=${versionId}`)).text, "kept");
  assert.equal((await s3.get("/bucket?versions")).text.match(/<Version>/g)?.length, 2);
});

test("PutBucketVersioning takes the same status again, and MFA delete that is disabled", async (t) => {
  const s3 = await startServer(t);
  await s3.put(PATH, STATUS("Enabled"));

  const reply = await s3.put(PATH, STATUS("Enabled", "<MfaDelete>Disabled</MfaDelete>"));

  assert.equal(reply.status, 200);
  assert.equal(only((await s3.get(PATH)).text, "Status"), "Enabled");
});

const EMPTY = "<VersioningConfiguration/>";
const REFUSED = [
  { why: "no status", body: EMPTY, code: "IllegalVersioningConfigurationException" },
  { why: "an unknown status", body: STATUS("On"), code: "MalformedXML" },
  { why: "another document", body: "<Tagging/>", code: "MalformedXML" },
  { why: "no document", body: "", code: "MalformedXML" },
  {
    why: "MFA delete",
    body: STATUS("Enabled", "<MfaDelete>Enabled</MfaDelete>"),
    status: 501,
    code: "NotImplemented",
  },
  {
    why: "a missing bucket",
    path: "/missing?versioning",
    body: STATUS("Enabled"),
    status: 404,
    code: "NoSuchBucket",
  },
];
for (const { why, path = PATH, body, status = 400, code } of REFUSED) {
  test(`PutBucketVersioning refuses ${why} with ${code} and changes nothing`, async (t) => {
    const s3 = await startServer(t);

    assertRefused(await s3.put(path, body), status, code);
    assert.equal(only((await s3.get(PATH)).text, "Status"), undefined);
  });
}
