import assert from "node:assert/strict";
import { test } from "node:test";
import { uploadWhole } from "#test/s3/multipart.ts";
import { assertRefused, inners, only, s3Document, texts } from "#test/s3/xml.ts";
import { startServer, type TestServer } from "#test/support/server.ts";

async function list(s3: TestServer, query: Readonly<Record<string, string>> = {}): Promise<string> {
  const reply = await s3.request({ path: "/bucket", query: { "list-type": "2", ...query } });
  assert.equal(reply.status, 200, reply.text);
  return reply.text;
}

const keysOf = (xml: string) => inners(xml, "Contents").map((object) => only(object, "Key"));
const prefixesOf = (xml: string) =>
  inners(xml, "CommonPrefixes").map((each) => only(each, "Prefix"));

test("ListObjectsV2 answers keys with time, ETag, checksum, size and class in this document", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/a%26b", "123456789", { "x-amz-storage-class": "STANDARD_IA" });

  assert.equal(
    await list(s3),
    s3Document(
      "ListBucketResult",
      "<Name>bucket</Name><Prefix></Prefix><KeyCount>1</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated><Contents><Key>a&amp;b</Key><LastModified>2026-01-02T03:04:05.678Z</LastModified><ETag>&quot;25f9e794323b453885f5181f1b624d0b&quot;</ETag><ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType><Size>9</Size><StorageClass>STANDARD_IA</StorageClass></Contents>",
    ),
  );
});

test("ListObjectsV2 of an empty bucket answers no keys", async (t) => {
  const s3 = await startServer(t);

  const xml = await list(s3);

  assert.equal(only(xml, "KeyCount"), "0");
  assert.deepEqual(keysOf(xml), []);
});

test("ListObjectsV2 orders keys by their bytes in UTF-8", async (t) => {
  const s3 = await startServer(t);
  const ordered = [
    "A",
    "a",
    "a ",
    "a-b",
    "a.b",
    "a/",
    "a/b",
    "a0",
    "é",
    "\uFFFD",
    "\u{10000}",
    "\u{1F600}",
  ];
  await s3.fill("bucket", [...ordered].reverse());

  assert.deepEqual(keysOf(await list(s3)), ordered);
});

test("ListObjectsV2 shows an object in parts with the ETag and size of the whole", async (t) => {
  const s3 = await startServer(t);
  await uploadWhole(s3, "/bucket/key", ["12345", "6789"]);

  const xml = await list(s3);

  assert.match(only(xml, "ETag") ?? "", /^"[0-9a-f]{32}-2"$/);
  assert.equal(only(xml, "Size"), "9");
});

test("ListObjectsV2 shows the owner when fetch-owner is true, and only then", async (t) => {
  const s3 = await startServer(t);
  await s3.fill("bucket", ["a"]);

  assert.match(only(await list(s3, { "fetch-owner": "true" }), "ID") ?? "", /^[0-9a-f]{64}$/);
  assert.equal(only(await list(s3, { "fetch-owner": "false" }), "ID"), undefined);
});

test("ListObjectsV2 leaves deleted objects and unfinished uploads out", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");
  await s3.fill("bucket", ["a", "b", "c/d"]);
  await s3.request({ method: "DELETE", path: "/bucket/b" });
  await s3.request({ method: "DELETE", path: "/bucket/c/d" });
  await s3.request({ method: "POST", path: "/bucket/u", query: "uploads" });

  const xml = await list(s3, { delimiter: "/" });

  assert.deepEqual(keysOf(xml), ["a"]);
  assert.deepEqual(prefixesOf(xml), []);
});

const KEYS = ["a", "a/", "a/b", "a/b/c", "a//b", "ab", "b/1", "b/2", "c", "é/1"];
const ASKED: readonly { query: Record<string, string>; keys: string[]; prefixes?: string[] }[] = [
  { query: { prefix: "a/" }, keys: ["a/", "a//b", "a/b", "a/b/c"] },
  { query: { prefix: "x" }, keys: [] },
  { query: { delimiter: "/" }, keys: ["a", "ab", "c"], prefixes: ["a/", "b/", "é/"] },
  { query: { delimiter: "/", prefix: "a/" }, keys: ["a/", "a/b"], prefixes: ["a//", "a/b/"] },
  {
    query: { delimiter: "//" },
    keys: KEYS.filter((key) => key !== "a//b").sort(),
    prefixes: ["a//"],
  },
  {
    query: { delimiter: "b/c", prefix: "a" },
    keys: ["a", "a/", "a//b", "a/b", "ab"],
    prefixes: ["a/b/c"],
  },
  {
    query: { delimiter: "b" },
    keys: ["a", "a/", "c", "é/1"],
    prefixes: ["a//b", "a/b", "ab", "b"],
  },
  { query: { delimiter: "é", prefix: "b" }, keys: ["b/1", "b/2"] },
  { query: { "start-after": "a/b" }, keys: ["a/b/c", "ab", "b/1", "b/2", "c", "é/1"] },
  { query: { "start-after": "a/b0" }, keys: ["ab", "b/1", "b/2", "c", "é/1"] },
  { query: { "start-after": "é/1" }, keys: [] },
  { query: { "start-after": "b/1", delimiter: "/" }, keys: ["c"], prefixes: ["b/", "é/"] },
  { query: { "start-after": "b/", delimiter: "/" }, keys: ["c"], prefixes: ["é/"] },
  { query: { "start-after": "a", prefix: "b" }, keys: ["b/1", "b/2"] },
  { query: { "start-after": "z", prefix: "b" }, keys: [] },
];
for (const { query, keys, prefixes = [] } of ASKED) {
  test(`ListObjectsV2 with ${JSON.stringify(query)} answers these keys and prefixes`, async (t) => {
    const s3 = await startServer(t);
    await s3.fill("bucket", KEYS);

    const xml = await list(s3, query);

    assert.deepEqual(keysOf(xml), keys);
    assert.deepEqual(prefixesOf(xml), prefixes);
    assert.equal(only(xml, "KeyCount"), String(keys.length + prefixes.length));
    assert.equal(only(xml, "StartAfter"), query["start-after"]);
    assert.equal(only(xml, "Delimiter"), query["delimiter"]);
    assert.equal(texts(xml, "Prefix")[0], query["prefix"] ?? "");
  });
}

for (const size of [1, 2, 3]) {
  for (const more of [
    {},
    { delimiter: "/" },
    { prefix: "a", delimiter: "/" },
    { "start-after": "a/" },
  ]) {
    test(`ListObjectsV2 in pages of ${size} with ${JSON.stringify(more)} shows everything once`, async (t) => {
      const s3 = await startServer(t);
      await s3.fill("bucket", KEYS);
      const whole = await list(s3, more);
      const seen: (string | undefined)[] = [];

      let token: string | undefined;
      do {
        const next = token === undefined ? {} : { "continuation-token": token };
        const xml: string = await list(s3, { ...more, ...next, "max-keys": String(size) });
        assert.equal(only(xml, "ContinuationToken"), token);
        assert.equal(only(xml, "MaxKeys"), String(size));
        const startAfter = token === undefined ? whole : "";
        assert.equal(only(xml, "StartAfter"), only(startAfter, "StartAfter"));
        seen.push(...keysOf(xml), ...prefixesOf(xml));
        token = only(xml, "NextContinuationToken");
        assert.equal(only(xml, "IsTruncated"), String(token !== undefined));
      } while (token !== undefined && seen.length < 20);

      assert.deepEqual(seen.sort(), [...keysOf(whole), ...prefixesOf(whole)].sort());
    });
  }
}

test("ListObjectsV2 answers at most 1,000 keys, however many are asked for", async (t) => {
  const s3 = await startServer(t);
  const keys = Array.from({ length: 1_001 }, (_, index) => String(index).padStart(4, "0"));
  await s3.fill("bucket", keys);

  const first = await list(s3, { "max-keys": "5000" });
  const token = only(first, "NextContinuationToken") ?? "";
  const second = await list(s3, { "continuation-token": token });

  assert.deepEqual(keysOf(first), keys.slice(0, 1_000));
  assert.equal(only(first, "MaxKeys"), "1000");
  assert.deepEqual(keysOf(second), keys.slice(1_000));
  assert.equal(only(second, "IsTruncated"), "false");
});

test("ListObjectsV2 that ends on its last key is not truncated", async (t) => {
  const s3 = await startServer(t);
  await s3.fill("bucket", ["a", "b"]);

  assert.equal(only(await list(s3, { "max-keys": "2" }), "IsTruncated"), "false");
});

test("ListObjectsV2 with max-keys=0 answers nothing and is not truncated", async (t) => {
  const s3 = await startServer(t);
  await s3.fill("bucket", ["a", "b"]);

  const xml = await list(s3, { "max-keys": "0" });

  assert.equal(only(xml, "IsTruncated"), "false");
  assert.equal(only(xml, "KeyCount"), "0");
  assert.equal(only(xml, "NextContinuationToken"), undefined);
});

test("ListObjectsV2 with encoding-type=url percent-encodes keys, prefixes and what was asked", async (t) => {
  const s3 = await startServer(t);
  await s3.fill("bucket", ["é +/x", "é +/\u0001", "é +&é/z"]);

  const xml = await list(s3, {
    "encoding-type": "url",
    prefix: "é ",
    delimiter: "é/",
    "start-after": "é",
  });

  const decoded = (texts: (string | undefined)[]) =>
    texts.map((text) => decodeURIComponent(text ?? ""));
  assert.equal(only(xml, "EncodingType"), "url");
  assert.deepEqual(decoded(keysOf(xml)), ["é +/\u0001", "é +/x"]);
  assert.deepEqual(keysOf(xml), ["%C3%A9%20%2B/%01", "%C3%A9%20%2B/x"]);
  assert.deepEqual(prefixesOf(xml), ["%C3%A9%20%2B%26%C3%A9/"]);
  assert.equal(only(xml, "Delimiter"), "%C3%A9/");
  assert.equal(only(xml, "StartAfter"), "%C3%A9");
});

test("ListObjectsV2 of a long page writes each key as XML needs it, in the order of bytes", async (t) => {
  const s3 = await startServer(t);
  const special = [
    "\u0001",
    "\r",
    "\n",
    "&amp;",
    "<Key>",
    '"',
    "'",
    "\u007f",
    "é",
    "\uFFFD",
    "\u{1F600}",
  ];
  const keys = special.flatMap((char) =>
    Array.from({ length: 60 }, (_, index) => `${char}${index}${char.repeat(index)}`),
  );
  const ordered = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  await s3.fill("bucket", keys);

  const xml = await list(s3);
  const ascii = await list(s3, { prefix: "&" });

  assert.deepEqual(keysOf(xml), ordered);
  assert.deepEqual(
    keysOf(ascii),
    ordered.filter((key) => key.startsWith("&")),
  );
  assert.ok(xml.includes("<Key>&#1;1&#1;</Key>"));
  assert.ok(xml.includes("<Key>&#13;0</Key>"));
  assert.ok(xml.includes("<Key>&amp;amp;0</Key>"));
  assert.ok(xml.includes("<Key>\u{1F600}1\u{1F600}</Key>"));
});

const REFUSED = [
  { query: { "max-keys": "-1" }, code: "InvalidArgument" },
  { query: { "max-keys": "many" }, code: "InvalidArgument" },
  { query: { "max-keys": "2147483648" }, code: "InvalidArgument" },
  { query: { "encoding-type": "base64" }, code: "InvalidArgument" },
  { query: { "encoding-type": "" }, code: "InvalidArgument" },
  { query: { "continuation-token": "made up" }, code: "InvalidArgument" },
  { query: { prefix: "k".repeat(1_025) }, code: "InvalidArgument" },
];
for (const { query, code } of REFUSED) {
  const [shown = ""] = Object.entries(query).map(
    ([name, value]) => `${name}=${value.slice(0, 12)}`,
  );
  test(`ListObjectsV2 refuses ${shown} with ${code}`, async (t) => {
    const s3 = await startServer(t);
    const all = { "list-type": "2", ...(query as Record<string, string>) };

    assertRefused(await s3.request({ path: "/bucket", query: all }), 400, code);
  });
}

test("ListObjectsV2 refuses a missing bucket with NoSuchBucket and an unexpected owner with AccessDenied", async (t) => {
  const s3 = await startServer(t);
  const headers = { "x-amz-expected-bucket-owner": "1" };

  assertRefused(await s3.get("/missing?list-type=2"), 404, "NoSuchBucket");
  assertRefused(await s3.get("/bucket?list-type=2", headers), 403, "AccessDenied");
});
