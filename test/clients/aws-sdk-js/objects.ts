import assert from "node:assert/strict";
import { createReadStream, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { TestContext } from "node:test";
import {
  type ChecksumAlgorithm,
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  NoSuchBucket,
  NoSuchKey,
  NotFound,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import type { Door } from "#test/clients/aws-sdk-js/door.ts";
import { ODD_KEYS } from "#test/clients/aws-sdk-js/odd-keys.ts";
import { refused } from "#test/clients/aws-sdk-js/refused.ts";
import { sampleBytes } from "#test/contract/blob-store.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

const ALGORITHMS = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const;

export async function objects(t: TestContext, door: Door): Promise<void> {
  await bodies(t, door);
  await checksums(t, door);
  await attributes(t, door);
  await absences(t, door);
  await oddKeys(t, door);
}

async function bodies(t: TestContext, { s3, bucket: Bucket }: Door): Promise<void> {
  const bytes = sampleBytes(300_000);
  const path = join(await temporaryDirectory(), "body");
  writeFileSync(path, bytes);
  const kinds = {
    "a Buffer": () => ({ Body: bytes }),
    "a Uint8Array": () => ({ Body: new Uint8Array(bytes) }),
    "a stream of known length": () => ({
      Body: Readable.from([
        bytes.subarray(0, 1),
        bytes.subarray(1, 99_999),
        bytes.subarray(99_999),
      ]),
      ContentLength: bytes.length,
    }),
    "a file stream": () => ({ Body: createReadStream(path) }),
  };
  for (const [kind, body] of Object.entries(kinds)) {
    await t.test(`PutObject stores ${kind} and GetObject gives it back`, async () => {
      const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key: kind, ...body() }));
      const got = await s3.send(new GetObjectCommand({ Bucket, Key: kind }));
      assert.equal(got.ETag, ETag);
      assert.equal(got.ContentLength, bytes.length);
      assert.deepEqual(Buffer.from((await got.Body?.transformToByteArray()) ?? []), bytes);
    });
  }

  await t.test("PutObject stores strings, the empty one among them", async () => {
    for (const Body of ["", "héllo 🎉"]) {
      await s3.send(new PutObjectCommand({ Bucket, Key: "string", Body }));
      const got = await s3.send(new GetObjectCommand({ Bucket, Key: "string" }));
      assert.equal(await got.Body?.transformToString(), Body);
    }
  });

  await t.test("GetObject of a range answers those bytes and their place", async () => {
    const ranges = [
      ["bytes=0-0", 0, 1],
      ["bytes=100000-199999", 100_000, 200_000],
      ["bytes=-7", bytes.length - 7, bytes.length],
      ["bytes=299999-", 299_999, 300_000],
    ] as const;
    for (const [Range, from, to] of ranges) {
      const got = await s3.send(new GetObjectCommand({ Bucket, Key: "a Buffer", Range }));
      assert.equal(got.ContentRange, `bytes ${from}-${to - 1}/${bytes.length}`);
      const body = Buffer.from((await got.Body?.transformToByteArray()) ?? []);
      assert.deepEqual(body, bytes.subarray(from, to));
    }
  });
}

async function checksums(t: TestContext, { s3, bucket: Bucket }: Door): Promise<void> {
  const bytes = sampleBytes(200_000, 2);
  for (const algorithm of ALGORITHMS) {
    await t.test(`${algorithm} of a Buffer and of a stream is stored and checked`, async () => {
      const buffered = { Body: bytes };
      const streamed = { Body: Readable.from([bytes]), ContentLength: bytes.length };
      for (const body of [buffered, streamed]) {
        const ask = { Bucket, Key: algorithm, ChecksumAlgorithm: algorithm, ...body };
        const put = await s3.send(new PutObjectCommand(ask));
        const head = await s3.send(
          new HeadObjectCommand({ Bucket, Key: algorithm, ChecksumMode: "ENABLED" }),
        );
        assert.equal(head[`Checksum${algorithm}`], put[`Checksum${algorithm}`]);
        assert.notEqual(head[`Checksum${algorithm}`], undefined);
        assert.equal(head.ChecksumType, "FULL_OBJECT");
        // The client computes it again while it reads, and the read fails when they differ.
        const got = await s3.send(
          new GetObjectCommand({ Bucket, Key: algorithm, ChecksumMode: "ENABLED" }),
        );
        assert.deepEqual(Buffer.from((await got.Body?.transformToByteArray()) ?? []), bytes);
      }
    });
  }

  await t.test("PutObject with no algorithm sends CRC32, and it is kept", async () => {
    const put = await s3.send(new PutObjectCommand({ Bucket, Key: "default", Body: "a" }));
    assert.equal(put.ChecksumCRC32, "6Le+Qw==");
  });

  await t.test("PutObject with a wrong checksum fails with BadDigest, nothing stored", async () => {
    const wrong: { ChecksumAlgorithm: ChecksumAlgorithm; ChecksumCRC32: string } = {
      ChecksumAlgorithm: "CRC32",
      ChecksumCRC32: "AAAAAA==",
    };
    await refused(
      s3.send(new PutObjectCommand({ Bucket, Key: "wrong", Body: "bytes", ...wrong })),
      "BadDigest",
      400,
    );
    await refused(s3.send(new HeadObjectCommand({ Bucket, Key: "wrong" })), "NotFound", 404);
  });
}

async function attributes(t: TestContext, { s3, bucket: Bucket }: Door): Promise<void> {
  const system = {
    ContentType: "text/plain; charset=utf-8",
    CacheControl: "max-age=60",
    ContentDisposition: 'attachment; filename="a b.txt"',
    ContentEncoding: "gzip",
    ContentLanguage: "de, en",
  };
  const Metadata = { colour: "dark blue", "dashed-name": "1" };

  await t.test("HeadObject and GetObject give back system and user metadata", async () => {
    const Key = "attributes";
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: "abc", Metadata, ...system }));
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key }));
    const got = await s3.send(new GetObjectCommand({ Bucket, Key }));
    await got.Body?.transformToByteArray();
    for (const answer of [head, got]) {
      assert.deepEqual(answer.Metadata, Metadata);
      assert.partialDeepStrictEqual(answer, { ...system, ContentLength: 3 });
      assert.ok(answer.LastModified instanceof Date);
    }
  });

  await t.test("CopyObject takes metadata over, or replaces it when told", async () => {
    const source = { Bucket, CopySource: `${Bucket}/attributes` };
    await s3.send(new CopyObjectCommand({ ...source, Key: "copied" }));
    const copied = await s3.send(new HeadObjectCommand({ Bucket, Key: "copied" }));
    assert.deepEqual(copied.Metadata, Metadata);
    assert.partialDeepStrictEqual(copied, system);

    const replace = { MetadataDirective: "REPLACE", Metadata: { other: "2" } } as const;
    await s3.send(new CopyObjectCommand({ ...source, Key: "replaced", ...replace }));
    const replaced = await s3.send(new HeadObjectCommand({ Bucket, Key: "replaced" }));
    assert.deepEqual(replaced.Metadata, { other: "2" });
    assert.equal(replaced.CacheControl, undefined);
  });
}

async function absences(t: TestContext, { s3, bucket: Bucket }: Door): Promise<void> {
  await t.test("an absent key is NoSuchKey for GetObject and NotFound for HeadObject", async () => {
    const name = { Bucket, Key: "absent" };
    await assert.rejects(s3.send(new GetObjectCommand(name)), NoSuchKey);
    await assert.rejects(s3.send(new HeadObjectCommand(name)), NotFound);
    await s3.send(new DeleteObjectCommand(name));
  });

  await t.test("an absent bucket is NoSuchBucket, or NotFound where no body can be", async () => {
    const absent = { Bucket: "absent-bucket-of-nobody" };
    await assert.rejects(s3.send(new HeadBucketCommand(absent)), NotFound);
    const get = s3.send(new GetObjectCommand({ ...absent, Key: "a" }));
    await assert.rejects(get, NoSuchBucket);
  });
}

async function oddKeys(t: TestContext, { s3, bucket: Bucket }: Door): Promise<void> {
  for (const Key of ODD_KEYS) {
    await t.test(`the key ${JSON.stringify(Key)} is put, got, copied and deleted`, async () => {
      const copyKey = `copy of ${Key}`;
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
      const got = await s3.send(new GetObjectCommand({ Bucket, Key }));
      assert.equal(await got.Body?.transformToString(), Key);

      const CopySource = `${Bucket}/${encodeURIComponent(Key)}`;
      await s3.send(new CopyObjectCommand({ Bucket, Key: copyKey, CopySource }));
      const copy = await s3.send(new GetObjectCommand({ Bucket, Key: copyKey }));
      assert.equal(await copy.Body?.transformToString(), Key);

      const Delete = { Objects: [{ Key }, { Key: copyKey }] };
      const deleted = await s3.send(new DeleteObjectsCommand({ Bucket, Delete }));
      assert.deepEqual(deleted.Errors ?? [], []);
      const names = deleted.Deleted?.map((each) => each.Key);
      assert.deepEqual(new Set(names), new Set([Key, copyKey]));
      await refused(s3.send(new HeadObjectCommand({ Bucket, Key })), "NotFound", 404);
    });
  }
}
