import assert from "node:assert/strict";
import { test } from "node:test";
import { startUpload, uploadWhole } from "#test/s3/multipart.ts";
import { assertRefused, inners, only, s3Document, texts } from "#test/s3/xml.ts";
import { startServer, type TestServer } from "#test/support/server.ts";

async function list(s3: TestServer, query: Readonly<Record<string, string>> = {}): Promise<string> {
  const reply = await s3.request({ path: "/bucket", query: { uploads: "", ...query } });
  assert.equal(reply.status, 200, reply.text);
  return reply.text;
}

const keysOf = (xml: string) => inners(xml, "Upload").map((upload) => only(upload, "Key"));
const prefixesOf = (xml: string) =>
  inners(xml, "CommonPrefixes").map((each) => only(each, "Prefix"));

test("ListMultipartUploads answers each upload in this document", async (t) => {
  const s3 = await startServer(t);
  const uploadId = await startUpload(s3, "/bucket/a%26b", { "x-amz-checksum-algorithm": "SHA256" });

  const xml = await list(s3);

  const who = `<ID>${texts(xml, "ID")[0]}</ID><DisplayName>${s3.organizationId}</DisplayName>`;
  assert.equal(
    xml,
    s3Document(
      "ListMultipartUploadsResult",
      `<Bucket>bucket</Bucket><KeyMarker></KeyMarker><UploadIdMarker></UploadIdMarker><NextKeyMarker>a&amp;b</NextKeyMarker><NextUploadIdMarker>${uploadId}</NextUploadIdMarker><MaxUploads>1000</MaxUploads><IsTruncated>false</IsTruncated><Upload><Key>a&amp;b</Key><UploadId>${uploadId}</UploadId><Initiator>${who}</Initiator><Owner>${who}</Owner><StorageClass>STANDARD</StorageClass><Initiated>2026-01-02T03:04:05.678Z</Initiated><ChecksumAlgorithm>SHA256</ChecksumAlgorithm><ChecksumType>COMPOSITE</ChecksumType></Upload>`,
    ),
  );
});

test("ListMultipartUploads orders by key, then by time", async (t) => {
  const s3 = await startServer(t);
  const ids = new Map<string, string[]>();
  for (const key of ["b", "a", "\u{10000}", "a", "\uFFFD", "a"]) {
    const id = await startUpload(s3, `/bucket/${encodeURIComponent(key)}`);
    ids.set(key, [...(ids.get(key) ?? []), id]);
    s3.clock.move(10);
  }

  const xml = await list(s3);

  assert.deepEqual(keysOf(xml), ["a", "a", "a", "b", "\uFFFD", "\u{10000}"]);
  assert.deepEqual(texts(xml, "UploadId").slice(0, 3), ids.get("a"));
});

test("ListMultipartUploads of no uploads has empty markers, and a Prefix only where one is asked for", async (t) => {
  const s3 = await startServer(t);

  const xml = await list(s3);

  assert.deepEqual([only(xml, "NextKeyMarker"), only(xml, "NextUploadIdMarker")], ["", ""]);
  assert.equal(only(xml, "Prefix"), undefined);
  assert.equal(only(await list(s3, { prefix: "a/" }), "Prefix"), "a/");
});

test("ListMultipartUploads leaves finished uploads out", async (t) => {
  const s3 = await startServer(t);
  await uploadWhole(s3, "/bucket/done", ["bytes"]);

  assert.deepEqual(keysOf(await list(s3)), []);
});

const KEYS = ["a", "a/b", "a/c/d", "ab", "b/1", "b/2"];
const ASKED: readonly { query: Record<string, string>; keys: string[]; prefixes?: string[] }[] = [
  { query: { prefix: "a/" }, keys: ["a/b", "a/c/d"] },
  { query: { delimiter: "/" }, keys: ["a", "ab"], prefixes: ["a/", "b/"] },
  { query: { delimiter: "/", prefix: "a/" }, keys: ["a/b"], prefixes: ["a/c/"] },
  { query: { "key-marker": "a/b" }, keys: ["a/c/d", "ab", "b/1", "b/2"] },
  { query: { delimiter: "/", "key-marker": "a/b" }, keys: ["ab"], prefixes: ["b/"] },
  { query: { "key-marker": "a/", delimiter: "/" }, keys: ["ab"], prefixes: ["b/"] },
  { query: { "upload-id-marker": "0".repeat(32) }, keys: KEYS },
];
for (const { query, keys, prefixes = [] } of ASKED) {
  test(`ListMultipartUploads with ${JSON.stringify(query)} answers these`, async (t) => {
    const s3 = await startServer(t);
    for (const key of KEYS) await startUpload(s3, `/bucket/${key}`);

    const xml = await list(s3, query);

    assert.deepEqual(keysOf(xml), keys);
    assert.deepEqual(prefixesOf(xml), prefixes);
    assert.equal(only(xml, "KeyMarker"), query["key-marker"] ?? "");
  });
}

for (const size of [1, 2, 3]) {
  for (const more of [{}, { delimiter: "/" }, { prefix: "a" }]) {
    test(`ListMultipartUploads in pages of ${size} with ${JSON.stringify(more)} shows all once`, async (t) => {
      const s3 = await startServer(t);
      for (const key of [...KEYS, "a", "a", "b/2"]) await startUpload(s3, `/bucket/${key}`);
      const whole = await list(s3, more);
      const seen: string[] = [];
      let marker: Record<string, string> | undefined = {};
      while (marker !== undefined && seen.length < 20) {
        const xml: string = await list(s3, { ...more, ...marker, "max-uploads": String(size) });
        seen.push(...texts(xml, "UploadId"), ...prefixesOf(xml).flatMap((prefix) => prefix ?? []));
        const next = {
          "key-marker": only(xml, "NextKeyMarker") ?? "",
          ...(only(xml, "NextUploadIdMarker") === ""
            ? {}
            : { "upload-id-marker": only(xml, "NextUploadIdMarker") ?? "" }),
        };
        marker = only(xml, "IsTruncated") === "true" ? next : undefined;
      }

      const all = [...texts(whole, "UploadId"), ...prefixesOf(whole)];
      assert.deepEqual(seen.sort(), all.sort());
    });
  }
}

test("ListMultipartUploads with encoding-type=url percent-encodes keys", async (t) => {
  const s3 = await startServer(t);
  await startUpload(s3, "/bucket/%C3%A9%01");

  const xml = await list(s3, { "encoding-type": "url" });

  assert.deepEqual(keysOf(xml), ["%C3%A9%01"]);
  assert.equal(only(xml, "EncodingType"), "url");
});

test("ListMultipartUploads pays no heed to an upload-id-marker without a key-marker", async (t) => {
  const s3 = await startServer(t);
  const uploadId = await startUpload(s3, "/bucket/key");

  for (const marker of [uploadId, "made-up"]) {
    const xml = await list(s3, { "upload-id-marker": marker });

    assert.deepEqual(keysOf(xml), ["key"]);
    assert.equal(only(xml, "UploadIdMarker"), "");
  }
});

for (const query of [
  "max-uploads=-1",
  "max-uploads=x",
  "encoding-type=x",
  "encoding-type=",
  "key-marker=a&upload-id-marker=made-up",
]) {
  test(`ListMultipartUploads refuses ${query} with InvalidArgument`, async (t) => {
    const s3 = await startServer(t);

    assertRefused(await s3.get(`/bucket?uploads&${query}`), 400, "InvalidArgument");
  });
}

test("ListMultipartUploads refuses a missing bucket with NoSuchBucket", async (t) => {
  const s3 = await startServer(t);

  assertRefused(await s3.get("/missing?uploads"), 404, "NoSuchBucket");
});
