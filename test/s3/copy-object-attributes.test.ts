import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused } from "#test/s3/xml.ts";
import { type Reply, startServer, type TestServer } from "#test/support/server.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

type Headers = Readonly<Record<string, string>>;

const SAID = {
  "content-type": "text/plain",
  "cache-control": "max-age=60",
  "x-amz-meta-a": "1",
  "x-amz-tagging": "t=1&u=2",
};

async function copy(s3: TestServer, headers: Headers, to = "/bucket/copy"): Promise<Reply> {
  return await s3.put(to, "", { "x-amz-copy-source": "bucket/key", ...headers });
}

test("CopyObject takes metadata and tags over from the source", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes", SAID);

  await copy(s3, {});

  const { headers } = await s3.get("/bucket/copy");
  assert.equal(headers["content-type"], "text/plain");
  assert.equal(headers["cache-control"], "max-age=60");
  assert.equal(headers["x-amz-meta-a"], "1");
  assert.equal(headers["x-amz-tagging-count"], "2");
});

test("CopyObject takes over no redirect of a website, whatever the directive, but what it is sent", async (t) => {
  const s3 = await startServer(t);
  const NAME = "x-amz-website-redirect-location";
  await s3.makeVolume("volume", await temporaryDirectory());
  const said = { "x-amz-meta-a": "1", [NAME]: "/elsewhere" };
  await s3.put("/bucket/key", "bytes", said);
  await s3.put("/volume/key", "bytes", said);
  const redirectOf = async (path: string) => (await s3.get(path)).headers[NAME];

  for (const source of ["bucket/key", "volume/key"]) {
    for (const to of ["/bucket/copy", "/volume/copy"]) {
      for (const directive of ["COPY", "REPLACE"]) {
        const headers = { "x-amz-copy-source": source, "x-amz-metadata-directive": directive };
        assert.equal((await s3.put(to, "", headers)).status, 200);
        assert.equal(await redirectOf(to), undefined, `${source} ${to} ${directive}`);
        await s3.put(to, "", { ...headers, [NAME]: "/here" });
        assert.equal(await redirectOf(to), "/here", `${source} ${to} ${directive}`);
      }
    }
  }
  assert.equal((await s3.get("/bucket/copy")).headers["x-amz-meta-a"], undefined);
  await copy(s3, {});
  assert.equal((await s3.get("/bucket/copy")).headers["x-amz-meta-a"], "1");
});

test("CopyObject onto itself may change where a website redirects to, even to the same place", async (t) => {
  const s3 = await startServer(t);
  const redirect = { "x-amz-website-redirect-location": "/elsewhere" };
  await s3.put("/bucket/key", "bytes", { ...SAID, ...redirect });

  const changed = await copy(s3, redirect, "/bucket/key");
  const { headers } = await s3.get("/bucket/key");

  const nowhere = { "x-amz-website-redirect-location": "elsewhere" };
  assertRefused(await copy(s3, nowhere), 400, "InvalidRedirectLocation");
  assert.equal(changed.status, 200);
  assert.equal(headers["x-amz-website-redirect-location"], "/elsewhere");
  assert.equal(headers["x-amz-meta-a"], "1");
});

test("CopyObject with the directive COPY ignores the metadata it is sent", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes", SAID);
  const sent = { "content-type": "a/b", "x-amz-meta-b": "2", "x-amz-tagging": "v=3" };

  const directives = { "x-amz-metadata-directive": "COPY", "x-amz-tagging-directive": "COPY" };
  await copy(s3, { ...sent, ...directives });

  const { headers } = await s3.get("/bucket/copy");
  assert.equal(headers["content-type"], "text/plain");
  assert.equal(headers["x-amz-meta-b"], undefined);
  assert.equal(headers["x-amz-tagging-count"], "2");
});

test("CopyObject with the metadata directive REPLACE takes all metadata from the request", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes", SAID);

  await copy(s3, { "x-amz-metadata-directive": "REPLACE", "x-amz-meta-b": "2" });

  const { headers } = await s3.get("/bucket/copy");
  assert.equal(headers["content-type"], "binary/octet-stream");
  assert.equal(headers["cache-control"], undefined);
  assert.equal(headers["x-amz-meta-a"], undefined);
  assert.equal(headers["x-amz-meta-b"], "2");
  assert.equal(headers["x-amz-tagging-count"], "2");
});

test("CopyObject with the tagging directive REPLACE takes the tags from the request", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes", SAID);
  const replace = { "x-amz-tagging-directive": "REPLACE" };

  await copy(s3, { ...replace, "x-amz-tagging": "v=3" });
  await copy(s3, replace, "/bucket/untagged");

  const { headers } = await s3.get("/bucket/copy");
  assert.equal(headers["x-amz-tagging-count"], "1");
  assert.equal(headers["x-amz-meta-a"], "1");
  assert.equal((await s3.get("/bucket/untagged")).headers["x-amz-tagging-count"], undefined);
});

test("CopyObject gives the copy the storage class that is asked for, not the source's", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes", { "x-amz-storage-class": "STANDARD_IA" });

  await copy(s3, {});
  await copy(s3, { "x-amz-storage-class": "STANDARD_IA" }, "/bucket/rare");

  assert.equal((await s3.get("/bucket/copy")).headers["x-amz-storage-class"], undefined);
  assert.equal((await s3.get("/bucket/rare")).headers["x-amz-storage-class"], "STANDARD_IA");
});

for (const headers of [{}, { "x-amz-meta-b": "2" }, { "x-amz-tagging-directive": "REPLACE" }]) {
  const shown = Object.keys(headers).join(" ") || "nothing";
  test(`CopyObject onto itself with ${shown} changed refuses with InvalidRequest`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", "bytes", SAID);

    assertRefused(await copy(s3, headers, "/bucket/key"), 400, "InvalidRequest");
  });
}

test("CopyObject onto itself brings an object under the encryption that its bucket has since", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes", SAID);
  const rule =
    "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule>";
  await s3.put(
    "/bucket?encryption",
    `<ServerSideEncryptionConfiguration>${rule}</ServerSideEncryptionConfiguration>`,
  );

  assert.equal((await copy(s3, {}, "/bucket/key")).status, 200);

  const { text, headers } = await s3.get("/bucket/key");
  assert.equal(text, "bytes");
  assert.equal(headers["x-amz-server-side-encryption"], "AES256");
});

test("CopyObject onto itself with REPLACE changes the metadata and keeps the bytes", async (t) => {
  for (const body of ["short", "long enough to be a blob of its own"]) {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", body, SAID);

    const replace = { "x-amz-metadata-directive": "REPLACE", "x-amz-meta-b": "2" };
    assert.equal((await copy(s3, replace, "/bucket/key")).status, 200);

    const { text, headers } = await s3.get("/bucket/key");
    assert.equal(text, body);
    assert.equal(headers["x-amz-meta-a"], undefined);
    assert.equal(headers["x-amz-meta-b"], "2");
  }
});

test("CopyObject onto itself with a storage class changes the class", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes", SAID);

  await copy(s3, { "x-amz-storage-class": "STANDARD_IA" }, "/bucket/key");

  const { headers } = await s3.get("/bucket/key");
  assert.equal(headers["x-amz-storage-class"], "STANDARD_IA");
  assert.equal(headers["x-amz-meta-a"], "1");
});

const LARGE = { "x-amz-metadata-directive": "REPLACE", "x-amz-meta-a": "v".repeat(2_048) };
const REFUSED: readonly { headers: Headers; status?: number; code: string }[] = [
  { headers: { "x-amz-metadata-directive": "MERGE" }, code: "InvalidArgument" },
  { headers: { "x-amz-tagging-directive": "" }, code: "InvalidArgument" },
  { headers: LARGE, code: "MetadataTooLarge" },
  {
    headers: { "x-amz-tagging-directive": "REPLACE", "x-amz-tagging": "=" },
    code: "InvalidArgument",
  },
  { headers: { "x-amz-storage-class": "COLD" }, code: "InvalidStorageClass" },
  { headers: { "x-amz-checksum-algorithm": "MD4" }, code: "InvalidRequest" },
  { headers: { "x-amz-acl": "public-read" }, code: "AccessControlListNotSupported" },
];
for (const { headers, status = 400, code } of REFUSED) {
  test(`CopyObject refuses ${Object.keys(headers).join(", ")} with ${code} and copies nothing`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", "bytes");

    assertRefused(await copy(s3, headers), status, code);
    assertRefused(await s3.get("/bucket/copy"), 404, "NoSuchKey");
  });
}
