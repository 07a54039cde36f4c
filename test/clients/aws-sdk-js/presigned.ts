import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { systemClock } from "#base/clock.ts";
import type { Door } from "#test/clients/aws-sdk-js/door.ts";
import { ODD_KEYS } from "#test/clients/aws-sdk-js/odd-keys.ts";

export async function presigned(t: TestContext, door: Door): Promise<void> {
  const { s3, bucket: Bucket, send } = door;

  for (const Key of ["presigned", ...ODD_KEYS]) {
    await t.test(`presigned URLs put and get ${JSON.stringify(Key)}`, async () => {
      const put = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key }));
      const body = Buffer.from(`body of ${Key}`);
      assert.equal((await send(put, { method: "PUT", body })).status, 200);
      const get = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key }), { expiresIn: 60 });
      assert.deepEqual(await send(get), { status: 200, body });
    });
  }

  await t.test("a presigned URL overrides headers of the answer", async () => {
    const ask = { Bucket, Key: "presigned", ResponseContentType: "text/x-special" };
    const url = await getSignedUrl(s3, new GetObjectCommand(ask));
    assert.match(url, /response-content-type=text%2Fx-special/);
    assert.equal((await send(url)).status, 200);
  });

  await t.test("a presigned URL is refused when a byte of it was changed", async () => {
    const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: "presigned" }));
    const other = url.replace("/presigned?", "/presignee?");
    const { status, body } = await send(other);
    assert.equal(status, 403);
    assert.match(body.toString(), /<Code>SignatureDoesNotMatch<\/Code>/);
  });

  await t.test("a presigned URL is refused when it has expired", async () => {
    const signingDate = new Date(systemClock.now() - 3_600_000);
    const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: "presigned" }), {
      expiresIn: 60,
      signingDate,
    });
    const { status, body } = await send(url);
    assert.equal(status, 403);
    assert.match(body.toString(), /<Code>AccessDenied<\/Code>/);
  });

  if (door.scheme === "http" && door.addressing === "path") {
    await t.test("presigned URLs work with the built-in fetch", async () => {
      const name = { Bucket, Key: "fetched" };
      const put = await getSignedUrl(s3, new PutObjectCommand(name));
      assert.equal((await fetch(put, { method: "PUT", body: "by fetch" })).status, 200);
      const get = await fetch(await getSignedUrl(s3, new GetObjectCommand(name)));
      assert.equal(await get.text(), "by fetch");
    });
  }
}
