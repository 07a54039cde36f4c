import assert from "node:assert/strict";
import { test } from "node:test";
import { sweepAll } from "#job/lifecycle.ts";
import type { BucketPlace } from "#job/lifecycle-page.ts";
import { type Preview, type Previewed, previewPage } from "#job/lifecycle-preview.ts";
import type { Bucket } from "#object/bucket.ts";
import type { Engine } from "#object/engine.ts";
import { abort, countOf, DAYS, noncurrent, rule, startSweeping } from "#test/job/ruled-bucket.ts";

test("a preview names what a sweep would remove, by which rule, and removes nothing", async () => {
  const { job, moveDays, bucket } = startSweeping();
  const rules =
    rule(DAYS, { id: "days", filter: "<Prefix>old/</Prefix>" }) +
    rule(noncurrent(1), { id: "noncurrent" }) +
    rule(abort(1), { id: "abort" });
  const s3 = await bucket("bucket", rules, "Enabled");
  await s3.put("old/a");
  const replaced = await s3.put("new/b");
  await s3.put("new/b");
  const spent = await s3.remove("old/c");
  await s3.upload("new/d");
  moveDays(3);
  const before = { versions: await s3.versions(), uploads: await s3.uploads() };

  const previewed = await previewAll(job, s3.bucket);

  const shown = previewed.map(({ action, key, versionId, ruleId }) => ({
    ...{ action, key, versionId, ruleId },
  }));
  assert.deepEqual(shown, [
    {
      ...{ action: "noncurrent", key: "new/b", versionId: replaced.versionId },
      ruleId: "noncurrent",
    },
    { action: "markers", key: "old/c", versionId: spent.versionId, ruleId: "days" },
    { action: "expired", key: "old/a", versionId: undefined, ruleId: "days" },
    { action: "uploads", key: "new/d", versionId: undefined, ruleId: "abort" },
  ]);
  assert.match(previewed[3]?.uploadId ?? "", /^[0-9a-f]{32}$/);
  assert.deepEqual({ versions: await s3.versions(), uploads: await s3.uploads() }, before);
});

test("a sweep does as many things as the preview before it named", async () => {
  const { job, moveDays, bucket } = startSweeping();
  const s3 = await bucket("bucket", rule(DAYS + noncurrent(1, 2) + abort(1)), "Enabled");
  for (let number = 0; number < 1_300; number += 1) await s3.put(`${number % 7}/${number % 10}`);
  for (let number = 0; number < 20; number += 1) await s3.upload(`${number}`);
  moveDays(3);

  const previewed = await previewAll(job, s3.bucket);
  await sweepAll(job);

  for (const action of ["expired", "noncurrent", "uploads"] as const) {
    const named = previewed.filter((each) => each.action === action).length;
    assert.ok(named > 0);
    assert.equal(await countOf(job.metrics.actions, action), named, action);
  }
});

test("a page of a preview reads one page of the bucket", async () => {
  const { job, moveDays, bucket } = startSweeping();
  const s3 = await bucket("bucket", rule(DAYS));
  for (let number = 0; number < 1_200; number += 1) await s3.put(`${number}`);
  moveDays(3);
  let pages = 0;
  const engine = new Proxy(job.engine, {
    get: (target, name: keyof Engine) => {
      if (name === "list") pages += 1;
      return target[name].bind(target);
    },
  });
  const place = { step: "current", after: "" } as const;

  const { due, examined, next } = await previewPage({ ...job, engine }, s3.bucket, place);

  assert.deepEqual({ due: due.length, examined, pages }, { due: 500, examined: 500, pages: 1 });
  assert.equal(next?.step, "current");
});

test("a preview of a bucket without rules names nothing", async () => {
  const { job, bucket } = startSweeping();
  const s3 = await bucket("bucket", "");
  await s3.put("a");

  assert.deepEqual(await previewAll(job, s3.bucket), []);
});

async function previewAll(preview: Preview, bucket: Bucket): Promise<Previewed[]> {
  const all: Previewed[] = [];
  let place: BucketPlace | undefined;
  do {
    const { due, next } = await previewPage(preview, bucket, place);
    all.push(...due);
    place = next;
  } while (place !== undefined);
  return all;
}
