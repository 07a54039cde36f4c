import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused, inners, only, s3Document, texts } from "#test/s3/xml.ts";
import { startServer, type TestServer } from "#test/support/server.ts";

async function list(s3: TestServer, query: Readonly<Record<string, string>> = {}): Promise<string> {
  const reply = await s3.request({ path: "/bucket", query: { versions: "", ...query } });
  assert.equal(reply.status, 200, reply.text);
  return reply.text;
}

/** `key@version`, and `!` for a delete marker, in the order of the document. */
function entriesOf(xml: string): string[] {
  const found = [...xml.matchAll(/<(Version|DeleteMarker)>(.*?)<\/\1>/gs)];
  return found.map(([, kind, inner = ""]) => {
    return `${only(inner, "Key")}@${only(inner, "VersionId")}${kind === "Version" ? "" : "!"}`;
  });
}

/** Two versions and a marker of "a", one version of "b/1" and of "b/2". */
async function history(s3: TestServer): Promise<string[]> {
  const entries: string[] = [];
  await s3.put("/bucket/a", "null");
  entries.unshift("a@null");
  await s3.setVersioning("bucket", "Enabled");
  entries.unshift(`a@${(await s3.put("/bucket/a", "2")).headers["x-amz-version-id"]}`);
  const marker = await s3.request({ method: "DELETE", path: "/bucket/a" });
  entries.unshift(`a@${marker.headers["x-amz-version-id"]}!`);
  for (const key of ["b/1", "b/2"]) {
    entries.push(`${key}@${(await s3.put(`/bucket/${key}`, "x")).headers["x-amz-version-id"]}`);
  }
  return entries;
}

test("ListObjectVersions answers versions and delete markers in this document", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");
  const put = await s3.put("/bucket/key", "123456789");
  const marker = await s3.request({ method: "DELETE", path: "/bucket/key" });

  const xml = await list(s3);

  const who = `<Owner><ID>${texts(xml, "ID")[0]}</ID><DisplayName>${s3.organizationId}</DisplayName></Owner>`;
  const time = "<LastModified>2026-01-02T03:04:05.678Z</LastModified>";
  const id = (reply: typeof put) => `<VersionId>${reply.headers["x-amz-version-id"]}</VersionId>`;
  assert.equal(
    xml,
    s3Document(
      "ListVersionsResult",
      `<Name>bucket</Name><Prefix></Prefix><KeyMarker></KeyMarker><VersionIdMarker></VersionIdMarker><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated><DeleteMarker><Key>key</Key>${id(marker)}<IsLatest>true</IsLatest>${time}${who}</DeleteMarker><Version><Key>key</Key>${id(put)}<IsLatest>false</IsLatest>${time}<ETag>&quot;25f9e794323b453885f5181f1b624d0b&quot;</ETag><ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType><Size>9</Size><StorageClass>STANDARD</StorageClass>${who}</Version>`,
    ),
  );
});

test("ListObjectVersions orders by key, and the newest version of a key first", async (t) => {
  const s3 = await startServer(t);
  const entries = await history(s3);

  const xml = await list(s3);

  assert.deepEqual(entriesOf(xml), entries);
  assert.deepEqual(texts(xml, "IsLatest"), ["true", "false", "false", "true", "true"]);
});

test("ListObjectVersions of a bucket without versions answers its objects as version null", async (t) => {
  const s3 = await startServer(t);
  await s3.fill("bucket", ["a", "b"]);

  assert.deepEqual(entriesOf(await list(s3)), ["a@null", "b@null"]);
});

test("ListObjectVersions rolls keys up by a delimiter, and shows those with a prefix", async (t) => {
  const s3 = await startServer(t);
  const entries = await history(s3);

  const rolled = await list(s3, { delimiter: "/" });
  const below = await list(s3, { prefix: "b/" });

  assert.deepEqual(entriesOf(rolled), entries.slice(0, 3));
  assert.deepEqual(inners(rolled, "CommonPrefixes"), ["<Prefix>b/</Prefix>"]);
  assert.deepEqual(entriesOf(below), entries.slice(3));
});

for (const size of [1, 2, 3]) {
  for (const more of [{}, { delimiter: "/" }]) {
    test(`ListObjectVersions in pages of ${size} with ${JSON.stringify(more)} shows all once`, async (t) => {
      const s3 = await startServer(t);
      await history(s3);
      const whole = await list(s3, more);
      const seen: string[] = [];
      const latest: string[] = [];
      let marker: Record<string, string> | undefined = {};
      while (marker !== undefined && seen.length < 20) {
        const xml: string = await list(s3, { ...more, ...marker, "max-keys": String(size) });
        seen.push(...entriesOf(xml), ...inners(xml, "CommonPrefixes"));
        latest.push(...texts(xml, "IsLatest"));
        const version = only(xml, "NextVersionIdMarker");
        const next = {
          "key-marker": only(xml, "NextKeyMarker") ?? "",
          ...(version === undefined ? {} : { "version-id-marker": version }),
        };
        marker = only(xml, "IsTruncated") === "true" ? next : undefined;
      }

      assert.deepEqual(seen, [...entriesOf(whole), ...inners(whole, "CommonPrefixes")]);
      assert.deepEqual(latest, texts(whole, "IsLatest"));
    });
  }
}

test("ListObjectVersions with key-marker alone goes on after all versions of that key", async (t) => {
  const s3 = await startServer(t);
  const entries = await history(s3);

  assert.deepEqual(entriesOf(await list(s3, { "key-marker": "a" })), entries.slice(3));
});

test("ListObjectVersions behind a marker below a common prefix shows nothing of it any more", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");
  await s3.fill("bucket", ["a/1", "a/2", "b", "c/1"]);

  for (const more of [{}, { "version-id-marker": "null" }]) {
    const xml = await list(s3, { delimiter: "/", "key-marker": "a/1", ...more });
    const prefixes = inners(xml, "CommonPrefixes").map((each) => only(each, "Prefix"));
    assert.deepEqual(
      inners(xml, "Version").map((each) => only(each, "Key")),
      ["b"],
    );
    assert.deepEqual(prefixes, ["c/"]);
  }
});

test("ListObjectVersions with encoding-type=url percent-encodes keys", async (t) => {
  const s3 = await startServer(t);
  await s3.fill("bucket", ["é\u0001"]);

  const xml = await list(s3, { "encoding-type": "url", "key-marker": "á" });

  assert.equal(only(xml, "Key"), "%C3%A9%01");
  assert.equal(only(xml, "KeyMarker"), "%C3%A1");
});

const REFUSED = [
  { query: "max-keys=-1", code: "InvalidArgument" },
  { query: "encoding-type=x", code: "InvalidArgument" },
  { query: "encoding-type=", code: "InvalidArgument" },
  { query: "version-id-marker=null", code: "InvalidArgument" },
  { query: "key-marker=a&version-id-marker=made-up", code: "InvalidArgument" },
];
for (const { query, code } of REFUSED) {
  test(`ListObjectVersions refuses ${query} with ${code}`, async (t) => {
    const s3 = await startServer(t);

    assertRefused(await s3.get(`/bucket?versions&${query}`), 400, code);
  });
}

test("ListObjectVersions refuses a missing bucket with NoSuchBucket", async (t) => {
  const s3 = await startServer(t);

  assertRefused(await s3.get("/missing?versions"), 404, "NoSuchBucket");
});
