/** What a form stores, and what it answers. Who may is in post-object-policy.test.ts. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { post, postBody, postUnsigned } from "#test/s3/post-form.ts";
import { assertBody, assertEncrypted, KEY, pattern, SIZES, SSE_S3, sseC } from "#test/s3/sse.ts";
import { assertRefused, only } from "#test/s3/xml.ts";
import { multipart, signedForm } from "#test/support/form.ts";
import { ROOT, startServer } from "#test/support/server.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

test("PostObject stores the file of a signed form, and answers 204 with its ETag and place", async (t) => {
  const s3 = await startServer(t);

  const reply = await post(s3, { fields: { key: "a/key" }, file: "123456789" });

  assert.equal(reply.status, 204, reply.text);
  assert.equal(reply.bytes.length, 0);
  assert.equal(reply.headers["etag"], '"25f9e794323b453885f5181f1b624d0b"');
  assert.equal(reply.headers["x-amz-checksum-crc64nvme"], "rosUhgp5mIg=");
  assert.equal(reply.headers["location"], `http://127.0.0.1:${s3.port}/bucket/a%2Fkey`);
  assert.equal(reply.headers["x-amz-version-id"], undefined);
  const got = await s3.get("/bucket/a/key");
  assert.equal(got.text, "123456789");
  assert.equal(got.headers["content-type"], "binary/octet-stream");
});

test("PostObject takes a form at the host name of the bucket", async (t) => {
  const s3 = await startServer(t);
  const host = `bucket.localhost:${s3.port}`;
  const fields = signedForm({
    ...ROOT,
    ...{ bucket: "bucket", fields: { key: "ä" }, nowMs: s3.clock.now() },
  });
  const { body, headers } = multipart([...fields, ["file", "bytes"]]);

  const reply = await postBody(s3, { path: "/", body, headers: { ...headers, host } });

  assert.equal(reply.status, 204, reply.text);
  assert.equal(reply.headers["location"], `http://${host}/%C3%A4`);
  assert.equal((await s3.get("/bucket/%C3%A4")).text, "bytes");
});

for (const size of [0, 1, 16, 17, 18, 19, 1_000, 70_000, 300_000]) {
  test(`PostObject gives back ${size} bytes as they were, whatever stands behind them`, async (t) => {
    const s3 = await startServer(t);
    const bytes = Buffer.from(Array.from({ length: size }, (_, at) => (at * 7 + (at >> 8)) & 255));
    const submit = ["submit", "Upload"] as const;
    const forms = [{ form: { end: "" } }, {}, { behind: [submit] }, { form: { end: "\r\nmore" } }];

    for (const form of forms) {
      const reply = await post(s3, { file: bytes, ...form });

      assert.equal(reply.status, 204, reply.text);
      const md5 = createHash("md5").update(bytes).digest("hex");
      assert.equal(reply.headers["etag"], `"${md5}"`);
      const got = await s3.get("/bucket/key");
      assert.ok(bytes.equals(got.bytes));
      assert.equal(got.headers["content-length"], String(size));
      assert.match((await s3.get("/bucket")).text, new RegExp(`<Size>${size}</Size>`));
    }
  });
}

test("PostObject takes what looks like the start of a boundary for what it is", async (t) => {
  const s3 = await startServer(t);
  const file = `\r\n--x\r\r\n--\r\n------FormBoundary7MA4YWxkTrZu0g!\r\n${"\r".repeat(100_000)}\r\n--`;

  const reply = await post(s3, { file });

  assert.equal(reply.status, 204, reply.text);
  assertBody(await s3.get("/bucket/key"), file);
});

test("PostObject stores what the fields say, as PutObject does what its headers say", async (t) => {
  const s3 = await startServer(t);
  const said = {
    ...{ "Content-Type": "text/html", "Cache-Control": "no-cache", Expires: "tomorrow" },
    ...{ "Content-Disposition": 'attachment; filename="ü"', "content-language": "de" },
    ...{
      "Content-Encoding": "gzip",
      "x-amz-meta-A": "grün",
      "x-amz-meta-b": " \tb ",
      "X-Amz-Storage-Class": "STANDARD_IA",
    },
  };

  const posted = await post(s3, { fields: { key: "posted", acl: "private", ...said } });
  const latin1 = Object.entries(said).map(([name, value]) => [
    name.toLowerCase(),
    Buffer.from(value).toString("latin1"),
  ]);
  await s3.put("/bucket/put", "bytes", Object.fromEntries(latin1));

  assert.equal(posted.status, 204, posted.text);
  const [a, b] = [await s3.get("/bucket/posted"), await s3.get("/bucket/put")];
  const told = ({ headers }: typeof a) =>
    Object.entries(headers).filter(
      ([name]) => !/^(?:date|last-modified|x-amz-(?:request-id|id-2))$/.test(name),
    );
  assert.deepEqual(told(a), told(b));
  assert.equal(a.headers["x-amz-storage-class"], "STANDARD_IA");
});

test("PostObject takes the type of the object from its field, not from the part of the file", async (t) => {
  const s3 = await startServer(t);

  await post(s3);

  assert.equal((await s3.get("/bucket/key")).headers["content-type"], "binary/octet-stream");
});

test("PostObject stores the tags of a document", async (t) => {
  const s3 = await startServer(t);
  const tagging =
    "<Tagging><TagSet><Tag><Key>a &amp; b</Key><Value></Value></Tag><Tag><Key>c</Key><Value>=d</Value></Tag></TagSet></Tagging>";
  // What the document may not have.
  const plain = tagging.replace("a &amp; b", "a b");

  const reply = await post(s3, { fields: { key: "key", tagging: plain } });

  assert.equal(reply.status, 204, reply.text);
  const { text } = await s3.get("/bucket/key?tagging");
  assert.match(text, /<Key>a b<\/Key><Value><\/Value>.*<Key>c<\/Key><Value>=d<\/Value>/);
  assertRefused(await post(s3, { fields: { key: "key", tagging } }), 400, "InvalidTag");
  assertRefused(await post(s3, { fields: { key: "key", tagging: "<Tag" } }), 400, "MalformedXML");
  assertRefused(await post(s3, { fields: { key: "key", tagging: "<A/>" } }), 400, "MalformedXML");
});

test("PostObject puts the name of the file where a field asks for it, without its path", async (t) => {
  const s3 = await startServer(t);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: so it stands in forms.
  const fields = { key: "user/${filename}", "x-amz-meta-name": "${filename}/${filename}" };
  const conditions = [
    { bucket: "bucket" },
    ["starts-with", "$key", "user/"],
    ["starts-with", "$x-amz-meta-name", ""],
  ];
  const names = [
    ["a b.txt", "a b.txt"],
    ["dir/sub/x$&.txt", "x$&.txt"],
    ["C:\\\\dir\\\\y.txt", "y.txt"],
    ["C:\\dir\\z.txt", "z.txt"],
    ['q\\"q.txt', 'q"q.txt'],
  ] as const;

  for (const [filename, expected] of names) {
    const reply = await post(s3, { fields, conditions, form: { filename } });

    assert.equal(reply.status, 204, reply.text);
    const got = await s3.get(`/bucket/user/${encodeURIComponent(expected)}`);
    assert.equal(got.text, "bytes", expected);
    assert.equal(got.headers["x-amz-meta-name"], `${expected}/${expected}`);
  }
});

test("PostObject refuses a name of the file that no key could have, where one is asked for", async (t) => {
  const s3 = await startServer(t);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: so it stands in forms.
  const fields = { key: "${filename}" };
  const conditions = [{ bucket: "bucket" }, ["starts-with", "$key", ""]];

  for (const filename of ["x".repeat(1_025), "\uFFFD"]) {
    const reply = await post(s3, { fields, conditions, form: { filename } });
    assertRefused(reply, 400, "MalformedPOSTRequest");
    assert.equal((await post(s3, { form: { filename } })).status, 204);
  }
  const none = await post(s3, { fields, conditions, form: { filename: "" } });
  assert.equal(only(none.text, "ArgumentName"), "key");
});

test("PostObject answers the status that is asked for, and with 201 what was made", async (t) => {
  const s3 = await startServer(t);
  const ask = async (status: string) =>
    await post(s3, { fields: { key: "a/<b>", success_action_status: status } });

  assert.equal((await ask("204")).status, 204);
  assert.equal((await ask("404")).status, 204);
  const ok = await ask("200");
  assert.deepEqual([ok.status, ok.text], [200, ""]);
  const created = await ask("201");
  assert.equal(created.status, 201);
  const location = `http://127.0.0.1:${s3.port}/bucket/a%2F%3Cb%3E`;
  assert.equal(created.headers["location"], location);
  assert.equal(created.headers["content-type"], "application/xml");
  assert.equal(only(created.text, "Location"), location);
  assert.equal(only(created.text, "Bucket"), "bucket");
  assert.equal(only(created.text, "Key"), "a/<b>");
  assert.equal(only(created.text, "ETag"), created.headers["etag"]);
  assert.match(created.text, /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<PostResponse>/);
});

const ADDED = "bucket=bucket&key=a%26b&etag=%224b3a6218bb3e3a7303e8a171a60fcf92%22";
for (const [redirect, expected] of [
  ["http://example.com/done", `http://example.com/done?${ADDED}`],
  ["https://example.com/done?a=%20b#part", `https://example.com/done?a=%20b&${ADDED}#part`],
  ["http://example.com/ü\r\nSet-Cookie: x", `http://example.com/%C3%BCSet-Cookie:%20x?${ADDED}`],
  ["/nowhere", undefined],
  ["javascript:alert(1)", undefined],
  ["", undefined],
] as const) {
  test(`PostObject sends on to ${JSON.stringify(redirect)} when that is an address`, async (t) => {
    const s3 = await startServer(t);

    for (const field of ["success_action_redirect", "redirect"]) {
      const fields = { key: "a&b", [field]: redirect, success_action_status: "200" };
      const reply = await post(s3, { fields });

      if (expected === undefined) assert.equal(reply.status, 200);
      else assert.deepEqual([reply.status, reply.headers["location"]], [303, expected]);
      assert.equal((await s3.get("/bucket/a%26b")).text, "bytes");
    }
  });
}

test("PostObject answers the version it made", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");

  const [first, second] = [await post(s3, { file: "1" }), await post(s3, { file: "2" })];

  const versionId = first.headers["x-amz-version-id"];
  assert.notEqual(versionId, second.headers["x-amz-version-id"]);
  assert.equal((await s3.get(`/bucket/key?versionId=${versionId}`)).text, "1");
  assert.equal((await s3.get("/bucket/key")).text, "2");
});

test("PostObject holds the file to the digests in its fields", async (t) => {
  const s3 = await startServer(t);
  const good: readonly Readonly<Record<string, string>>[] = [
    { "content-md5": "JfnnlDI7RTiF9RgfG2JNCw==" },
    { "x-amz-checksum-crc32": "y/Q5Jg==" },
    { "x-amz-checksum-crc32": "y/Q5Jg==", "x-amz-checksum-algorithm": "CRC32" },
  ];
  const bad = [
    [{ "content-md5": "4vxxTEcn7pOV8yTNLn8zHw==" }, "BadDigest"],
    [{ "x-amz-checksum-crc32": "AAAAAA==" }, "BadDigest"],
    [{ "x-amz-checksum-sha256": "sailor" }, "InvalidRequest"],
    [{ "x-amz-checksum-crc32": "y/Q5Jg==", "x-amz-checksum-algorithm": "SHA1" }, "InvalidRequest"],
  ] as const;

  for (const sums of good) {
    const reply = await post(s3, { fields: { key: "key", ...sums }, file: "123456789" });
    assert.equal(reply.status, 204, reply.text);
    const sum = sums["x-amz-checksum-crc32"];
    if (sum !== undefined) assert.equal(reply.headers["x-amz-checksum-crc32"], sum);
  }
  for (const [sums, code] of bad) {
    const reply = await post(s3, { fields: { key: "bad", ...sums }, file: "123456789" });
    assertRefused(reply, 400, code);
  }
  assertRefused(await s3.get("/bucket/bad"), 404, "NoSuchKey");
});

for (const size of SIZES) {
  test(`PostObject encrypts ${size} bytes as it is asked to, whatever stands behind them`, async (t) => {
    const s3 = await startServer(t);
    const file = pattern(size);

    for (const behind of [[], [["submit", "Upload"]] as const]) {
      const own = await post(s3, { fields: { key: "own", ...sseC(KEY) }, file, behind });
      const server = await post(s3, { fields: { key: "server", ...SSE_S3 }, file, behind });

      assert.deepEqual([own.status, server.status], [204, 204], own.text + server.text);
      assertEncrypted(own, KEY);
      assertEncrypted(server, "SSE-S3");
      assertBody(await s3.get("/bucket/own", sseC(KEY)), file);
      assertRefused(await s3.get("/bucket/own"), 400, "InvalidRequest");
      assertBody(await s3.get("/bucket/server"), file);
      const copied = await s3.put("/bucket/copy", "", { "x-amz-copy-source": "bucket/server" });
      assert.equal(copied.status, 200, copied.text);
      assertBody(await s3.get("/bucket/copy"), file);
      if (size < 100_000) continue;
      const range = { range: `bytes=70000-${size + 10}` };
      assertBody(await s3.get("/bucket/own", { ...sseC(KEY), ...range }), file.slice(70_000));
    }
  });
}

test("PostObject refuses what PutObject refuses of its headers", async (t) => {
  const s3 = await startServer(t);
  const cases = [
    [{ acl: "public-read" }, 400, "AccessControlListNotSupported"],
    [{ acl: "nobody" }, 400, "InvalidArgument"],
    [{ "x-amz-storage-class": "COLD" }, 400, "InvalidStorageClass"],
    [{ "x-amz-server-side-encryption": "aws:kms" }, 501, "NotImplemented"],
    [{ "x-amz-object-lock-mode": "GOVERNANCE" }, 501, "NotImplemented"],
    [{ "x-amz-meta-a": "x".repeat(2_048) }, 400, "MetadataTooLarge"],
    [{ "x-amz-website-redirect-location": "nowhere" }, 400, "InvalidRedirectLocation"],
    [{ "x-amz-meta-a b": "x" }, 400, "InvalidArgument"],
    [{ "content-type": "text/plain\r\nx-evil: 1" }, 400, "InvalidArgument"],
    [{ key: "x".repeat(1_025) }, 400, "KeyTooLongError"],
  ] as const;

  for (const [fields, status, code] of cases) {
    assertRefused(await post(s3, { fields: { key: "key", ...fields } }), status, code);
  }
  assertRefused(await s3.get("/bucket/key"), 404, "NoSuchKey");
});

test("PostObject does not take a header of the form for one of the object", async (t) => {
  const s3 = await startServer(t);
  const headers = {
    ...{ "x-amz-meta-a": "1", "cache-control": "no-store", "x-amz-acl": "public-read" },
    ...{ "x-amz-checksum-crc32": "AAAAAA==", "content-md5": "4vxxTEcn7pOV8yTNLn8zHw==" },
  };

  const reply = await post(s3, { headers });

  assert.equal(reply.status, 204, reply.text);
  const got = await s3.get("/bucket/key");
  assert.equal(got.headers["x-amz-meta-a"], undefined);
  assert.equal(got.headers["cache-control"], undefined);
});

test("PostObject holds to conditions and to the owner of the bucket that are in headers or fields", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "first");
  const once = { "if-none-match": "*" };

  assertRefused(await post(s3, { headers: once }), 412, "PreconditionFailed");
  assertRefused(await post(s3, { fields: { key: "key", ...once } }), 412, "PreconditionFailed");
  const headers = { "x-amz-expected-bucket-owner": "somebody" };
  assertRefused(await post(s3, { headers }), 403, "AccessDenied");
  assert.equal((await s3.get("/bucket/key")).text, "first");
});

test("PostObject answers what a browser needs to show its answer", async (t) => {
  const s3 = await startServer(t);
  const rule =
    "<AllowedOrigin>http://a.example</AllowedOrigin><AllowedMethod>POST</AllowedMethod><ExposeHeader>ETag</ExposeHeader>";
  const body = `<CORSConfiguration><CORSRule>${rule}</CORSRule></CORSConfiguration>`;
  await s3.request({ method: "PUT", path: "/bucket?cors", body });
  const headers = { origin: "http://a.example" };

  const [good, bad] = [await post(s3, { headers }), await postUnsigned(s3, [], { headers })];

  for (const reply of [good, bad]) {
    assert.equal(reply.headers["access-control-allow-origin"], "http://a.example");
    assert.equal(reply.headers["access-control-expose-headers"], "ETag");
  }
});

test("PostObject goes into a volume, as a file or a directory", async (t) => {
  const s3 = await startServer(t);
  const root = await temporaryDirectory();
  await s3.makeVolume("volume", root);
  const behind = [["submit", "Upload"]] as const;
  const to = { bucket: "volume", behind };

  const file = await post(s3, { ...to, fields: { key: "a/file" }, file: pattern(100_000) });
  const directory = await post(s3, { ...to, fields: { key: "b/" }, file: "" });
  const neither = await post(s3, { ...to, fields: { key: "c/" }, file: "x" });

  assert.deepEqual([file.status, directory.status], [204, 204], file.text + directory.text);
  assert.equal(readFileSync(join(root, "a", "file"), "utf8"), pattern(100_000));
  assertRefused(neither, 400, "InvalidArgument");
  assert.doesNotMatch((await s3.get("/volume")).text, /<Key>c/);
});

test("PostObject counts towards quotas what the file has, and not its form", async (t) => {
  const s3 = await startServer(t, { region: "US-EAST-04A" });
  const quota = { zone: "US-EAST-04A", storageClass: "STANDARD", bytes: 100 } as const;
  await s3.identities.quotas.set(s3.organizationId, quota);
  const file = (bytes: number) => ({
    file: "x".repeat(bytes),
    behind: [["submit", "Upload"]] as const,
  });

  assert.equal((await post(s3, { fields: { key: "a" }, ...file(60) })).status, 204);
  assertRefused(await post(s3, { fields: { key: "b" }, ...file(41) }), 403, "AccountProblem");
  assert.equal((await post(s3, { fields: { key: "b" }, ...file(40) })).status, 204);
});
