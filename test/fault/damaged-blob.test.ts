/** A disk that changes a byte of a stored blob: nobody is given it, and everybody what stands beside it. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { call, expectCall, makeBucket, put, sentUpload, type Target } from "#test/fault/call.ts";
import { startRealServer } from "#test/support/real-server.ts";

const MIB = 2 ** 20;
const BLOCK = 64 * 1_024;
const DAMAGED_AT = 3 * MIB + 10;

test("a byte that flipped never comes in a range, in a part, in a copy or whole; the rest does", async (t) => {
  const server = await startRealServer(t);
  const bucket = await makeBucket(server, "damaged");
  const bytes = randomBytes(8 * MIB);
  await put(server, `${bucket}/object`, bytes);
  await copyOfRange(server, { bucket, range: `bytes=${2 * MIB}-${8 * MIB - 1}` });
  const parts = [randomBytes(5 * MIB), randomBytes(1_000)];
  const upload = await sentUpload(server, { path: `${bucket}/parts`, parts });
  await expectCall(server, upload.complete);
  flipIn(server.dataDirectory, [bytes, parts[0]]);

  const start = DAMAGED_AT - (DAMAGED_AT % BLOCK);
  for (const [first, last] of [
    [DAMAGED_AT, DAMAGED_AT],
    [DAMAGED_AT + 1, DAMAGED_AT + 1],
    [start, start + BLOCK - 1],
    [0, DAMAGED_AT],
    [start - 10, 8 * MIB - 1],
    [0, 8 * MIB - 1],
  ]) {
    await assertNone(server, `${bucket}/object`, { range: `bytes=${first}-${last}` });
  }
  await assertNone(server, `${bucket}/object`);
  await assertNone(server, `${bucket}/copy`);
  await assertNone(server, `${bucket}/parts?partNumber=1`);
  await assertNone(server, `${bucket}/parts`, { range: `bytes=${DAMAGED_AT}-${DAMAGED_AT + 9}` });

  for (const [first, last] of [
    [0, start - 1],
    [start + BLOCK, 8 * MIB - 1],
    [5, 5],
  ] as const) {
    const range = { range: `bytes=${first}-${last}` };
    const got = await expectCall(server, get(`${bucket}/object`, range), 206);
    assert.ok(got.body.equals(bytes.subarray(first, last + 1)), `${first} to ${last}`);
  }
  const last = await expectCall(server, get(`${bucket}/parts?partNumber=2`), 206);
  assert.deepEqual(last.body, parts[1]);
});

function get(path: string, headers: Readonly<Record<string, string>> = {}) {
  return { method: "GET", path, headers };
}

/** Whatever is answered, it is no whole answer. */
async function assertNone(
  server: Target,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  const status = await call(server, get(path, headers)).then(
    (got) => got.status,
    () => "broken off",
  );
  assert.ok(status === "broken off" || status === 500, `${path} ${headers["range"]}: ${status}`);
}

/** An object that is a slice of `object`. */
async function copyOfRange(
  server: Target,
  { bucket, range }: { readonly bucket: string; readonly range: string },
): Promise<void> {
  const path = `${bucket}/copy`;
  const { uploadId } = await sentUpload(server, { path, parts: [] });
  const part = await expectCall(server, {
    method: "PUT",
    path: `${path}?partNumber=1&uploadId=${uploadId}`,
    headers: { "x-amz-copy-source": `${bucket}/object`, "x-amz-copy-source-range": range },
  });
  const etag = /<ETag>(.*?)<\/ETag>/.exec(part.body.toString())?.[1] ?? "";
  const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`;
  await expectCall(server, { method: "POST", path: `${path}?uploadId=${uploadId}`, body });
}

function flipIn(dataDirectory: string, bodies: readonly (Buffer | undefined)[]): void {
  const files = globSync("blobs/??/*", { cwd: dataDirectory }).map((name) =>
    join(dataDirectory, name),
  );
  for (const body of bodies) {
    assert.ok(body);
    const path = files.find((each) => readFileSync(each).subarray(0, body.length).equals(body));
    assert.ok(path);
    const stored = readFileSync(path);
    stored[DAMAGED_AT] = (stored[DAMAGED_AT] ?? 0) ^ 1;
    writeFileSync(path, stored);
  }
}
