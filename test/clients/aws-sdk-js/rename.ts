import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  RenameObjectCommand,
} from "@aws-sdk/client-s3";
import type { Door } from "#test/clients/aws-sdk-js/door.ts";
import { ODD_KEYS } from "#test/clients/aws-sdk-js/odd-keys.ts";
import { refused } from "#test/clients/aws-sdk-js/refused.ts";

export async function rename(t: TestContext, door: Door): Promise<void> {
  const { s3, bucket: Bucket } = door;
  for (const Key of ODD_KEYS) {
    await t.test(`RenameObject makes an object ${JSON.stringify(Key)}`, async () => {
      const source = `renamed ${Key}`;
      await s3.send(new PutObjectCommand({ Bucket, Key: source, Body: Key, Tagging: "k=v" }));
      const RenameSource = `/${Bucket}/${encodeURIComponent(source)}`;
      await s3.send(new RenameObjectCommand({ Bucket, Key, RenameSource }));
      const { Body, TagCount } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      assert.deepEqual([await Body?.transformToString(), TagCount], [Key, 1]);
      await refused(s3.send(new GetObjectCommand({ Bucket, Key: source })), "NoSuchKey", 404);
    });
  }

  await t.test("RenameObject holds its conditions", async () => {
    for (const Key of ["rename a", "rename b"]) {
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
    }
    const ask = { Bucket, Key: "rename b", RenameSource: `/${Bucket}/rename%20a` };
    const onto = s3.send(new RenameObjectCommand({ ...ask, DestinationIfNoneMatch: "*" }));
    await refused(onto, "PreconditionFailed", 412);
    const { ETag } = await s3.send(new HeadObjectCommand({ Bucket, Key: "rename a" }));
    await s3.send(new RenameObjectCommand({ ...ask, SourceIfMatch: ETag }));
    const absent = s3.send(new RenameObjectCommand(ask));
    await refused(absent, "NoSuchKey", 404);
  });

  // The SDK asks an address for the path "/bucket//", and the certificate has no such name.
  if (door.scheme === "https" || door.addressing === "path") return;
  await t.test("RenameObject in a bucket whose name asks for a session", async () => {
    const directory = `${Bucket}--az1--x-s3`;
    await s3.send(new CreateBucketCommand({ Bucket: directory }));
    await s3.send(new PutObjectCommand({ Bucket: directory, Key: "a b", Body: "bytes" }));
    const RenameSource = `/${directory}/a%20b`;
    await s3.send(new RenameObjectCommand({ Bucket: directory, Key: "c", RenameSource }));
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: directory }));
    assert.deepEqual(
      Contents?.map(({ Key }) => Key),
      ["c"],
    );
  });
}
