/** What a full quota refuses, and what it does not. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Quota } from "#catalog/quotas.ts";
import { bucketName, newBucketName } from "#object/name.ts";
import { completeUpload, sendPart, startUpload } from "#test/s3/multipart.ts";
import { assertRefused, only } from "#test/s3/xml.ts";
import { OTHER, type Reply, ROOT, type ServerOptions, startServer } from "#test/support/server.ts";

const ZONE = "US-EAST-04A";
const IA = { "x-amz-storage-class": "STANDARD_IA" };
const FULL = "<Message>The account is write suspended.</Message>";

/** A server whose buckets are in one zone, with a quota there. */
async function start(t: TestContext, quota: Partial<Quota> = {}, options: ServerOptions = {}) {
  const s3 = await startServer(t, { region: ZONE, ...options });
  const { quotas } = s3.identities;
  const set = async (given: Partial<Quota>) =>
    await quotas.set(s3.organizationId, {
      ...{ zone: ZONE, storageClass: "STANDARD", bytes: 100 },
      ...given,
    });
  await set(quota);
  const copy = async (path: string, source: string, headers = {}) =>
    await s3.request({
      method: "PUT",
      path,
      headers: { "x-amz-copy-source": source, ...headers },
    });
  const remove = async (path: string) => await s3.request({ method: "DELETE", path });
  return { ...s3, set, copy, remove };
}

function assertSuspended(reply: Reply): void {
  assertRefused(reply, 403, "AccountProblem");
  assert.ok(reply.text.includes(FULL), reply.text);
}

const bytes = (count: number) => "x".repeat(count);

test("a write is refused with the message of a suspended account when it would go over the quota", async (t) => {
  const s3 = await start(t);

  assert.equal((await s3.put("/bucket/a", bytes(60))).status, 200);
  assertSuspended(await s3.put("/bucket/b", bytes(41)));
  assert.equal((await s3.put("/bucket/b", bytes(40))).status, 200);
  assertSuspended(await s3.put("/bucket/c", bytes(1)));
  assert.equal((await s3.put("/bucket/c", "")).status, 200);
});

test("PutObject over the quota is refused before its body is asked for", async (t) => {
  const s3 = await start(t, { bytes: 10 });

  const reply = await s3.request({
    ...{ method: "PUT", path: "/bucket/key", body: bytes(11), expectContinue: true },
  });

  assertSuspended(reply);
  assert.equal(reply.continued, false);
});

test("UploadPart over the quota is refused before its body is asked for; parts count", async (t) => {
  const s3 = await start(t);
  const uploadId = await startUpload(s3, "/bucket/key");
  await sendPart(s3, "/bucket/key", { uploadId, number: 1, body: bytes(90) });

  const query = { partNumber: "2", uploadId };
  const ask = { method: "PUT", path: "/bucket/key", query, expectContinue: true };
  const refused = await s3.request({ ...ask, body: bytes(11) });
  const fits = await s3.request({ ...ask, body: bytes(10) });

  assertSuspended(refused);
  assert.equal(refused.continued, false);
  assert.equal(fits.status, 200);
  assertSuspended(await s3.put("/bucket/other", bytes(1)));
});

test("CopyObject and UploadPartCopy over the quota are refused", async (t) => {
  const s3 = await start(t);
  await s3.put("/bucket/key", bytes(40));
  const path = "/bucket/copied";
  const uploadId = await startUpload(s3, path);
  const query = { partNumber: "1", uploadId };
  const copyPart = async (range: string) =>
    await s3.request({
      ...{ method: "PUT", path, query },
      headers: { "x-amz-copy-source": "bucket/key", "x-amz-copy-source-range": range },
    });

  assert.equal((await s3.copy("/bucket/first", "bucket/key")).status, 200);
  assertSuspended(await s3.copy("/bucket/second", "bucket/key"));
  assertSuspended(await copyPart("bytes=0-20"));
  assert.equal((await copyPart("bytes=0-19")).status, 200);
});

test("CreateMultipartUpload is refused where not a byte fits", async (t) => {
  const s3 = await start(t);
  await s3.put("/bucket/key", bytes(99));
  await startUpload(s3, "/bucket/upload");
  await s3.put("/bucket/key2", bytes(1));

  const reply = await s3.request({ method: "POST", path: "/bucket/upload", query: "uploads" });

  assertSuspended(reply);
});

test("at the quota everything goes on that adds no bytes, the end of an upload too", async (t) => {
  const s3 = await start(t);
  const uploadId = await startUpload(s3, "/bucket/upload");
  const part = await sendPart(s3, "/bucket/upload", { uploadId, number: 1, body: bytes(50) });
  await s3.put("/bucket/key", bytes(50));
  const tagging = "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>";
  const rename = { "x-amz-rename-source": "/key" };

  const replies = [
    await s3.get("/bucket/key"),
    await s3.request({ method: "HEAD", path: "/bucket/key" }),
    await s3.get("/bucket"),
    await s3.request({ method: "PUT", path: "/bucket/key", query: "tagging", body: tagging }),
    await s3.request({ method: "PUT", path: "/bucket/moved?renameObject", headers: rename }),
    await completeUpload(s3, "/bucket/upload", { uploadId, parts: [part] }),
    await s3.remove("/bucket/moved"),
  ];

  assert.deepEqual(
    replies.map(({ status }) => status),
    [200, 200, 200, 200, 200, 200, 204],
  );
  assert.equal((await s3.put("/bucket/next", bytes(50))).status, 200);
});

test("what is deleted, aborted or replaced is given back", async (t) => {
  const s3 = await start(t);
  const path = "/bucket/upload";
  const uploadId = await startUpload(s3, path);
  await sendPart(s3, path, { uploadId, number: 1, body: bytes(50) });
  await sendPart(s3, path, { uploadId, number: 1, body: bytes(10) });
  assert.equal((await s3.put("/bucket/key", bytes(90))).status, 200);

  await s3.request({ method: "DELETE", path, query: { uploadId } });
  assert.equal((await s3.put("/bucket/more", bytes(10))).status, 200);
  await s3.remove("/bucket/key");
  assert.equal((await s3.put("/bucket/key", bytes(90))).status, 200);
});

test("versions that are no longer current count, until they are deleted", async (t) => {
  const s3 = await start(t);
  await s3.setVersioning("bucket", "Enabled");
  const first = await s3.put("/bucket/key", bytes(60));
  await s3.remove("/bucket/key");

  assertSuspended(await s3.put("/bucket/key", bytes(60)));
  await s3.remove(`/bucket/key?versionId=${first.headers["x-amz-version-id"]}`);
  assert.equal((await s3.put("/bucket/key", bytes(60))).status, 200);
});

test("storage classes have quotas of their own; without one there is no end", async (t) => {
  const s3 = await start(t, { storageClass: "STANDARD_IA", bytes: 10 });

  assert.equal((await s3.put("/bucket/standard", bytes(1_000))).status, 200);
  assert.equal((await s3.put("/bucket/archive", bytes(10), IA)).status, 200);
  assertSuspended(await s3.put("/bucket/archive2", bytes(1), IA));
  assertSuspended(await s3.copy("/bucket/archive2", "bucket/standard", IA));
  assert.equal((await s3.put("/bucket/standard2", bytes(1_000))).status, 200);
  await s3.remove("/bucket/archive");
  const upload = await s3.request({
    ...{ method: "POST", path: "/bucket/upload", query: "uploads", headers: IA },
  });
  const uploadId = only(upload.text, "UploadId") ?? "";
  const query = { partNumber: "1", uploadId };
  const part = { method: "PUT", path: "/bucket/upload", query };
  assertSuspended(await s3.request({ ...part, body: bytes(11) }));
  assert.equal((await s3.request({ ...part, body: bytes(10) })).status, 200);
});

test("moving to another class takes room there and gives it back here", async (t) => {
  const s3 = await start(t);
  await s3.set({ storageClass: "STANDARD_IA", bytes: 60 });
  await s3.put("/bucket/key", bytes(60));

  assert.equal((await s3.copy("/bucket/key", "bucket/key", IA)).status, 200);
  assert.equal((await s3.put("/bucket/next", bytes(100))).status, 200);
  assertSuspended(await s3.put("/bucket/archive", bytes(1), IA));
});

test("zones have quotas of their own, and all buckets of a zone share one", async (t) => {
  const s3 = await start(t, {}, { buckets: ["first", "second"] });
  await s3.request({
    ...{ method: "PUT", path: "/elsewhere" },
    body: "<CreateBucketConfiguration><LocationConstraint>constructor</LocationConstraint></CreateBucketConfiguration>",
  });

  assert.equal((await s3.put("/first/key", bytes(60))).status, 200);
  assertSuspended(await s3.put("/second/key", bytes(60)));
  assert.equal((await s3.put("/elsewhere/key", bytes(60))).status, 200);
  await s3.set({ zone: "constructor", bytes: 60 });
  assertSuspended(await s3.put("/elsewhere/more", bytes(1)));
});

test("the quota is that of the organization whose bucket it is", async (t) => {
  const s3 = await start(t, { bytes: 10 });
  await s3.request({ method: "PUT", path: "/others", as: OTHER });
  const policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: "*", Action: "s3:*", Resource: "arn:aws:s3:::*" }],
  });
  await s3.request({ method: "PUT", path: "/bucket", query: "policy", body: policy });

  const own = { method: "PUT", body: bytes(11), as: OTHER };
  assert.equal((await s3.request({ ...own, path: "/others/key" })).status, 200);
  assertSuspended(await s3.request({ ...own, path: "/bucket/key" }));
});

test("a bucket's capacity cap holds for all classes together, and 0 lets nothing in", async (t) => {
  const s3 = await startServer(t, { buckets: ["first", "second"] });
  const cap = async (capacityCapBytes: number | undefined) =>
    await s3.catalog.changeControlSettings(
      await s3.catalog.bucket(bucketName("first")),
      (before) => ({ ...before, capacityCapBytes }),
    );
  await cap(100);

  assert.equal((await s3.put("/first/a", bytes(60))).status, 200);
  assertSuspended(await s3.put("/first/b", bytes(41), IA));
  assert.equal((await s3.put("/first/b", bytes(40), IA)).status, 200);
  assert.equal((await s3.put("/second/a", bytes(200))).status, 200);
  await cap(0);
  await s3.request({ method: "DELETE", path: "/first/a" });
  await s3.request({ method: "DELETE", path: "/first/b" });
  assertSuspended(await s3.put("/first/a", bytes(1)));
  assertSuspended(await s3.request({ method: "POST", path: "/first/a", query: "uploads" }));
  await cap(undefined);
  assert.equal((await s3.put("/first/a", bytes(1))).status, 200);
});

test("a quota below what is there refuses bytes and nothing else; without it there is no end again", async (t) => {
  const s3 = await start(t);
  await s3.put("/bucket/key", bytes(100));
  await s3.set({ bytes: 0 });

  assertSuspended(await s3.put("/bucket/key", bytes(1)));
  assert.equal((await s3.remove("/bucket/key")).status, 204);
  await s3.identities.quotas.delete(s3.organizationId, { zone: ZONE, storageClass: "STANDARD" });
  assert.equal((await s3.put("/bucket/key", bytes(1_000))).status, 200);
});

test("of writes at the same moment only those get in that fit, and they leave the quota full", async (t) => {
  for (const size of [10, 20]) {
    const s3 = await start(t);
    // Each body comes a while after its request was let in.
    const writes = Array.from({ length: 40 }, (_, at) =>
      s3.request({
        ...{ method: "PUT", path: `/bucket/${at}`, body: bytes(size), expectContinue: true },
      }),
    );
    const replies = await Promise.all(writes);

    const done = replies.filter(({ status }) => status === 200);
    assert.equal(done.length, 100 / size);
    for (const reply of replies) if (reply.status !== 200) assertSuspended(reply);
  }
});

test("of parts at the same moment only those get in that fit", async (t) => {
  const s3 = await start(t);
  const path = "/bucket/upload";
  const uploadId = await startUpload(s3, path);
  const parts = Array.from({ length: 40 }, (_, at) =>
    s3.request({
      ...{ method: "PUT", path, query: { partNumber: String(at + 1), uploadId } },
      ...{ body: bytes(20), expectContinue: true },
    }),
  );

  const replies = await Promise.all(parts);

  assert.equal(replies.filter(({ status }) => status === 200).length, 5);
  for (const reply of replies) if (reply.status !== 200) assertSuspended(reply);
});

test("an organization has at most 1,000 buckets, of which each can be made again", async (t) => {
  const s3 = await startServer(t, { buckets: [] });
  const owner = { id: s3.organizationId, region: ZONE };
  for (let number = 1; number <= 1_000; number += 1) {
    await s3.catalog.create(newBucketName(`bucket-${number}`), owner);
  }
  const create = async (path: string, as = ROOT) =>
    await s3.request({
      ...{ method: "PUT", path, as },
      body: `<CreateBucketConfiguration><LocationConstraint>${ZONE}</LocationConstraint></CreateBucketConfiguration>`,
    });

  assertRefused(await create("/bucket-1001"), 400, "TooManyBuckets");
  assert.equal((await create("/bucket-7")).status, 200);
  assert.equal((await create("/bucket-1001", OTHER)).status, 200);
  for (const path of ["/bucket-7", "/bucket-8", "/bucket-9"]) {
    await s3.request({ method: "DELETE", path });
  }
  const racing = Array.from({ length: 10 }, (_, at) => create(`/bucket-more-${at}`));
  const statuses = (await Promise.all(racing)).map(({ status }) => status);
  assert.equal(statuses.filter((status) => status === 200).length, 3, statuses.join());
});
