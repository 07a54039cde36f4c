import assert from "node:assert/strict";
import { test } from "node:test";
import { uploadWhole } from "#test/s3/multipart.ts";
import { assertRefused, only, texts } from "#test/s3/xml.ts";
import { type Reply, startServer, type TestServer } from "#test/support/server.ts";

type Headers = Readonly<Record<string, string>>;

async function rename(s3: TestServer, source: string, headers: Headers = {}): Promise<Reply> {
  return await s3.put("/bucket/new?renameObject", "", {
    "x-amz-rename-source": source,
    ...headers,
  });
}

test("RenameObject moves the object with all that is known of it, its time too", async (t) => {
  const s3 = await startServer(t);
  const said = {
    "x-amz-meta-a": "1",
    "x-amz-tagging": "t=1",
    "x-amz-storage-class": "STANDARD_IA",
  };
  const put = await s3.put("/bucket/old", "123456789", said);
  s3.clock.move(60_000);

  const reply = await rename(s3, "/bucket/old");

  assert.equal(reply.status, 200);
  assert.equal(reply.bytes.length, 0);
  assert.equal(reply.headers["etag"], put.headers["etag"]);
  const { text, headers } = await s3.get("/bucket/new");
  assert.equal(text, "123456789");
  assert.equal(headers["last-modified"], "Fri, 02 Jan 2026 03:04:05 GMT");
  assert.equal(headers["x-amz-meta-a"], "1");
  assert.equal(headers["x-amz-tagging-count"], "1");
  assert.equal(headers["x-amz-storage-class"], "STANDARD_IA");
  assert.deepEqual(texts((await s3.get("/bucket")).text, "Key"), ["new"]);
});

test("RenameObject takes renameObject= as well, as presigned requests send it", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/old", "bytes");

  const reply = await s3.request({
    ...{ method: "PUT", path: "/bucket/new", query: "renameObject=" },
    ...{ headers: { "x-amz-rename-source": "bucket/old" }, sign: { presignedSeconds: 60 } },
  });

  assert.equal(reply.status, 200);
  assert.equal((await s3.get("/bucket/new")).text, "bytes");
});

for (const body of ["", "short", "long enough to be a blob of its own"]) {
  test(`RenameObject replaces the object at its destination by "${body}"`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/old", body);
    await s3.put("/bucket/new", "what was there before, a blob as well");

    await rename(s3, "/bucket/old");

    assert.equal((await s3.get("/bucket/new")).text, body);
    assertRefused(await s3.get("/bucket/old"), 404, "NoSuchKey");
  });
}

test("RenameObject moves an object that was uploaded in parts", async (t) => {
  const s3 = await startServer(t);
  await uploadWhole(s3, "/bucket/old", ["first", "second"]);

  await rename(s3, "/bucket/old");

  assert.equal((await s3.get("/bucket/new?partNumber=2")).text, "second");
});

test("RenameObject of an object to its own name changes nothing", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/new", "bytes");

  assert.equal((await rename(s3, "/bucket/new")).status, 200);
  assert.equal((await s3.get("/bucket/new")).text, "bytes");
});

const raw = (text: string) => Buffer.from(text).toString("latin1");
const SOURCES: readonly (readonly [path: string, source: string])[] = [
  ["/bucket/a%20b", "/bucket/a%20b"],
  ["/bucket/a%20b", "bucket/a b"],
  ["/bucket/a%20b", "a b"],
  ["/bucket/%C3%A9%F0%9F%98%80", raw("bucket/é😀")],
  ["/bucket/100%25", "bucket/100%"],
  ["/bucket/a%2525", "/bucket/a%25"],
  ["/bucket/bucket/x", "/bucket/bucket/x"],
  ["/bucket/bucket/x", "bucket/x"],
];
for (const [path, source] of SOURCES) {
  test(`RenameObject finds ${path} by the source ${source}`, async (t) => {
    const s3 = await startServer(t);
    await s3.put(path, "bytes");

    assert.equal((await rename(s3, source)).status, 200);
    assert.equal((await s3.get("/bucket/new")).text, "bytes");
    assertRefused(await s3.get(path), 404, "NoSuchKey");
  });
}

test("RenameObject prefers the decoded reading of the source", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/a%20b", "decoded");
  await s3.put("/bucket/a%2520b", "as it stands");

  await rename(s3, "/bucket/a%20b");

  assert.equal((await s3.get("/bucket/new")).text, "decoded");
  assert.equal((await s3.get("/bucket/a%2520b")).text, "as it stands");
});

const SAME = '"25f9e794323b453885f5181f1b624d0b"';
const BEFORE = "Fri, 02 Jan 2026 03:04:04 GMT";
const AFTER = "Fri, 02 Jan 2026 03:04:06 GMT";
const IF = "x-amz-rename-source-if-";
/** Of source and destination, which are both "123456789" of 03:04:05; `missing`: no destination. */
const CONDITIONS: readonly { headers: Headers; status: 200 | 412; missing?: boolean }[] = [
  { headers: { [`${IF}match`]: SAME }, status: 200 },
  { headers: { [`${IF}match`]: '"other"' }, status: 412 },
  { headers: { [`${IF}none-match`]: SAME }, status: 412 },
  { headers: { [`${IF}none-match`]: '"other"' }, status: 200 },
  { headers: { [`${IF}modified-since`]: BEFORE }, status: 200 },
  { headers: { [`${IF}modified-since`]: AFTER }, status: 412 },
  { headers: { [`${IF}unmodified-since`]: AFTER }, status: 200 },
  { headers: { [`${IF}unmodified-since`]: BEFORE }, status: 412 },
  { headers: { "if-none-match": "*" }, status: 412 },
  { headers: { "if-none-match": "*" }, status: 200, missing: true },
  { headers: { "if-none-match": SAME }, status: 412 },
  { headers: { "if-none-match": '"other"' }, status: 200 },
  { headers: { "if-match": SAME }, status: 200 },
  { headers: { "if-match": '"other"' }, status: 412 },
  { headers: { "if-match": SAME }, status: 412, missing: true },
  { headers: { "if-modified-since": AFTER }, status: 412 },
  { headers: { "if-unmodified-since": BEFORE }, status: 412 },
  { headers: { "if-unmodified-since": AFTER }, status: 200 },
];
for (const { headers, status, missing = false } of CONDITIONS) {
  const [shown] = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  test(`RenameObject with ${shown} ${missing ? "to a new key" : "over an object"} answers ${status}`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/old", "123456789");
    if (!missing) await s3.put("/bucket/new", "123456789");
    s3.clock.move(1_000);

    const reply = await rename(s3, "/bucket/old", headers);

    assert.deepEqual(
      [reply.status, reply.code],
      [status, status === 412 ? "PreconditionFailed" : undefined],
    );
    assert.equal((await s3.get("/bucket/old")).status, status === 412 ? 200 : 404);
  });
}

test("RenameObject with a client token answers a repeated request as the first", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/old", "bytes");
  const token = { "x-amz-client-token": "0f8fad5b-d9cb-469f-a165-70867728950e" };

  const first = await rename(s3, "/bucket/old", token);
  const again = await rename(s3, "/bucket/old", token);

  assert.equal(first.status, 200);
  assert.equal(again.status, 200);
  assert.equal(again.headers["etag"], first.headers["etag"]);
});

test("RenameObject refuses a client token that named another rename", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/old", "bytes");
  await s3.put("/bucket/other", "bytes");
  const token = { "x-amz-client-token": "token" };
  await rename(s3, "/bucket/old", token);

  const reply = await rename(s3, "/bucket/other", token);

  assertRefused(reply, 400, "IdempotencyParameterMismatch");
  assert.equal((await s3.get("/bucket/other")).text, "bytes");
});

for (const status of ["Enabled", "Suspended"] as const) {
  test(`RenameObject refuses a bucket whose versioning is ${status} with InvalidBucketState`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/old", "bytes");
    await s3.setVersioning("bucket", status);

    assertRefused(await rename(s3, "/bucket/old"), 409, "InvalidBucketState");
    assert.equal((await s3.get("/bucket/old")).text, "bytes");
  });
}

const REFUSED: readonly { source: string; headers?: Headers; status?: number; code: string }[] = [
  { source: "/bucket/missing", status: 404, code: "NoSuchKey" },
  { source: "/other/key", code: "InvalidRequest" },
  { source: "", code: "InvalidArgument" },
  { source: "/", code: "InvalidArgument" },
  { source: `/bucket/${"k".repeat(1_025)}`, code: "KeyTooLongError" },
  {
    source: "/bucket/old",
    headers: { "x-amz-client-token": "t".repeat(65) },
    code: "InvalidArgument",
  },
  {
    source: "/bucket/old",
    headers: { "x-amz-expected-bucket-owner": "1" },
    status: 403,
    code: "AccessDenied",
  },
];
for (const { source, headers = {}, status = 400, code } of REFUSED) {
  test(`RenameObject refuses the source "${source.slice(0, 30)}" ${Object.keys(headers)} with ${code}`, async (t) => {
    const s3 = await startServer(t, { buckets: ["bucket", "other"] });
    await s3.put("/bucket/old", "bytes");
    await s3.put("/other/key", "bytes");
    await s3.put("/bucket/new", "before");

    assertRefused(await rename(s3, source, headers), status, code);
    assert.equal((await s3.get("/bucket/new")).text, "before");
  });
}

test("RenameObject refuses a request that names no source, and never empties the destination", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/new", "before");

  const reply = await s3.put("/bucket/new?renameObject", "");

  assertRefused(reply, 400, "InvalidArgument");
  assert.equal(only(reply.text, "ArgumentName"), "x-amz-rename-source");
  assert.equal((await s3.get("/bucket/new")).text, "before");
});
