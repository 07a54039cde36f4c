/** What a server that was stopped leaves on its disk and in its log of objects that were to be encrypted. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { globSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { systemClock } from "#base/clock.ts";
import {
  call,
  expectCall,
  makeBucket,
  sentUpload,
  type Target,
  textsOf,
} from "#test/fault/call.ts";
import { ROOT_ENVIRONMENT, ROOT_KEY, serveCommand, start } from "#test/support/process.ts";
import { presignedUrl } from "#test/support/sign.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

type Headers = Readonly<Record<string, string>>;

/** Stands in every KiB of what must not be found, and nowhere else. */
const MARK = "recognizable-6f1c";
/** The same for what may be found: it proves that the search finds. */
const CONTROL = "in-the-clear-93ab";
const KEYS = ["1", "2"].map((digit) => Buffer.alloc(32, `customer-key-${digit}-of-mine `));
const SSE_S3: Headers = { "x-amz-server-side-encryption": "AES256" };
const SMALL_BYTES = 2_000;
const LARGE_BYTES = 300_000;
const PART_BYTES = 5 * 2 ** 20;
const DEFAULT =
  "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>";

function marked(mark: string, sizeBytes: number): Buffer {
  const lines = Array.from({ length: Math.ceil(sizeBytes / 1_024) }, (_, index) =>
    `${mark} ${index}`.padEnd(1_024, "~"),
  );
  return Buffer.from(lines.join("").slice(0, sizeBytes));
}

function sseC(at: number, of = ""): Headers {
  const key = KEYS[at] ?? Buffer.alloc(0);
  const stem = `x-amz-${of}server-side-encryption-customer`;
  return {
    [`${stem}-algorithm`]: "AES256",
    [`${stem}-key`]: key.toString("base64"),
    [`${stem}-key-md5`]: createHash("md5").update(key).digest("base64"),
  };
}

async function serve(t: TestContext, data: string) {
  const server = start(t, { command: serveCommand(data), environment: ROOT_ENVIRONMENT });
  const [, endpoint = ""] = await server.prints(/^ready s3=(\S+)/m);
  const target: Target = { endpoint, ...ROOT_KEY };
  return {
    target,
    stop: async () => {
      server.signal("SIGTERM");
      const { code, stderr } = await server.ended;
      assert.equal(code, 0, stderr);
      return stderr;
    },
  };
}

/** Every way to store what must not be found. */
async function storeInEveryWay(target: Target, bucket: string): Promise<void> {
  const put = async (path: string, body: Buffer | string, headers: Headers) =>
    await expectCall(target, { method: "PUT", path: bucket + path, body, headers });
  const ways = { c: sseC(0), s: SSE_S3, default: {} };
  for (const [way, headers] of Object.entries(ways)) {
    for (const size of [SMALL_BYTES, LARGE_BYTES]) {
      const body = marked(MARK, size);
      await put(`/${way}-${size}`, body, headers);
      await put(`/${way}-${size}-twice`, body, headers);
      await put(`/${way}-${size}-twice`, body, headers);
      await put(`/${way}-${size}-gone`, body, headers);
      const wrong = { ...headers, "content-md5": md5Of("") };
      const refused = { method: "PUT", path: `${bucket}/${way}-${size}-refused`, body };
      await expectCall(target, { ...refused, headers: wrong }, 400);
      const gone = { method: "DELETE", path: `${bucket}/${way}-${size}-gone` };
      await expectCall(target, gone, 204);
    }
    const parts = [marked(MARK, PART_BYTES), marked(MARK, SMALL_BYTES)];
    const sent = Object.hasOwn(headers, "x-amz-server-side-encryption") ? {} : headers;
    const upload = { parts, created: headers, sent };
    const whole = await sentUpload(target, { path: `${bucket}/${way}-parts`, ...upload });
    await expectCall(target, whole.complete);
    // One that is never completed, and one that is aborted.
    await sentUpload(target, { path: `${bucket}/${way}-left`, ...upload });
    const { uploadId } = await sentUpload(target, { path: `${bucket}/${way}-aborted`, ...upload });
    const path = `${bucket}/${way}-aborted?uploadId=${uploadId}`;
    await expectCall(target, { method: "DELETE", path }, 204);
  }
  for (const source of [`c-${SMALL_BYTES}`, `c-${LARGE_BYTES}`, "c-parts"]) {
    const from = { "x-amz-copy-source": `${bucket}/${source}`, ...sseC(0, "copy-source-") };
    await put(`/copy-to-another-key-${source}`, "", { ...from, ...sseC(1) });
    await put(`/copy-to-server-${source}`, "", { ...from, ...SSE_S3 });
    await put(`/copy-to-default-${source}`, "", from);
    const server = { "x-amz-copy-source": `${bucket}/copy-to-server-${source}` };
    await put(`/copy-to-key-${source}`, "", { ...server, ...sseC(1) });
    const upload = { parts: [], created: sseC(1), sent: sseC(1) };
    const made = await sentUpload(target, { path: `${bucket}/part-of-${source}`, ...upload });
    const part = `/part-of-${source}?partNumber=1&uploadId=${made.uploadId}`;
    await put(part, "", { ...from, ...sseC(1), "x-amz-copy-source-range": "bytes=100-1900" });
    await put(`/renamed-${source}?renameObject`, "", {
      "x-amz-rename-source": `${bucket}/copy-to-key-${source}`,
    });
    await put(`/renamed-${source}?tagging`, "<Tagging><TagSet/></Tagging>", {});
  }
}

/** Requests that fail, each with a key in it. */
async function failInEveryWay(target: Target, bucket: string): Promise<void> {
  const path = `${bucket}/c-${LARGE_BYTES}`;
  const get = { method: "GET", path, headers: sseC(0) };
  await expectCall(target, { ...get, headers: sseC(1) }, 403);
  await expectCall(target, { ...get, headers: { ...sseC(0), range: "bytes=9999999-" } }, 416);
  await expectCall(target, { ...get, path: `${path}-missing` }, 404);
  const wrong = await call({ ...target, secret: "wrong" }, get);
  assert.equal(wrong.code, "SignatureDoesNotMatch");
  const algorithm = { "x-amz-server-side-encryption-customer-algorithm": "AES128" };
  await expectCall(target, { ...get, headers: { ...sseC(0), ...algorithm } }, 400);
  const md5 = { "x-amz-server-side-encryption-customer-key-md5": md5Of("") };
  await expectCall(target, { ...get, headers: { ...sseC(0), ...md5 } }, 400);
  const query = new URLSearchParams(sseC(0)).toString();
  const url = `${target.endpoint}${path}?${query}`;
  const { accessKeyId, secret } = target;
  const inQuery = { accessKeyId, method: "GET", expiresSeconds: 60, url, headers: {} };
  assert.equal(
    (await fetch(presignedUrl({ ...inQuery, secret, nowMs: systemClock.now() }))).status,
    200,
  );
  const refused = presignedUrl({ ...inQuery, secret: "wrong", nowMs: systemClock.now() });
  assert.equal((await fetch(refused)).status, 403);
}

function md5Of(text: string): string {
  return createHash("md5").update(text).digest("base64");
}

/** In which files these bytes are. */
function filesWith(data: string, text: string | Buffer): string[] {
  const paths = globSync("**/*", { cwd: data }).filter((path) =>
    statSync(join(data, path)).isFile(),
  );
  return paths.filter((path) => readFileSync(join(data, path)).includes(text));
}

/** What tells a key, in each form that it may have. */
function formsOf(key: Buffer): (string | Buffer)[] {
  const md5 = createHash("md5").update(key).digest();
  return [key, md5].flatMap((bytes) => [
    bytes,
    bytes.toString("base64").replace(/=+$/, ""),
    encodeURIComponent(bytes.toString("base64").replace(/=+$/, "")),
    bytes.toString("base64url").replace(/=+$/, ""),
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
  ]);
}

test("of encrypted objects neither the disk nor the log shows the bytes or a key", async (t) => {
  const data = await temporaryDirectory();
  const first = await serve(t, data);
  const bucket = await makeBucket(first.target, "encrypted");
  const plain = await makeBucket(first.target, "plain");
  await expectCall(first.target, { method: "PUT", path: `${bucket}?encryption`, body: DEFAULT });
  for (const size of [SMALL_BYTES, LARGE_BYTES]) {
    const body = marked(CONTROL, size);
    await expectCall(first.target, { method: "PUT", path: `${plain}/${size}`, body });
  }
  await storeInEveryWay(first.target, bucket);
  await failInEveryWay(first.target, bucket);
  const log = await first.stop();

  await t.test("the disk", () => {
    const found = filesWith(data, CONTROL);
    assert.ok(found.includes("metadata/data.mdb") && found.length === 2, found.join());
    assert.deepEqual(filesWith(data, MARK), []);
    for (const form of KEYS.flatMap(formsOf)) assert.deepEqual(filesWith(data, form), []);
  });

  await t.test("the master key stands in its file alone", () => {
    const text = readFileSync(join(data, "master-key"), "utf8");
    const [key = ""] = text.match(/^[0-9a-f]{64}$/m) ?? [];
    assert.deepEqual(filesWith(data, key), ["master-key"]);
    assert.deepEqual(filesWith(data, Buffer.from(key, "hex")), []);
    assert.equal(statSync(join(data, "master-key")).mode & 0o077, 0);
    assert.equal(log.includes(key), false);
  });

  await t.test("the log", () => {
    for (const code of ["AccessDenied", "SignatureDoesNotMatch", "InvalidArgument"]) {
      assert.ok(log.includes(`"code":"${code}"`), code);
    }
    assert.equal(log.includes(MARK), false);
    for (const form of KEYS.flatMap(formsOf))
      assert.equal(log.includes(form.toString("latin1")), false);
  });

  await t.test("and all of it is read again by the next start", async () => {
    const second = await serve(t, data);
    const listed = await expectCall(second.target, { method: "GET", path: bucket });
    const keys = textsOf(listed.body.toString(), "Key");
    assert.equal(keys.length, 27);
    for (const key of keys) {
      const got = await readWithAnyKey(second.target, `${bucket}/${key}`);
      const size = key.includes("parts") ? PART_BYTES + SMALL_BYTES : Number(/\d+/.exec(key)?.[0]);
      const parts = [marked(MARK, PART_BYTES), marked(MARK, SMALL_BYTES)];
      const expected = key.includes("parts") ? Buffer.concat(parts) : marked(MARK, size);
      assert.ok(got.equals(expected), key);
    }
    await second.stop();
  });

  await t.test(
    "a blob that was changed on the disk breaks the answer, and the log shows no key",
    async () => {
      for (const path of globSync("blobs/??/*", { cwd: data })) flipBit(join(data, path));
      const third = await serve(t, data);
      for (const [key, headers] of Object.entries({
        [`c-${LARGE_BYTES}`]: sseC(0),
        "s-parts": {},
      })) {
        await assert.rejects(
          call(third.target, { method: "GET", path: `${bucket}/${key}`, headers }),
        );
      }
      const faults = await third.stop();
      assert.match(faults, /encrypted content is not what was written/);
      for (const form of KEYS.flatMap(formsOf))
        assert.equal(faults.includes(form.toString("latin1")), false);
    },
  );
});

async function readWithAnyKey(target: Target, path: string): Promise<Buffer> {
  for (const headers of [{}, sseC(0), sseC(1)]) {
    const got = await call(target, { method: "GET", path, headers });
    if (got.status === 200) return got.body;
  }
  throw new Error(`no key opens ${path}`);
}

function flipBit(path: string): void {
  const bytes = readFileSync(path);
  bytes[1_000] = (bytes[1_000] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}
