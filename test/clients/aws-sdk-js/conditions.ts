import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import {
  CopyObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import type { Door } from "#test/clients/aws-sdk-js/door.ts";
import { refused, refusedBare } from "#test/clients/aws-sdk-js/refused.ts";

export async function conditions(t: TestContext, door: Door): Promise<void> {
  await writes(t, door);
  await reads(t, door);
  await race(t, door);
}

async function writes(t: TestContext, { s3, bucket: Bucket }: Door): Promise<void> {
  await t.test("If-None-Match: * creates a key once", async () => {
    const ask = { Bucket, Key: "once", IfNoneMatch: "*" };
    await s3.send(new PutObjectCommand({ ...ask, Body: "first" }));
    const second = s3.send(new PutObjectCommand({ ...ask, Body: "second" }));
    await refused(second, "PreconditionFailed", 412);
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: "once" }));
    assert.equal(await got.Body?.transformToString(), "first");
  });

  await t.test("If-Match replaces the version that was read and no other", async () => {
    const Key = "replaced";
    const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key, Body: "one" }));
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: "two", IfMatch: ETag }));
    const stale = s3.send(new PutObjectCommand({ Bucket, Key, Body: "three", IfMatch: ETag }));
    await refused(stale, "PreconditionFailed", 412);
    const absent = { Bucket, Key: "never written", Body: "four", IfMatch: ETag };
    await refused(s3.send(new PutObjectCommand(absent)), "NoSuchKey", 404);
  });

  await t.test("CopyObject holds the conditions on its source", async () => {
    const Key = "source";
    const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key, Body: "source" }));
    const copy = { Bucket, Key: "target", CopySource: `${Bucket}/${Key}` };
    await s3.send(new CopyObjectCommand({ ...copy, CopySourceIfMatch: ETag }));
    const unequal = s3.send(new CopyObjectCommand({ ...copy, CopySourceIfNoneMatch: ETag }));
    await refused(unequal, "PreconditionFailed", 412);
  });
}

async function reads(t: TestContext, { s3, bucket: Bucket }: Door): Promise<void> {
  await t.test("GetObject with If-None-Match of the same ETag is 304", async () => {
    const Key = "read";
    const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key, Body: "read" }));
    const same = s3.send(new GetObjectCommand({ Bucket, Key, IfNoneMatch: ETag }));
    await refusedBare(same, 304);
    const other = s3.send(new HeadObjectCommand({ Bucket, Key, IfMatch: '"0"' }));
    await refusedBare(other, 412);
  });
}

async function race(t: TestContext, { s3, bucket: Bucket }: Door): Promise<void> {
  await t.test("of twenty concurrent If-None-Match: * one succeeds", async () => {
    const tries = Array.from({ length: 20 }, (_, i) =>
      s3.send(new PutObjectCommand({ Bucket, Key: "race", Body: `${i}`, IfNoneMatch: "*" })),
    );
    const outcomes = await Promise.allSettled(tries);
    const statuses = outcomes.map((outcome) =>
      outcome.status === "fulfilled" ? 200 : Number(outcome.reason.$metadata.httpStatusCode),
    );
    assert.equal(statuses.filter((status) => status === 200).length, 1);
    assert.deepEqual(
      statuses.filter((status) => ![200, 409, 412].includes(status)),
      [],
    );
  });
}
