import assert from "node:assert/strict";
import { Readable } from "node:stream";
import type { TestContext } from "node:test";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import type { Door } from "#test/clients/aws-sdk-js/door.ts";
import { refused } from "#test/clients/aws-sdk-js/refused.ts";
import { sampleBytes } from "#test/contract/blob-store.ts";

const MEBIBYTE = 2 ** 20;
const PART_BYTES = 5 * MEBIBYTE;
const bytes = sampleBytes(12 * MEBIBYTE + 345, 3);

export async function multipart(t: TestContext, door: Door): Promise<void> {
  await uploads(t, door);
  await byHand(t, door);
}

async function uploads(t: TestContext, { s3: client, bucket: Bucket }: Door): Promise<void> {
  for (const algorithm of ["CRC32", "CRC64NVME", "SHA256"] as const) {
    await t.test(`Upload sends a stream of unknown length in parts with ${algorithm}`, async () => {
      const Key = `upload ${algorithm}`;
      const Body = Readable.from(slices(bytes, 1_000_000));
      const params = { Bucket, Key, Body, ChecksumAlgorithm: algorithm };
      const done = await new Upload({ client, params, partSize: PART_BYTES }).done();
      assert.match(done.ETag ?? "", /^"[0-9a-f]{32}-3"$/);
      const got = await client.send(new GetObjectCommand({ Bucket, Key }));
      assert.equal(got.ETag, done.ETag);
      assert.ok(bytes.equals((await got.Body?.transformToByteArray()) ?? new Uint8Array()));
    });
  }

  await t.test("Upload of less than a part is one PutObject", async () => {
    const params = { Bucket, Key: "small upload", Body: "small" };
    const done = await new Upload({ client, params }).done();
    assert.match(done.ETag ?? "", /^"[0-9a-f]{32}"$/);
  });

  await t.test("Upload that fails halfway leaves no object and no upload", async () => {
    async function* cut() {
      yield bytes.subarray(0, PART_BYTES);
      yield bytes.subarray(PART_BYTES, PART_BYTES + MEBIBYTE);
      throw new Error("the source is gone");
    }
    const params = { Bucket, Key: "cut", Body: Readable.from(cut()) };
    const upload = new Upload({ client, params, partSize: PART_BYTES });
    await assert.rejects(upload.done(), /the source is gone/);
    await refused(client.send(new HeadObjectCommand({ Bucket, Key: "cut" })), "NotFound", 404);
    const { Uploads } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
    assert.deepEqual(Uploads ?? [], []);
  });
}

async function byHand(t: TestContext, { s3, bucket: Bucket }: Door): Promise<void> {
  await t.test("parts are uploaded, copied, listed and completed into one object", async () => {
    const Key = "by hand/of parts";
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const name = { Bucket, Key, UploadId };
    const first = await s3.send(
      new UploadPartCommand({ ...name, PartNumber: 1, Body: bytes.subarray(0, PART_BYTES) }),
    );
    const second = await s3.send(
      new UploadPartCopyCommand({
        ...name,
        PartNumber: 2,
        CopySource: `${Bucket}/${encodeURIComponent("upload CRC32")}`,
        CopySourceRange: `bytes=${PART_BYTES}-${bytes.length - 1}`,
      }),
    );
    const { Parts: listed } = await s3.send(new ListPartsCommand(name));
    assert.deepEqual(
      listed?.map((part) => [part.PartNumber, part.Size, part.ETag]),
      [
        [1, PART_BYTES, first.ETag],
        [2, bytes.length - PART_BYTES, second.CopyPartResult?.ETag],
      ],
    );
    const Parts = listed.map(({ PartNumber, ETag }) => ({ PartNumber, ETag }));
    await s3.send(new CompleteMultipartUploadCommand({ ...name, MultipartUpload: { Parts } }));
    const got = await s3.send(new GetObjectCommand({ Bucket, Key }));
    assert.ok(bytes.equals((await got.Body?.transformToByteArray()) ?? new Uint8Array()));

    const last = await s3.send(new GetObjectCommand({ Bucket, Key, PartNumber: 2 }));
    assert.equal(last.PartsCount, 2);
    assert.equal(last.ContentRange, `bytes ${PART_BYTES}-${bytes.length - 1}/${bytes.length}`);
    await last.Body?.transformToByteArray();
  });

  await t.test("an aborted upload is gone, and nothing can be added to it", async () => {
    const Key = "aborted";
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const name = { Bucket, Key, UploadId };
    await s3.send(new AbortMultipartUploadCommand(name));
    const late = new UploadPartCommand({ ...name, PartNumber: 1, Body: "late" });
    await refused(s3.send(late), "NoSuchUpload", 404);
  });

  await t.test("a part under 5 MiB that is not the last is EntityTooSmall", async () => {
    const Key = "too small";
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const name = { Bucket, Key, UploadId };
    const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
    for (const PartNumber of [1, 2]) {
      const part = new UploadPartCommand({ ...name, PartNumber, Body: "small" });
      Parts.push({ PartNumber, ETag: (await s3.send(part)).ETag });
    }
    const complete = new CompleteMultipartUploadCommand({ ...name, MultipartUpload: { Parts } });
    await refused(s3.send(complete), "EntityTooSmall", 400);
    await s3.send(new AbortMultipartUploadCommand(name));
  });
}

function* slices(whole: Buffer, sizeBytes: number): Iterable<Buffer> {
  for (let at = 0; at < whole.length; at += sizeBytes) yield whole.subarray(at, at + sizeBytes);
}
