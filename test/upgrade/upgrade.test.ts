/** Data directories as earlier releases left them (see keep.ts), served by this one. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  CompleteMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { run } from "#test/support/process.ts";
import { type RealServer, startRealServer } from "#test/support/real-server.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";
import { readKept, unpackDirectory } from "#test/upgrade/directory.ts";
import { observe } from "#test/upgrade/observe.ts";
import { KEPT, OWNER, s3Client, TOKEN } from "#test/upgrade/owner.ts";

for (const file of readdirSync(KEPT)) {
  test(`what ${file} left is all there, and can be written on`, async (t) => {
    const { files, observed, key } = readKept(join(KEPT, file));
    const dataDirectory = await temporaryDirectory();
    unpackDirectory(files, dataDirectory);

    const server = await serve(t, dataDirectory);
    const s3 = s3Client(server.endpoint, OWNER);
    t.after(() => s3.destroy());

    assert.deepEqual(await observe(s3), observed);
    const ada = s3Client(server.endpoint, key);
    t.after(() => ada.destroy());
    await ada.send(new PutObjectCommand({ Bucket: "plain", Key: "of a user", Body: "hello" }));
    await completeUpload(s3);
    await s3.send(new PutObjectCommand({ Bucket: "versioned", Key: "deleted", Body: "again" }));
    await s3.send(new DeleteObjectCommand({ Bucket: "plain", Key: "large" }));

    assert.equal(await server.stop(), 0);
    await requireSound(t, dataDirectory);
  });
}

async function serve(t: TestContext, dataDirectory: string): Promise<RealServer> {
  const environment = {
    LODE_ROOT_ACCESS_KEY_ID: OWNER.accessKeyId,
    LODE_ROOT_SECRET_ACCESS_KEY: OWNER.secret,
    LODE_ADMIN_TOKEN: TOKEN,
  };
  return await startRealServer(t, { dataDirectory, environment });
}

async function completeUpload(s3: S3Client): Promise<void> {
  const Bucket = "plain";
  const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
  const [upload] = Uploads;
  const of = { Bucket, Key: upload?.Key, UploadId: upload?.UploadId };
  const { Parts = [] } = await s3.send(new ListPartsCommand(of));
  const parts = Parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag }));
  const MultipartUpload = { Parts: parts };
  await s3.send(new CompleteMultipartUploadCommand({ ...of, MultipartUpload }));
  const { ContentLength, Body } = await s3.send(new GetObjectCommand({ Bucket, Key: of.Key }));
  assert.equal((await Body?.transformToByteArray())?.length, ContentLength);
  assert.equal(
    ContentLength,
    Parts.reduce((sum, { Size = 0 }) => sum + Size, 0),
  );
}

async function requireSound(t: TestContext, dataDirectory: string): Promise<void> {
  const command = [process.execPath, "bin/lode", "check", "--data", dataDirectory];
  const { code, stdout, stderr } = await run(t, { command });
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /Nothing is wrong/);
}
