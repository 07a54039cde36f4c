/** The header x-amz-expiration, which several operations answer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { only } from "#test/s3/xml.ts";
import {
  type ServerOptions,
  START_MS,
  startServer,
  type TestServer,
} from "#test/support/server.ts";

const DAY_MS = 86_400_000;
const RULE = (id: string, filter: string, expiration: string) =>
  `<LifecycleConfiguration><Rule><ID>${id}</ID><Status>Enabled</Status><Filter>${filter}</Filter><Expiration>${expiration}</Expiration></Rule></LifecycleConfiguration>`;
const THREE_DAYS = RULE("logs &amp; more", "<Prefix>logs/</Prefix>", "<Days>3</Days>");
/** The server starts on 2 January 2026, a little after three in the morning. */
const IN_THREE_DAYS = 'expiry-date="Tue, 06 Jan 2026 00:00:00 GMT", rule-id="logs%20%26%20more"';

test("PutObject, GetObject, HeadObject and CopyObject tell when a rule expires the object", async (t) => {
  const s3 = await serverWith({ t, lifecycle: THREE_DAYS });

  const replies = [
    await s3.put("/bucket/logs/a", "bytes"),
    await s3.get("/bucket/logs/a"),
    await s3.get("/bucket/logs/a", { range: "bytes=1-2" }),
    await s3.request({ method: "HEAD", path: "/bucket/logs/a" }),
    await s3.put("/bucket/logs/b", "", { "x-amz-copy-source": "bucket/logs/a" }),
  ];

  for (const { headers, text } of replies) {
    assert.equal(headers["x-amz-expiration"], IN_THREE_DAYS, text);
  }
});

test("CompleteMultipartUpload tells when a rule expires the object", async (t) => {
  const s3 = await serverWith({ t, lifecycle: THREE_DAYS });
  const created = await s3.request({ method: "POST", path: "/bucket/logs/a?uploads" });
  const upload = `/bucket/logs/a?uploadId=${only(created.text, "UploadId")}`;
  const part = await s3.put(`${upload}&partNumber=1`, "bytes");
  const etag = part.headers["etag"];
  const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`;

  const completed = await s3.request({ method: "POST", path: upload, body });

  assert.equal(completed.status, 200, completed.text);
  assert.equal(completed.headers["x-amz-expiration"], IN_THREE_DAYS);
});

test("CreateMultipartUpload and ListParts tell when a rule aborts the upload", async (t) => {
  const abort = (id: string, days: number) =>
    `<Rule><ID>${id}</ID><Status>Enabled</Status><Filter><Prefix>logs/</Prefix></Filter><AbortIncompleteMultipartUpload><DaysAfterInitiation>${days}</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>`;
  const rules = abort("late", 9) + abort("so on", 2);
  const lifecycle = `<LifecycleConfiguration>${rules}</LifecycleConfiguration>`;
  const s3 = await serverWith({ t, lifecycle });
  const create = (key: string) => s3.request({ method: "POST", path: `/bucket/${key}?uploads` });
  const [created, other] = [await create("logs/a"), await create("kept")];
  s3.clock.move(DAY_MS);
  const id = only(created.text, "UploadId");
  const listed = await s3.get(`/bucket/logs/a?uploadId=${id}`);

  for (const { headers, text } of [created, listed]) {
    assert.equal(headers["x-amz-abort-date"], "Mon, 05 Jan 2026 00:00:00 GMT", text);
    assert.equal(headers["x-amz-abort-rule-id"], "so%20on");
  }
  assert.equal(other.headers["x-amz-abort-date"], undefined);
});

test("an object that no rule is about carries no x-amz-expiration", async (t) => {
  const s3 = await serverWith({ t, lifecycle: THREE_DAYS });
  const put = await s3.put("/bucket/kept", "bytes");
  const got = await s3.get("/bucket/kept");

  assert.equal(put.headers["x-amz-expiration"], undefined);
  assert.equal(got.headers["x-amz-expiration"], undefined);
});

test("x-amz-expiration follows the object's tags as they are", async (t) => {
  const filter = "<Tag><Key>k</Key><Value>v</Value></Tag>";
  const s3 = await serverWith({ t, lifecycle: RULE("r", filter, "<Days>1</Days>") });
  const tagged = await s3.put("/bucket/key", "bytes", { "x-amz-tagging": "k=v" });
  await s3.request({ method: "DELETE", path: "/bucket/key?tagging" });
  const untagged = await s3.get("/bucket/key");

  assert.ok(tagged.headers["x-amz-expiration"]?.includes("Sun, 04 Jan 2026 00:00:00 GMT"));
  assert.equal(untagged.headers["x-amz-expiration"], undefined);
});

test("x-amz-expiration follows the rules as they are: replaced, with a date, deleted", async (t) => {
  const s3 = await serverWith({ t, lifecycle: RULE("r", "<Prefix/>", "<Days>1</Days>") });
  const expiration = async () => (await s3.get("/bucket/key")).headers["x-amz-expiration"];
  await s3.put("/bucket/key", "bytes");

  const first = await expiration();
  await s3.put("/bucket?lifecycle", RULE("d", "", "<Date>2026-03-01T00:00:00Z</Date>"));
  const replaced = await expiration();
  await s3.request({ method: "DELETE", path: "/bucket?lifecycle" });

  assert.equal(first, 'expiry-date="Sun, 04 Jan 2026 00:00:00 GMT", rule-id="r"');
  assert.equal(replaced, 'expiry-date="Sun, 01 Mar 2026 00:00:00 GMT", rule-id="d"');
  assert.equal(await expiration(), undefined);
});

test("a version that is named carries no x-amz-expiration, be it the current one", async (t) => {
  const s3 = await serverWith({ t, lifecycle: RULE("r", "<Prefix/>", "<Days>1</Days>") });
  await s3.setVersioning("bucket", "Enabled");
  const ids: (string | undefined)[] = [];
  for (const body of ["old", "new"]) {
    ids.push((await s3.put("/bucket/key", body)).headers["x-amz-version-id"]);
  }

  const [old, current] = await Promise.all(ids.map((id) => s3.get(`/bucket/key?versionId=${id}`)));

  assert.deepEqual([old?.text, current?.text], ["old", "new"]);
  assert.equal(old?.headers["x-amz-expiration"], undefined);
  assert.equal(current?.headers["x-amz-expiration"], undefined);
  const unnamed = await s3.get("/bucket/key");
  assert.ok(unnamed.headers["x-amz-expiration"]?.includes('rule-id="r"'));
});

test("with days of another length x-amz-expiration is when the sweep may take the object", async (t) => {
  const lifecycle = RULE("r", "<Prefix/>", "<Days>2</Days>");
  const s3 = await serverWith({ t, lifecycle, lifecycleDayMs: 10_000 });

  const { headers } = await s3.put("/bucket/key", "bytes");

  const date = new Date(START_MS + 20_000).toUTCString();
  assert.equal(headers["x-amz-expiration"], `expiry-date="${date}", rule-id="r"`);
});

async function serverWith({
  t,
  lifecycle,
  ...options
}: ServerOptions & {
  readonly t: Parameters<typeof startServer>[0];
  readonly lifecycle: string;
}): Promise<TestServer> {
  const s3 = await startServer(t, options);
  const put = await s3.put("/bucket?lifecycle", lifecycle);
  assert.equal(put.status, 200, put.text);
  return s3;
}
