/** Memory stays flat, whatever the size of an object. LODE_LONG=1 takes the largest object there can be. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { type TestContext, test } from "node:test";
import { deadline, systemClock } from "#base/clock.ts";
import { expectCall, makeBucket, type Target } from "#test/fault/call.ts";
import { processTree, residentBytes } from "#test/support/process.ts";
import { type RealServer, startRealServer } from "#test/support/real-server.ts";
import { signedHeaders } from "#test/support/sign.ts";

const MEBIBYTE = 2 ** 20;
const OBJECT_BYTES = process.env["LODE_LONG"] === "1" ? 5 * 2 ** 30 : 256 * MEBIBYTE;
const RESIDENT_BYTES_MAX = 400 * MEBIBYTE;
const SAMPLE_MS = 50;
/** The object is this block again and again; no two of its KiB are alike. */
const BLOCK = Buffer.alloc(MEBIBYTE, Buffer.from(Array.from({ length: 1_021 }, (_, i) => i % 251)));

test("a large object is taken and given in bounded memory", async (t) => {
  if (process.platform !== "linux") {
    t.skip("the memory of a process is read from /proc");
    return;
  }
  const server = await startRealServer(t, { workers: 2, flags: ["--access-log", "false"] });
  const path = `${await makeBucket(server, "memory")}/large`;

  await t.test("PutObject", async (subtest) => {
    await requireFlat(subtest, server, () => upload(server, path));
    const { headers } = await expectCall(server, { method: "HEAD", path });
    assert.equal(headers["content-length"], String(OBJECT_BYTES));
  });

  await t.test("GetObject", async (subtest) => {
    await requireFlat(subtest, server, () => download(server, path));
  });

  await t.test("PutObject and GetObject under a client's key", async (subtest) => {
    await requireFlat(subtest, server, async () => {
      await upload(server, `${path}-hidden`, { headers: sseC("") });
      await download(server, `${path}-hidden`, { headers: sseC("") });
    });
  });

  await t.test("CopyObject that encrypts, and one that decrypts", async (subtest) => {
    await requireFlat(subtest, server, async () => {
      const encrypting = { "x-amz-copy-source": path, ...sseC("") };
      const hidden = { method: "PUT", path: `${path}-hidden`, headers: encrypting };
      await expectCall(server, hidden);
      const decrypting = { "x-amz-copy-source": `${path}-hidden`, ...sseC("copy-source-") };
      await expectCall(server, { method: "PUT", path: `${path}-plain`, headers: decrypting });
      await download(server, `${path}-plain`);
    });
  });

  await t.test("UploadPart and GetObject by part, eight at a time", async (subtest) => {
    const partPath = await createUpload(server, `${path}-parts`);
    await requireFlat(subtest, server, async () => {
      const sizeBytes = OBJECT_BYTES / 16;
      const numbers = Array.from({ length: 8 }, (_, index) => index + 1);
      await Promise.all(numbers.map((number) => upload(server, partPath(number), { sizeBytes })));
      await Promise.all(numbers.map(() => download(server, path, { sizeBytes })));
    });
  });
});

/** The most that all processes of the server hold together while `work` runs. */
async function requireFlat(
  t: TestContext,
  server: RealServer,
  work: () => Promise<void>,
): Promise<void> {
  let [most, running] = [0, true];
  const sampling = (async () => {
    while (running) {
      most = Math.max(most, residentBytes(processTree(server.pid)));
      await systemClock.sleep(SAMPLE_MS);
    }
  })();
  try {
    await work();
  } finally {
    running = false;
    await sampling;
  }
  t.diagnostic(`${Math.round(most / MEBIBYTE)} MiB resident at most`);
  assert.ok(most > 0 && most < RESIDENT_BYTES_MAX, `${most} bytes resident`);
}

async function createUpload(server: Target, path: string): Promise<(number: number) => string> {
  const { body } = await expectCall(server, { method: "POST", path: `${path}?uploads` });
  const id = /<UploadId>(\w+)</.exec(body.toString())?.[1];
  return (number) => `${path}?partNumber=${number}&uploadId=${id}`;
}

interface Transfer {
  /** All of it when absent. */
  readonly sizeBytes?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

async function upload(
  server: Target,
  path: string,
  { sizeBytes = OBJECT_BYTES, headers: more = {} }: Transfer = {},
): Promise<void> {
  const headers = { ...more, "content-length": String(sizeBytes) };
  const outgoing = open(server, { method: "PUT", path, headers });
  const answered = answerTo(outgoing);
  answered.catch(() => outgoing.destroy());
  const gone = new Promise((resolve) => outgoing.once("close", resolve));
  for (let sent = 0; sent < sizeBytes && !outgoing.destroyed; sent += BLOCK.length) {
    const flowing = outgoing.write(BLOCK.subarray(0, Math.min(BLOCK.length, sizeBytes - sent)));
    if (flowing) continue;
    await Promise.race([gone, new Promise((resolve) => outgoing.once("drain", resolve))]);
  }
  outgoing.end();
  const incoming = await answered;
  incoming.resume();
  assert.equal(incoming.statusCode, 200);
}

async function download(
  server: Target,
  path: string,
  { sizeBytes = OBJECT_BYTES, headers: more = {} }: Transfer = {},
): Promise<void> {
  const range = { range: `bytes=0-${sizeBytes - 1}` };
  const headers = { ...more, ...(sizeBytes === OBJECT_BYTES ? {} : range) };
  const outgoing = open(server, { method: "GET", path, headers });
  outgoing.end();
  let at = 0;
  for await (const chunk of await answerTo(outgoing)) {
    requirePattern(chunk, at);
    at += chunk.length;
  }
  assert.equal(at, sizeBytes);
}

/** `of` "copy-source-" for the source of a copy. */
function sseC(of: "" | "copy-source-"): Readonly<Record<string, string>> {
  const key = Buffer.alloc(32, "k");
  const stem = `x-amz-${of}server-side-encryption-customer`;
  return {
    [`${stem}-algorithm`]: "AES256",
    [`${stem}-key`]: key.toString("base64"),
    [`${stem}-key-md5`]: createHash("md5").update(key).digest("base64"),
  };
}

function requirePattern(chunk: Buffer, at: number): void {
  for (let done = 0; done < chunk.length; ) {
    const from = (at + done) % BLOCK.length;
    const count = Math.min(BLOCK.length - from, chunk.length - done);
    const same = BLOCK.compare(chunk, done, done + count, from, from + count) === 0;
    assert.ok(same, `the bytes from ${at + done} are not what was sent`);
    done += count;
  }
}

interface Opened {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

function open(server: Target, { method, path, headers }: Opened): ClientRequest {
  const { endpoint, accessKeyId, secret } = server;
  const { hostname, port } = new URL(endpoint);
  const unsigned = { method, url: endpoint + path, headers, payload: "UNSIGNED-PAYLOAD" };
  const signed = signedHeaders({ accessKeyId, secret, ...unsigned });
  return request({ hostname, port, method, path, headers: signed, agent: false });
}

async function answerTo(outgoing: ClientRequest): Promise<IncomingMessage> {
  return await new Promise((resolve, reject) => {
    const late = deadline(1_800_000, () => outgoing.destroy(new Error("no answer")));
    outgoing.once("response", (incoming) => {
      late.cancel();
      resolve(incoming);
    });
    outgoing.once("error", reject);
  });
}
