/** Requests held to rates, of principals and of buckets. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Rates } from "#catalog/organization-limits.ts";
import { bucketName } from "#object/name.ts";
import { assertRefused } from "#test/s3/xml.ts";
import { OTHER, type Reply, STRANGER, startServer } from "#test/support/server.ts";

async function start(t: TestContext, rates: { principal?: Rates; bucket?: Rates }) {
  const s3 = await startServer(t, { buckets: ["bucket", "other"] });
  await s3.put("/bucket/key", "0123456789");
  if (rates.principal !== undefined) {
    await s3.identities.quotas.setPrincipalRates(s3.organizationId, rates.principal);
  }
  const bucketRates = rates.bucket;
  if (bucketRates !== undefined) {
    const bucket = await s3.catalog.bucket(bucketName("bucket"));
    await s3.catalog.changeControlSettings(bucket, (before) => ({ ...before, rates: bucketRates }));
  }
  return s3;
}

function assertSlowed(reply: Reply, retryAfter: string): void {
  assertRefused(reply, 503, "SlowDown");
  assert.equal(reply.headers["retry-after"], retryAfter);
}

test("a principal's requests over its rate are answered SlowDown with Retry-After, whatever they ask", async (t) => {
  const s3 = await start(t, { principal: { requestsPerSecond: 2 } });

  assert.equal((await s3.get("/bucket/key")).status, 200);
  assert.equal((await s3.get("/")).status, 200);
  assertSlowed(await s3.get("/bucket/key"), "1");
  assertSlowed(await s3.get("/other"), "1");
  assertSlowed(await s3.put("/other/key", "x"), "1");
  s3.clock.move(500);
  assert.equal((await s3.get("/bucket/key")).status, 200);
});

test("each principal has the rate for itself", async (t) => {
  const s3 = await start(t, { principal: { requestsPerSecond: 1 } });
  const policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Principal: "*", Action: "s3:*", Resource: "arn:aws:s3:::bucket/*" },
    ],
  });
  await s3.request({ method: "PUT", path: "/bucket", query: "policy", body: policy });
  const ask = async (as?: typeof OTHER) =>
    (await s3.request({ path: "/bucket/key", ...(as === undefined ? {} : { as }) })).status;

  assert.deepEqual([await ask(), await ask(OTHER), await ask(OTHER)], [503, 200, 200]);
});

test("a bucket's rate is for all its callers together, strangers and anonymous ones too", async (t) => {
  const s3 = await start(t, { bucket: { requestsPerSecond: 3 } });
  const policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Principal: "*", Action: "s3:*", Resource: "arn:aws:s3:::bucket/*" },
    ],
  });
  await s3.request({ method: "PUT", path: "/bucket", query: "policy", body: policy });

  assert.equal((await s3.request({ path: "/bucket/key", as: OTHER })).status, 200);
  assert.equal((await s3.request({ path: "/bucket/key", sign: false })).status, 200);
  assertSlowed(await s3.request({ path: "/bucket/key", sign: false }), "1");
  assertSlowed(await s3.get("/bucket/key"), "1");
  assert.equal((await s3.get("/other")).status, 200);
});

test("who is not allowed to takes nothing of a bucket's rate", async (t) => {
  const s3 = await start(t, { bucket: { requestsPerSecond: 1 } });

  for (let again = 0; again < 5; again += 1) {
    const reply = await s3.request({ path: "/bucket/key", as: STRANGER });
    assertRefused(reply, 403, "AccessDenied");
  }
  assert.equal((await s3.get("/bucket/key")).status, 200);
});

test("bodies both ways are paid for before the next request", async (t) => {
  const s3 = await start(t, { bucket: { bytesPerSecond: 10 } });

  assert.equal((await s3.put("/bucket/large", "x".repeat(45))).status, 200);
  assertSlowed(await s3.get("/bucket/key"), "4");
  s3.clock.move(4_500);
  assert.equal((await s3.get("/bucket/large")).status, 200);
  assertSlowed(await s3.request({ method: "HEAD", path: "/bucket/key" }).then(withCode), "4");
  s3.clock.move(4_500);
  assert.equal((await s3.request({ method: "HEAD", path: "/bucket/large" })).status, 200);
  assert.equal((await s3.get("/bucket/key")).status, 200, "a HEAD has no body to pay for");
});

test("a body that would come over the rate is not asked for", async (t) => {
  const s3 = await start(t, { principal: { requestsPerSecond: 1 } });
  await s3.get("/bucket/key");

  const reply = await s3.request({
    ...{ method: "PUT", path: "/bucket/key", body: "x", expectContinue: true },
  });

  assertSlowed(reply, "1");
  assert.equal(reply.continued, false);
});

/** A refused HEAD has no document. */
function withCode(reply: Reply): Reply {
  return { ...reply, code: reply.status === 503 ? "SlowDown" : undefined };
}

test("a copy counts at the bucket that it reads, too", async (t) => {
  const s3 = await start(t, { bucket: { requestsPerSecond: 1 } });
  const copy = async () => await s3.put("/other/copy", "", { "x-amz-copy-source": "bucket/key" });

  assert.equal((await copy()).status, 200);
  assertSlowed(await copy(), "1");
});
