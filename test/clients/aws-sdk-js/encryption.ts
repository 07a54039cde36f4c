import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import {
  CopyObjectCommand,
  DeleteBucketEncryptionCommand,
  GetBucketEncryptionCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutBucketEncryptionCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import type { Door } from "#test/clients/aws-sdk-js/door.ts";
import { refused } from "#test/clients/aws-sdk-js/refused.ts";
import { sampleBytes } from "#test/contract/blob-store.ts";

/** The SDK computes the MD5 of a key by itself. */
const [KEY, OTHER_KEY] = [keyOf(1), keyOf(2)];

function keyOf(byte: number) {
  const SSECustomerKey = Buffer.alloc(32, byte).toString("base64");
  return { SSECustomerAlgorithm: "AES256", SSECustomerKey };
}

/** SSE-C, SSE-S3 and the default of a bucket. */
export async function encryption(t: TestContext, door: Door): Promise<void> {
  await underKeys(t, door);
  await underTheServer(t, door);
}

async function underKeys(t: TestContext, { s3, bucket: Bucket }: Door): Promise<void> {
  for (const size of [0, 1_000, 1_000_001]) {
    await t.test(`an object of ${size} bytes is read under its key alone`, async () => {
      const name = { Bucket, Key: `encrypted/${size}` };
      const Body = sampleBytes(size);
      const put = await s3.send(new PutObjectCommand({ ...name, Body, ...KEY }));
      const got = await s3.send(new GetObjectCommand({ ...name, ...KEY }));
      assert.deepEqual(Buffer.from((await got.Body?.transformToByteArray()) ?? []), Body);
      assert.equal(put.SSECustomerKeyMD5, got.SSECustomerKeyMD5);
      await refused(s3.send(new GetObjectCommand(name)), "InvalidRequest", 400);
      const wrong = s3.send(new GetObjectCommand({ ...name, ...OTHER_KEY }));
      await refused(wrong, "AccessDenied", 403);
    });
  }

  await t.test("an upload in parts, and a copy of it under another key", async () => {
    const name = { Bucket, Key: "encrypted/large" };
    const Body = sampleBytes(12_000_000);
    await new Upload({ client: s3, params: { ...name, Body, ...KEY } }).done();
    const copied = { Bucket, Key: "encrypted/copy" };
    const copy = new CopyObjectCommand({
      ...copied,
      ...OTHER_KEY,
      CopySource: `${Bucket}/${name.Key}`,
      CopySourceSSECustomerAlgorithm: "AES256",
      CopySourceSSECustomerKey: KEY.SSECustomerKey,
    });
    assert.equal((await s3.send(copy)).SSECustomerAlgorithm, "AES256");
    const got = await s3.send(new GetObjectCommand({ ...copied, ...OTHER_KEY }));
    assert.deepEqual(Buffer.from((await got.Body?.transformToByteArray()) ?? []), Body);
  });
}

async function underTheServer(t: TestContext, { s3, bucket: Bucket }: Door): Promise<void> {
  await t.test("SSE-S3 by the request and by the bucket", async () => {
    const name = { Bucket, Key: "encrypted/by-server" };
    const asked = { ...name, Body: "bytes", ServerSideEncryption: "AES256" } as const;
    assert.equal((await s3.send(new PutObjectCommand(asked))).ServerSideEncryption, "AES256");
    const rule = { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" } } as const;
    const rules = { ServerSideEncryptionConfiguration: { Rules: [rule] } };
    await s3.send(new PutBucketEncryptionCommand({ Bucket, ...rules }));
    const got = await s3.send(new GetBucketEncryptionCommand({ Bucket }));
    const [first] = got.ServerSideEncryptionConfiguration?.Rules ?? [];
    assert.deepEqual(first?.ApplyServerSideEncryptionByDefault, { SSEAlgorithm: "AES256" });
    await s3.send(new PutObjectCommand({ ...name, Body: "bytes" }));
    const head = await s3.send(new HeadObjectCommand(name));
    assert.equal(head.ServerSideEncryption, "AES256");
    await s3.send(new DeleteBucketEncryptionCommand({ Bucket }));
    await s3.send(new PutObjectCommand({ ...name, Body: "bytes" }));
    assert.equal((await s3.send(new HeadObjectCommand(name))).ServerSideEncryption, undefined);
  });
}
