import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import {
  DeleteObjectTaggingCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketTaggingCommand,
  GetObjectAttributesCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketTaggingCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import type { Door } from "#test/clients/aws-sdk-js/door.ts";
import { sampleBytes } from "#test/contract/blob-store.ts";

/** Tags, lifecycle rules, attributes. */
export async function features(t: TestContext, door: Door): Promise<void> {
  await tags(t, door);
  await lifecycle(t, door);
  await attributes(t, door);
}

async function tags(t: TestContext, { s3, bucket: Bucket }: Door): Promise<void> {
  await t.test("tags of an object are put with it, replaced and deleted", async () => {
    const name = { Bucket, Key: "tagged" };
    await s3.send(new PutObjectCommand({ ...name, Body: "1", Tagging: "colour=light%20blue" }));
    const put = await s3.send(new GetObjectTaggingCommand(name));
    assert.deepEqual(put.TagSet, [{ Key: "colour", Value: "light blue" }]);
    const TagSet = [{ Key: "é", Value: "=+:/@ x" }];
    await s3.send(new PutObjectTaggingCommand({ ...name, Tagging: { TagSet } }));
    assert.deepEqual((await s3.send(new GetObjectTaggingCommand(name))).TagSet, TagSet);
    await s3.send(new DeleteObjectTaggingCommand(name));
    assert.deepEqual((await s3.send(new GetObjectTaggingCommand(name))).TagSet, []);
  });

  await t.test("tags of a bucket are put and read", async () => {
    const TagSet = [{ Key: "team", Value: "ml" }];
    await s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }));
    assert.deepEqual((await s3.send(new GetBucketTaggingCommand({ Bucket }))).TagSet, TagSet);
  });
}

async function lifecycle(t: TestContext, { s3, bucket: Bucket }: Door): Promise<void> {
  await t.test("lifecycle rules come back, and answers tell when an object expires", async () => {
    const rule = {
      ID: "r",
      Status: "Enabled",
      Filter: { Prefix: "expiring/" },
      Expiration: { Days: 2 },
      NoncurrentVersionExpiration: { NoncurrentDays: 3, NewerNoncurrentVersions: 4 },
    } as const;
    const LifecycleConfiguration = { Rules: [rule] };
    const put = { Bucket, LifecycleConfiguration };
    await s3.send(new PutBucketLifecycleConfigurationCommand(put));
    const { Rules } = await s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
    assert.deepEqual(Rules, [rule]);
    const name = { Bucket, Key: "expiring/a" };
    const { Expiration } = await s3.send(new PutObjectCommand({ ...name, Body: "1" }));
    assert.match(Expiration ?? "", /^expiry-date="\w{3}, .* 00:00:00 GMT", rule-id="r"$/);
    assert.equal((await s3.send(new HeadObjectCommand(name))).Expiration, Expiration);
  });
}

async function attributes(t: TestContext, { s3: client, bucket: Bucket }: Door): Promise<void> {
  await t.test("GetObjectAttributes tells size, checksum and parts", async () => {
    const Key = "attributes";
    const params = { Bucket, Key, Body: sampleBytes(6 * 2 ** 20, 5) };
    const ChecksumAlgorithm = "SHA256" as const;
    await new Upload({ client, params: { ...params, ChecksumAlgorithm } }).done();
    const ObjectAttributes = ["ObjectSize", "Checksum", "ObjectParts", "StorageClass"] as const;
    const ask = { Bucket, Key, ObjectAttributes: [...ObjectAttributes] };
    const got = await client.send(new GetObjectAttributesCommand(ask));
    assert.deepEqual([got.ObjectSize, got.StorageClass], [6 * 2 ** 20, "STANDARD"]);
    assert.equal(got.Checksum?.ChecksumType, "COMPOSITE");
    assert.deepEqual(
      got.ObjectParts?.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size]),
      [
        [1, 5 * 2 ** 20],
        [2, 2 ** 20],
      ],
    );
  });
}
