import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { assertRefused, inners, only, s3Document, texts } from "#test/s3/xml.ts";
import { type Ask, START_MS, STRANGER, startServer } from "#test/support/server.ts";

const OBJECT = (key: string, more = "") => `<Object><Key>${key}</Key>${more}</Object>`;
const DELETE = (objects: string, quiet?: boolean) =>
  `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${objects}${quiet === undefined ? "" : `<Quiet>${quiet}</Quiet>`}</Delete>`;
const ask = (body: string, more: Partial<Ask> = {}): Ask => ({
  ...{ method: "POST", path: "/bucket", query: "delete", body },
  ...more,
});

test("DeleteObjects removes the keys and answers each, missing ones too, in this document", async (t) => {
  const s3 = await startServer(t);
  await s3.fill("bucket", ["a", "b/c", "kept"]);

  const reply = await s3.request(ask(DELETE(OBJECT("a") + OBJECT("b/c") + OBJECT("missing"))));

  assert.equal(reply.status, 200);
  assert.equal(
    reply.text,
    s3Document(
      "DeleteResult",
      "<Deleted><Key>a</Key></Deleted><Deleted><Key>b/c</Key></Deleted><Deleted><Key>missing</Key></Deleted>",
    ),
  );
  assert.deepEqual(texts((await s3.get("/bucket")).text, "Key"), ["kept"]);
});

test("DeleteObjects in quiet mode answers nothing of what it removed", async (t) => {
  const s3 = await startServer(t);
  await s3.fill("bucket", ["a", "b"]);

  const reply = await s3.request(ask(DELETE(OBJECT("a") + OBJECT("b"), true)));

  assert.equal(reply.text, s3Document("DeleteResult", ""));
  assert.deepEqual(texts((await s3.get("/bucket")).text, "Key"), []);
});

test("DeleteObjects is not quiet when Quiet is false", async (t) => {
  const s3 = await startServer(t);

  const reply = await s3.request(ask(DELETE(OBJECT("a"), false)));

  assert.deepEqual(texts(reply.text, "Key"), ["a"]);
});

test("DeleteObjects takes the bucket with a slash behind it, and keys with special characters", async (t) => {
  const s3 = await startServer(t);
  await s3.fill("bucket", ["a&b<c>", "é 😀", "x\ry"]);
  const body = DELETE(OBJECT("a&amp;b&lt;c&gt;") + OBJECT("é 😀") + OBJECT("x&#13;y"));

  const reply = await s3.request(ask(body, { path: "/bucket/" }));

  assert.deepEqual(texts(reply.text, "Key"), ["a&b<c>", "é 😀", "x\ry"]);
  assert.deepEqual(texts((await s3.get("/bucket")).text, "Key"), []);
});

test("DeleteObjects tells of a key that fails and removes the others, quiet or not", async (t) => {
  for (const quiet of [true, false]) {
    const s3 = await startServer(t);
    await s3.fill("bucket", ["a", "b", "c"]);
    const body = DELETE(OBJECT("a") + OBJECT("b", "<ETag>other</ETag>") + OBJECT("c"), quiet);

    const reply = await s3.request(ask(body));

    const [error = ""] = inners(reply.text, "Error");
    assert.equal(reply.status, 200);
    assert.equal(only(error, "Key"), "b");
    assert.equal(only(error, "Code"), "PreconditionFailed");
    assert.equal(inners(reply.text, "Deleted").length, quiet ? 0 : 2);
    assert.deepEqual(texts((await s3.get("/bucket")).text, "Key"), ["b"]);
  }
});

test("DeleteObjects answers 200 with an error for each key to whom none is allowed, and 403 where that would tell of a bucket", async (t) => {
  const s3 = await startServer(t);
  await s3.fill("bucket", ["a", "b"]);

  const reply = await s3.request(ask(DELETE(OBJECT("a") + OBJECT("b")), { as: STRANGER }));
  assert.equal(reply.status, 200);
  assert.deepEqual(texts(reply.text, "Key"), ["a", "b"]);
  assert.deepEqual(texts(reply.text, "Code"), ["AccessDenied", "AccessDenied"]);

  const body = DELETE(OBJECT("a"));
  const headers = { "content-md5": md5(body) };
  for (const more of [{ as: STRANGER, path: "/missing" }, { sign: false }] as const) {
    assertRefused(await s3.request(ask(body, { headers, ...more })), 403, "AccessDenied");
  }
  assert.deepEqual(texts((await s3.get("/bucket")).text, "Key"), ["a", "b"]);
});

test("DeleteObjects holds time and size of each key, and removes nothing that is another", async (t) => {
  const s3 = await startServer(t);
  await s3.fill("bucket", ["a", "b", "c", "d"]);
  const time = (ms: number) => `<LastModifiedTime>${new Date(ms).toUTCString()}</LastModifiedTime>`;
  const objects = [
    OBJECT("a", time(START_MS)),
    OBJECT("b", time(0)),
    OBJECT("c", "<Size>0</Size>"),
    OBJECT("d", "<Size>1</Size>"),
  ];

  const reply = await s3.request(ask(DELETE(objects.join(""))));

  const refused = inners(reply.text, "Error").map((error) => [
    only(error, "Key"),
    only(error, "Code"),
  ]);
  assert.deepEqual(refused.sort(), [
    ["b", "PreconditionFailed"],
    ["d", "PreconditionFailed"],
  ]);
  assert.deepEqual(texts((await s3.get("/bucket")).text, "Key"), ["b", "d"]);
});

test("DeleteObjects refuses a condition together with a version id, and keeps the version", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");
  const old = await s3.put("/bucket/a", "old");
  const current = await s3.put("/bucket/a", "new");
  const id = old.headers["x-amz-version-id"];
  const etag = current.headers["etag"]?.replaceAll('"', "&quot;");

  const object = OBJECT("a", `<VersionId>${id}</VersionId><ETag>${etag}</ETag>`);
  const reply = await s3.request(ask(DELETE(object)));

  const [error = ""] = inners(reply.text, "Error");
  assert.equal(only(error, "Code"), "NotImplemented", reply.text);
  assert.equal((await s3.get(`/bucket/a?versionId=${id}`)).text, "old");
});

test("DeleteObjects removes a key whose ETag is the one that is named", async (t) => {
  const s3 = await startServer(t);
  const etag = (await s3.put("/bucket/a", "bytes")).headers["etag"] ?? "";

  await s3.request(ask(DELETE(OBJECT("a", `<ETag>${etag.replaceAll('"', "&quot;")}</ETag>`))));

  assertRefused(await s3.get("/bucket/a"), 404, "NoSuchKey");
});

test("DeleteObjects lays delete markers where versions are kept, and removes named versions", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");
  const versionId = (await s3.put("/bucket/b", "bytes")).headers["x-amz-version-id"] ?? "";
  await s3.put("/bucket/a", "bytes");

  const named = OBJECT("b", `<VersionId>${versionId}</VersionId>`);
  const { text } = await s3.request(ask(DELETE(OBJECT("a") + named)));

  const [a = "", b = ""] = inners(text, "Deleted");
  assert.equal(only(a, "DeleteMarker"), "true");
  assert.match(only(a, "DeleteMarkerVersionId") ?? "", /^[0-9a-f]{16}$/);
  assert.equal(only(a, "VersionId"), undefined);
  assert.equal(only(b, "VersionId"), versionId);
  assert.equal(only(b, "DeleteMarker"), undefined);
});

test("DeleteObjects tells NoSuchVersion of a version id that could be none", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/a", "bytes");

  const { status, text } = await s3.request(
    ask(DELETE(OBJECT("a", "<VersionId>made-up</VersionId>"))),
  );

  assert.equal(status, 200);
  assert.equal(only(text, "Code"), "NoSuchVersion");
  assert.equal((await s3.get("/bucket/a")).text, "bytes");
});

test("DeleteObjects that removes a delete marker tells so", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");
  const marker = await s3.request({ method: "DELETE", path: "/bucket/a" });
  const versionId = marker.headers["x-amz-version-id"] ?? "";

  const { text } = await s3.request(
    ask(DELETE(OBJECT("a", `<VersionId>${versionId}</VersionId>`))),
  );

  assert.equal(only(text, "DeleteMarker"), "true");
  assert.equal(only(text, "VersionId"), versionId);
  assert.equal(only(text, "DeleteMarkerVersionId"), versionId);
});

test("DeleteObjects takes 1,000 keys", async (t) => {
  const s3 = await startServer(t);
  const keys = Array.from({ length: 1_000 }, (_, index) => `key-${index}`);
  await s3.fill("bucket", keys);

  const reply = await s3.request(ask(DELETE(keys.map((key) => OBJECT(key)).join(""))));

  assert.deepEqual(texts(reply.text, "Key"), keys);
  assert.deepEqual(texts((await s3.get("/bucket")).text, "Key"), []);
});

test("DeleteObjects takes the same key twice", async (t) => {
  const s3 = await startServer(t);
  await s3.fill("bucket", ["a"]);

  const reply = await s3.request(ask(DELETE(OBJECT("a") + OBJECT("a"))));

  assert.deepEqual(texts(reply.text, "Key"), ["a", "a"]);
});

const TOO_MANY = Array.from({ length: 1_001 }, (_, index) => OBJECT(`key-${index}`)).join("");
const REFUSED: readonly {
  why: string;
  body: string;
  more?: Partial<Ask>;
  status?: number;
  code: string;
}[] = [
  { why: "1,001 keys", body: DELETE(OBJECT("kept") + TOO_MANY), code: "MalformedXML" },
  { why: "no key", body: DELETE(""), code: "MalformedXML" },
  { why: "no document", body: "", code: "MalformedXML" },
  { why: "an object without a key", body: DELETE("<Object/>"), code: "MalformedXML" },
  { why: "an empty key", body: DELETE(OBJECT("")), code: "MalformedXML" },
  {
    why: "a document that is cut",
    body: DELETE(OBJECT("kept")).slice(0, -3),
    code: "MalformedXML",
  },
  { why: "another document", body: "<Tagging/>", code: "MalformedXML" },
  {
    why: "entities",
    body: `<!DOCTYPE x [<!ENTITY e "kept">]>${DELETE(OBJECT("&e;"))}`,
    code: "MalformedXML",
  },
  {
    why: "a body over 2 MiB",
    body: DELETE(OBJECT("kept") + " ".repeat(2 * 2 ** 20)),
    code: "MaxMessageLengthExceeded",
  },
  {
    why: "a body that nothing vouches for",
    body: DELETE(OBJECT("kept")),
    more: { sign: { payload: "UNSIGNED-PAYLOAD" } },
    code: "InvalidRequest",
  },
  {
    why: "a wrong Content-MD5",
    body: DELETE(OBJECT("kept")),
    more: { headers: { "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==" } },
    code: "BadDigest",
  },
  {
    why: "a wrong checksum",
    body: DELETE(OBJECT("kept")),
    more: { headers: { "x-amz-checksum-crc32": "AAAAAA==" } },
    code: "BadDigest",
  },
  {
    why: "a missing bucket",
    body: DELETE(OBJECT("kept")),
    more: { path: "/missing" },
    status: 404,
    code: "NoSuchBucket",
  },
  {
    why: "an anonymous caller",
    body: DELETE(OBJECT("kept")),
    more: { sign: false, headers: { "content-md5": md5(DELETE(OBJECT("kept"))) } },
    status: 403,
    code: "AccessDenied",
  },
];
for (const { why, body, more = {}, status = 400, code } of REFUSED) {
  test(`DeleteObjects refuses ${why} with ${code} and removes nothing`, async (t) => {
    const s3 = await startServer(t);
    await s3.fill("bucket", ["kept"]);

    assertRefused(await s3.request(ask(body, more)), status, code);
    assert.deepEqual(texts((await s3.get("/bucket")).text, "Key"), ["kept"]);
  });
}

const VOUCHED: Readonly<Record<string, (body: string) => Partial<Ask>>> = {
  "Content-MD5": (body) => ({ headers: { "content-md5": md5(body) } }),
  "a checksum": (body) => ({ headers: { "x-amz-checksum-sha256": sha256(body) } }),
};
for (const [what, headers] of Object.entries(VOUCHED)) {
  test(`DeleteObjects takes an unsigned body with ${what}`, async (t) => {
    const s3 = await startServer(t);
    await s3.fill("bucket", ["a"]);
    const body = DELETE(OBJECT("a"));

    const reply = await s3.request(
      ask(body, { ...headers(body), sign: { payload: "UNSIGNED-PAYLOAD" } }),
    );

    assert.deepEqual(texts(reply.text, "Key"), ["a"]);
  });
}

test("DeleteObjects takes a body in chunks with a checksum behind it", async (t) => {
  const s3 = await startServer(t);
  await s3.fill("bucket", ["a"]);
  const body = DELETE(OBJECT("a"));
  const trailers = { "x-amz-checksum-sha256": sha256(body) };

  const reply = await s3.request(ask(body, { sign: { mode: "unsigned-trailer", trailers } }));

  assert.deepEqual(texts(reply.text, "Key"), ["a"]);
});

function md5(text: string): string {
  return createHash("md5").update(text).digest("base64");
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}
