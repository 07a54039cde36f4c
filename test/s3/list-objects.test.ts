import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused, inners, only, s3Document } from "#test/s3/xml.ts";
import { startServer, type TestServer } from "#test/support/server.ts";

// The walk itself is the one of ListObjectsV2, whose tests try more of it.

async function list(s3: TestServer, query: Readonly<Record<string, string>> = {}): Promise<string> {
  const reply = await s3.request({ path: "/bucket", query });
  assert.equal(reply.status, 200, reply.text);
  return reply.text;
}

const keysOf = (xml: string) => inners(xml, "Contents").map((object) => only(object, "Key"));
const prefixesOf = (xml: string) =>
  inners(xml, "CommonPrefixes").map((each) => only(each, "Prefix"));

test("ListObjects answers keys with their owner in this document", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "123456789");

  const xml = await list(s3);

  const owner = only(xml, "ID") ?? "";
  assert.match(owner, /^[0-9a-f]{64}$/);
  assert.equal(
    xml,
    s3Document(
      "ListBucketResult",
      `<Name>bucket</Name><Prefix></Prefix><Marker></Marker><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated><Contents><Key>key</Key><LastModified>2026-01-02T03:04:05.678Z</LastModified><ETag>&quot;25f9e794323b453885f5181f1b624d0b&quot;</ETag><ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType><Size>9</Size><Owner><ID>${owner}</ID><DisplayName>${s3.organizationId}</DisplayName></Owner><StorageClass>STANDARD</StorageClass></Contents>`,
    ),
  );
});

test("ListObjects and ListObjectsV2 say where the bucket is", async (t) => {
  const s3 = await startServer(t, { region: "eu-test-1" });

  for (const path of ["/bucket", "/bucket?list-type=2"]) {
    assert.equal((await s3.get(path)).headers["x-amz-bucket-region"], "eu-test-1");
  }
});

const KEYS = ["a", "a/", "a/b", "a/b/c", "ab", "b/1", "b/2", "c", "é/1"];
const ASKED: readonly { query: Record<string, string>; keys: string[]; prefixes?: string[] }[] = [
  { query: {}, keys: KEYS },
  { query: { prefix: "a/b" }, keys: ["a/b", "a/b/c"] },
  { query: { marker: "a/b" }, keys: ["a/b/c", "ab", "b/1", "b/2", "c", "é/1"] },
  { query: { marker: "b/0" }, keys: ["b/1", "b/2", "c", "é/1"] },
  { query: { delimiter: "/" }, keys: ["a", "ab", "c"], prefixes: ["a/", "b/", "é/"] },
  { query: { delimiter: "/", marker: "a/" }, keys: ["ab", "c"], prefixes: ["b/", "é/"] },
  { query: { delimiter: "/", marker: "b/1" }, keys: ["c"], prefixes: ["é/"] },
  { query: { delimiter: "/", marker: "a/b/c" }, keys: ["ab", "c"], prefixes: ["b/", "é/"] },
  { query: { delimiter: "/", prefix: "a/", marker: "a/b/c" }, keys: [] },
  { query: { delimiter: "/", prefix: "b", marker: "a/b" }, keys: [], prefixes: ["b/"] },
  { query: { delimiter: "b/", prefix: "a" }, keys: ["a", "a/", "a/b", "ab"], prefixes: ["a/b/"] },
  { query: { delimiter: "", marker: "", prefix: "" }, keys: KEYS },
];
for (const { query, keys, prefixes = [] } of ASKED) {
  test(`ListObjects with ${JSON.stringify(query)} answers these keys and prefixes`, async (t) => {
    const s3 = await startServer(t);
    await s3.fill("bucket", [...KEYS].reverse());

    const xml = await list(s3, query);

    assert.deepEqual(keysOf(xml), keys);
    assert.deepEqual(prefixesOf(xml), prefixes);
    assert.equal(only(xml, "Marker"), query["marker"] ?? "");
    assert.equal(only(xml, "IsTruncated"), "false");
    assert.equal(only(xml, "NextMarker"), undefined);
  });
}

for (const size of [1, 2, 4]) {
  test(`ListObjects in pages of ${size} by its last key shows every key once`, async (t) => {
    const s3 = await startServer(t);
    await s3.fill("bucket", KEYS);
    const seen: string[] = [];
    for (let truncated = true; truncated && seen.length < 20; ) {
      const xml = await list(s3, { marker: seen.at(-1) ?? "", "max-keys": String(size) });
      seen.push(...keysOf(xml).flatMap((key) => key ?? []));
      truncated = only(xml, "IsTruncated") === "true";
      assert.equal(only(xml, "NextMarker"), undefined);
    }

    assert.deepEqual(seen, KEYS);
  });

  test(`ListObjects in pages of ${size} with a delimiter by NextMarker shows everything once`, async (t) => {
    const s3 = await startServer(t);
    await s3.fill("bucket", KEYS);
    const seen: (string | undefined)[] = [];
    let marker: string | undefined = "";
    while (marker !== undefined && seen.length < 20) {
      const query: Record<string, string> = { marker, delimiter: "/", "max-keys": String(size) };
      const xml = await list(s3, query);
      seen.push(...keysOf(xml), ...prefixesOf(xml));
      marker = only(xml, "NextMarker");
      assert.equal(only(xml, "IsTruncated"), String(marker !== undefined));
    }

    assert.deepEqual(seen.sort(), ["a", "a/", "ab", "b/", "c", "é/"]);
  });
}

test("ListObjects answers at most 1,000 keys, however many are asked for", async (t) => {
  const s3 = await startServer(t);
  const keys = Array.from({ length: 1_001 }, (_, index) => String(index).padStart(4, "0"));
  await s3.fill("bucket", keys);

  const xml = await list(s3, { "max-keys": "1001" });

  assert.deepEqual(keysOf(xml), keys.slice(0, 1_000));
  assert.equal(only(xml, "MaxKeys"), "1000");
  assert.equal(only(xml, "IsTruncated"), "true");
});

test("ListObjects with max-keys=0 answers nothing and is not truncated", async (t) => {
  const s3 = await startServer(t);
  await s3.fill("bucket", ["a"]);

  const xml = await list(s3, { "max-keys": "0" });

  assert.deepEqual(keysOf(xml), []);
  assert.equal(only(xml, "IsTruncated"), "false");
});

test("ListObjects with encoding-type=url percent-encodes keys and markers", async (t) => {
  const s3 = await startServer(t);
  await s3.fill("bucket", ["é /x", "é /y", "é\u0000/z"]);

  const query = { "encoding-type": "url", delimiter: "/", marker: "é", "max-keys": "1" };
  const xml = await list(s3, query);

  assert.equal(only(xml, "EncodingType"), "url");
  assert.equal(only(xml, "Marker"), "%C3%A9");
  assert.equal(only(xml, "NextMarker"), "%C3%A9%00/");
  assert.deepEqual(prefixesOf(xml), ["%C3%A9%00/"]);
});

for (const [text, name] of [
  ["-1", "maxKeys"],
  ["-2147483648", "maxKeys"],
  ["-2147483649", "max-keys"],
  ["2147483648", "max-keys"],
  ["x", "max-keys"],
] as const) {
  test(`ListObjects refuses a max-keys of ${text} as an int32 is read`, async (t) => {
    const s3 = await startServer(t);

    const refused = await s3.get(`/bucket?max-keys=${text}`);

    assertRefused(refused, 400, "InvalidArgument");
    assert.equal(only(refused.text, "ArgumentName"), name);
    assert.equal(only(refused.text, "ArgumentValue"), text);
  });
}

for (const [text, read] of [
  ["2147483647", "1000"],
  ["000000000000000000005", "5"],
  ["-0", "0"],
] as const) {
  test(`ListObjects reads a max-keys of ${text} by its value`, async (t) => {
    const s3 = await startServer(t);

    assert.equal(only(await list(s3, { "max-keys": text }), "MaxKeys"), read);
  });
}

for (const query of ["encoding-type=x", "encoding-type=", `marker=${"k".repeat(1_025)}`]) {
  test(`ListObjects refuses ${query.slice(0, 20)} with InvalidArgument`, async (t) => {
    const s3 = await startServer(t);

    assertRefused(await s3.get(`/bucket?${query}`), 400, "InvalidArgument");
  });
}

test("ListObjects refuses a missing bucket with NoSuchBucket", async (t) => {
  const s3 = await startServer(t);

  assertRefused(await s3.get("/missing"), 404, "NoSuchBucket");
});

for (const query of ["foo", "cors", "policy=", "website=x", "intelligent-tiering&id=a"]) {
  test(`ListObjects is not what GET ?${query} means`, async (t) => {
    const s3 = await startServer(t);

    const reply = await s3.get(`/bucket?${query}`);

    assert.ok(reply.status >= 400);
    assert.doesNotMatch(reply.text, /ListBucketResult/);
  });
}
