import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  paginateListObjectsV2,
} from "@aws-sdk/client-s3";
import type { Door } from "#test/clients/aws-sdk-js/door.ts";
import { ODD_KEYS } from "#test/clients/aws-sdk-js/odd-keys.ts";
import { refused } from "#test/clients/aws-sdk-js/refused.ts";

/** Of a bucket of its own, whose keys nobody else writes. */
export async function listing(t: TestContext, door: Door): Promise<void> {
  const { s3 } = door;
  const Bucket = `${door.bucket}-listing`;
  await s3.send(new CreateBucketCommand({ Bucket }));
  const plain = Array.from({ length: 25 }, (_, i) => `dir${i % 3}/${String(i).padStart(3, "0")}`);
  const keys = [...plain, ...ODD_KEYS].sort(byBytes);
  for (const Key of keys) await s3.send(new PutObjectCommand({ Bucket, Key, Body: "1" }));

  await t.test("the paginator gives every key once, ordered by its UTF-8 bytes", async () => {
    const listed: (string | undefined)[] = [];
    const ask = { Bucket, MaxKeys: 7 };
    for await (const page of paginateListObjectsV2({ client: s3 }, ask)) {
      assert.ok((page.KeyCount ?? 0) <= 7);
      listed.push(...(page.Contents ?? []).map((each) => each.Key));
    }
    assert.deepEqual(listed, keys);
  });

  await t.test("a delimiter rolls keys up, page by page", async () => {
    const listed: (string | undefined)[] = [];
    const ask = { Bucket, Delimiter: "/", Prefix: "dir", MaxKeys: 2 };
    for await (const page of paginateListObjectsV2({ client: s3 }, ask)) {
      listed.push(...(page.CommonPrefixes ?? []).map((each) => each.Prefix));
      assert.equal(page.Contents, undefined);
    }
    assert.deepEqual(listed, ["dir0/", "dir1/", "dir2/"]);
  });

  await t.test("StartAfter and a prefix bound the list", async () => {
    const ask = { Bucket, Prefix: "dir1/", StartAfter: "dir1/013" };
    const { Contents } = await s3.send(new ListObjectsV2Command(ask));
    const names = Contents?.map((each) => each.Key);
    assert.deepEqual(names, ["dir1/016", "dir1/019", "dir1/022"]);
  });

  await t.test("ListObjects goes on from a marker", async () => {
    const first = await s3.send(new ListObjectsCommand({ Bucket, MaxKeys: 10 }));
    const Marker = first.Contents?.at(-1)?.Key;
    const second = await s3.send(new ListObjectsCommand({ Bucket, Marker }));
    const names = [...(first.Contents ?? []), ...(second.Contents ?? [])].map((each) => each.Key);
    assert.deepEqual(names, keys);
  });

  await t.test("a bucket is listed, and deleted only when it is empty", async () => {
    const { Buckets } = await s3.send(new ListBucketsCommand({ Prefix: Bucket }));
    assert.deepEqual(
      Buckets?.map((each) => each.Name),
      [Bucket],
    );
    await refused(s3.send(new DeleteBucketCommand({ Bucket })), "BucketNotEmpty", 409);
    const Objects = keys.map((Key) => ({ Key }));
    await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
    await s3.send(new DeleteBucketCommand({ Bucket }));
  });
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
