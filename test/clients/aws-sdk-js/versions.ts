import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { Door } from "#test/clients/aws-sdk-js/door.ts";
import { ODD_KEYS } from "#test/clients/aws-sdk-js/odd-keys.ts";
import { refused, refusedBare } from "#test/clients/aws-sdk-js/refused.ts";

/** In a bucket of its own that keeps versions. */
export async function versions(t: TestContext, door: Door): Promise<void> {
  const { s3 } = door;
  const Bucket = `${door.bucket}-versions`;
  await s3.send(new CreateBucketCommand({ Bucket }));
  const never = await s3.send(new GetBucketVersioningCommand({ Bucket }));
  assert.equal(never.Status, undefined);
  const VersioningConfiguration = { Status: "Enabled" } as const;
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
  const put = async (Key: string, Body: string) =>
    (await s3.send(new PutObjectCommand({ Bucket, Key, Body }))).VersionId;
  const read = async (Key: string, VersionId?: string) => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, VersionId }));
    return await Body?.transformToString();
  };

  await t.test("versions are read by their ids, signed and presigned", async () => {
    const [one, two] = [await put("read", "one"), await put("read", "two")];
    assert.deepEqual([await read("read"), await read("read", one)], ["two", "one"]);
    const name = { Bucket, Key: "read", VersionId: one };
    const url = await getSignedUrl(s3, new GetObjectCommand(name));
    assert.equal((await door.send(url)).body.toString(), "one");
    const head = await s3.send(new HeadObjectCommand({ ...name, VersionId: two }));
    assert.equal(head.VersionId, two);
  });

  await t.test("a delete marker hides an object until it is removed", async () => {
    await put("hidden", "bytes");
    const name = { Bucket, Key: "hidden" };
    const { DeleteMarker, VersionId } = await s3.send(new DeleteObjectCommand(name));
    assert.equal(DeleteMarker, true);
    await refused(s3.send(new GetObjectCommand(name)), "NoSuchKey", 404);
    await refusedBare(s3.send(new HeadObjectCommand({ ...name, VersionId })), 405);
    await s3.send(new DeleteObjectCommand({ ...name, VersionId }));
    assert.equal(await read("hidden"), "bytes");
  });

  await t.test("versions are listed page by page, by key and the newest first", async () => {
    const keys = ODD_KEYS.map((key) => `listed/${key}`).sort(byBytes);
    const expected: (string | undefined)[] = [];
    for (const key of keys) {
      const ids = [await put(key, "1"), await put(key, "2")];
      expected.push(...ids.reverse());
    }
    const listed: (string | undefined)[] = [];
    let marker: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
    for (;;) {
      const ask = { Bucket, Prefix: "listed/", MaxKeys: 3, ...marker };
      const page = await s3.send(new ListObjectVersionsCommand(ask));
      listed.push(...(page.Versions ?? []).map(({ VersionId }) => VersionId));
      if (page.IsTruncated !== true) break;
      marker = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
    }
    assert.deepEqual(listed, expected);
  });

  await t.test(
    "an old version is copied back, and versions are deleted in one request",
    async () => {
      const [one, two] = [await put("copied", "one"), await put("copied", "two")];
      const CopySource = `${Bucket}/copied?versionId=${one}`;
      const copied = await s3.send(new CopyObjectCommand({ Bucket, Key: "copied", CopySource }));
      assert.equal(copied.CopySourceVersionId, one);
      assert.equal(await read("copied"), "one");
      const Objects = [one, two].map((VersionId) => ({ Key: "copied", VersionId }));
      await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
      const left = await s3.send(new ListObjectVersionsCommand({ Bucket, Prefix: "copied" }));
      assert.deepEqual(
        left.Versions?.map(({ VersionId }) => VersionId),
        [copied.VersionId],
      );
    },
  );
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
