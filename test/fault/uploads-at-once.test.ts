/** Uploads whose digests are made side by side: each has its own, whatever becomes of those beside it. */
import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import { digestOf } from "#base/checksum.ts";
import { FileBlobStore } from "#blob/files.ts";
import { call, makeBucket, signedHead, type Target } from "#test/fault/call.ts";
import { startInProcess } from "#test/fault/in-process.ts";
import { RawSocket, requestHead } from "#test/support/raw-socket.ts";
import { startRealServer } from "#test/support/real-server.ts";
import { chunkedBody } from "#test/support/sign.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

/** In the record and beside it, digested alone and beside others, in one piece and in many. */
const SIZES = [1, 64, 8_192, 8_193, 20_000, 65_536, 65_537, 300_000, 1_300_001];
const ROUNDS = 2;

interface Upload {
  readonly path: string;
  readonly body: Buffer;
}

/** What one does with an upload, and what must come of it. */
type Way = (target: Target, upload: Upload) => Promise<void>;

const STORED: Readonly<Record<string, Way>> = {
  plain: async (target, { path, body }) => {
    const headers = { "content-md5": hash("md5", body, "base64") };
    const got = await call(target, { method: "PUT", path, body, headers });
    assert.equal(got.status, 200, got.body.toString());
    assert.equal(got.headers.etag, etag(body));
  },
  "in small chunks": async (target, upload) => {
    const { status, headers } = await sentChunked(target, upload, (encoded) => encoded);
    assert.equal(status, 200);
    assert.equal(headers["etag"], etag(upload.body));
  },
};

const REFUSED: Readonly<Record<string, Way>> = {
  "with the MD5 of another": async (target, { path, body }) => {
    const headers = { "content-md5": hash("md5", pattern(body.length, 999), "base64") };
    const got = await call(target, { method: "PUT", path, body, headers });
    assert.equal(got.code, "BadDigest");
  },
  "in chunks, the last out of frame": async (target, upload) => {
    const { status } = await sentChunked(target, upload, (encoded) => {
      const broken = Buffer.from(encoded);
      return broken.fill("z", broken.lastIndexOf("0\r\nx-amz"));
    });
    assert.equal(status, 400);
  },
  "cut off": async (target, { path, body }) => {
    await using socket = await RawSocket.connect(target.endpoint);
    await socket.send(signedHead(target, { method: "PUT", path, body }));
    await socket.send(body.subarray(0, body.length - 1));
  },
};

test("uploads at the same time each get their own MD5, beside those that are cut or refused", async (t) => {
  const target = await startRealServer(t);
  await requireOwnDigests(target, await makeBucket(target, "bucket"));
});

test("copies at the same time, out of buffers that are read into again, each get their own MD5", async (t) => {
  await using blobs = await FileBlobStore.open({ root: await temporaryDirectory(), owner: "test" });
  const target = await startInProcess(t, { blobs });
  const bucket = await makeBucket(target, "bucket");
  const sources = Array.from({ length: 12 }, (_, index) => pattern(2_200_000 + index, index));
  await Promise.all(
    sources.map((body, at) => call(target, { method: "PUT", path: `${bucket}/${at}`, body })),
  );

  await Promise.all(
    sources.map(async (body, at) => {
      // What is sealed now was not before: its bytes are read.
      const headers = {
        "x-amz-copy-source": `${bucket}/${at}`,
        "x-amz-server-side-encryption": "AES256",
      };
      const copied = await call(target, { method: "PUT", path: `${bucket}/${at}-copy`, headers });
      assert.equal(copied.status, 200, copied.body.toString());
      assert.ok(copied.body.includes(hash("md5", body, "hex")), `${at}`);
    }),
  );

  for (const [at, body] of sources.entries()) {
    const got = await call(target, { method: "GET", path: `${bucket}/${at}-copy` });
    assert.ok(got.body.equals(body), `${at}`);
  }
});

async function requireOwnDigests(target: Target, bucket: string): Promise<void> {
  const all = Object.entries({ ...STORED, ...REFUSED }).flatMap(([name, way]) =>
    Array.from({ length: ROUNDS * SIZES.length }, (_, index) => {
      const body = pattern(SIZES[index % SIZES.length] ?? 0, index);
      return { name, way, path: `${bucket}/${encodeURIComponent(name)}/${index}`, body };
    }),
  );

  await Promise.all(all.map(({ way, ...upload }) => way(target, upload)));

  for (const { name, path, body } of all) {
    const got = await call(target, { method: "GET", path });
    if (name in STORED) assert.ok(got.body.equals(body), path);
    else assert.equal(got.status, 404, path);
  }
}

/** In chunks of a few hundred bytes, sent as `changed` makes them. */
async function sentChunked(
  { endpoint, accessKeyId, secret }: Target,
  { path, body: plain }: Upload,
  changed: (encoded: Buffer) => Buffer,
) {
  const { headers, body } = chunkedBody({
    ...{ accessKeyId, secret, method: "PUT", url: endpoint + path, body: plain },
    ...{ mode: "unsigned-trailer", chunkBytes: 700 },
    trailers: { "x-amz-checksum-crc32": digestOf("CRC32", plain).toString("base64") },
  });
  await using socket = await RawSocket.connect(endpoint);
  await socket.send(requestHead({ method: "PUT", target: path, headers }));
  await socket.send(changed(body));
  return await socket.response();
}

function etag(body: Buffer): string {
  return `"${hash("md5", body, "hex")}"`;
}

function pattern(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 1) bytes[at] = at * 31 + seed * 7 + (at >> 8);
  return bytes;
}
