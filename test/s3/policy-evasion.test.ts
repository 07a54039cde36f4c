/** What a caller may write into a request to be judged by something else than what is then done. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused, only, texts } from "#test/s3/xml.ts";
import { type Ask, OTHER, startServer, type TestServer } from "#test/support/server.ts";
import { presignedUrl } from "#test/support/sign.ts";

const ON_OBJECTS = { Principal: "*", Resource: "arn:aws:s3:::bucket/*" };
const OPEN = { ...ON_OBJECTS, Effect: "Allow", Action: "s3:*" };
const LOCKED = {
  ...{ ...ON_OBJECTS, Effect: "Deny", Action: "s3:*" },
  Condition: { StringEquals: { "s3:ExistingObjectTag/locked": "true" } },
};
const UNTAGGING = {
  ...{ ...ON_OBJECTS, Effect: "Deny", Action: "s3:PutObjectTagging" },
};

async function putPolicy(s3: TestServer, ...statements: readonly object[]): Promise<void> {
  const text = JSON.stringify({ Version: "2012-10-17", Statement: statements });
  assert.equal((await s3.put("/bucket?policy", text)).status, 204);
}

async function newUpload(s3: TestServer, key: string): Promise<string> {
  const { text } = await s3.request({ method: "POST", path: `/bucket/${key}?uploads` });
  return only(text, "UploadId") ?? "";
}

/** A version that there is none of: whoever looks up its tags finds none. */
const ELSEWHERE = "versionId=00000000000000000000000000000000";

test("A version id that an operation does not read never chooses whose tags are judged", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/locked", "bytes", { "x-amz-tagging": "locked=true" });
  const over = await newUpload(s3, "locked");
  const part = await s3.put(`/bucket/locked?partNumber=1&uploadId=${over}`, "other");
  const upload = await newUpload(s3, "copy");
  await putPolicy(s3, OPEN, LOCKED);

  const etag = part.headers["etag"] ?? "";
  const complete = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`;
  const asks: Readonly<Record<string, Ask>> = {
    RenameObject: {
      ...{ method: "PUT", path: `/bucket/free?renameObject&${ELSEWHERE}` },
      headers: { "x-amz-rename-source": "bucket/locked" },
    },
    DeleteObjects: {
      ...{ method: "POST", path: `/bucket?delete&${ELSEWHERE}` },
      body: "<Delete><Object><Key>locked</Key></Object></Delete>",
    },
    UploadPartCopy: {
      ...{ method: "PUT", path: `/bucket/copy?partNumber=1&uploadId=${upload}&${ELSEWHERE}` },
      headers: { "x-amz-copy-source": "bucket/locked" },
    },
    CompleteMultipartUpload: {
      ...{ method: "POST", path: `/bucket/locked?uploadId=${over}&${ELSEWHERE}` },
      body: complete,
    },
  };
  for (const [name, ask] of Object.entries(asks)) {
    const reply = await s3.request(ask);
    const status = name === "DeleteObjects" ? 200 : 403;
    assert.equal(reply.status, status, `${name}: ${reply.text}`);
    assert.match(reply.text, /<Code>AccessDenied<\/Code>/, name);
  }
  await putPolicy(s3, OPEN);
  assert.equal((await s3.get("/bucket/locked")).text, "bytes");
});

test("A condition on s3:VersionId sees the version that is acted on, and no other", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");
  const pinned = { ...OPEN, Condition: { StringEquals: { "s3:VersionId": "pinned" } } };
  await putPolicy(s3, pinned);

  const remove = {
    ...{ method: "POST", path: "/bucket?delete&versionId=pinned" },
    body: "<Delete><Object><Key>key</Key></Object></Delete>",
  };
  assert.match((await s3.request(remove)).text, /<Code>AccessDenied<\/Code>/);
  await putPolicy(s3, OPEN);
  assert.equal((await s3.get("/bucket/key")).text, "bytes");
});

test("Tags that come with an object need s3:PutObjectTagging as those that come later do", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/plain", "bytes");
  await putPolicy(s3, OPEN, UNTAGGING);
  const tagged = { "x-amz-tagging": "public=yes" };

  const copy = { "x-amz-copy-source": "bucket/plain", "x-amz-tagging-directive": "REPLACE" };
  const asks: readonly Ask[] = [
    { method: "PUT", path: "/bucket/key?tagging", body: "<Tagging><TagSet/></Tagging>" },
    { method: "PUT", path: "/bucket/key", body: "bytes", headers: tagged },
    { method: "POST", path: "/bucket/key?uploads", headers: tagged },
    { method: "PUT", path: "/bucket/key", headers: { ...copy, ...tagged } },
  ];
  for (const ask of asks) assertRefused(await s3.request(ask), 403, "AccessDenied");

  const without = [
    { method: "PUT", path: "/bucket/key", body: "bytes" },
    { method: "PUT", path: "/bucket/key", body: "bytes", headers: { "x-amz-tagging": "" } },
    { method: "POST", path: "/bucket/key?uploads" },
    { method: "PUT", path: "/bucket/copied", headers: { "x-amz-copy-source": "bucket/plain" } },
  ];
  for (const ask of without) assert.equal((await s3.request(ask)).status, 200, ask.path);
});

test("Copies read nothing of another organization's bucket, by any spelling of the source", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");
  await s3.request({ method: "PUT", path: "/theirs", as: OTHER });
  const { text } = await s3.request({ method: "POST", path: "/theirs/key?uploads", as: OTHER });
  const upload = only(text, "UploadId") ?? "";

  const spellings = ["bucket/key", "/bucket/key", "%2Fbucket%2Fkey", "bucket/key?versionId=null"];
  for (const source of spellings) {
    for (const query of ["", `?partNumber=1&uploadId=${upload}`]) {
      const ask = { method: "PUT", path: `/theirs/key${query}`, as: OTHER };
      const reply = await s3.request({ ...ask, headers: { "x-amz-copy-source": source } });
      assertRefused(reply, 403, "AccessDenied");
    }
  }
});

test("A copy of a named version needs s3:GetObjectVersion, which s3:GetObject does not give", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");
  const { headers } = await s3.put("/bucket/key", "bytes");
  const source = `bucket/key?versionId=${headers["x-amz-version-id"]}`;
  const upload = await newUpload(s3, "copy");
  await putPolicy(s3, { ...OPEN, Action: ["s3:GetObject", "s3:PutObject"] });

  for (const query of ["", `?partNumber=1&uploadId=${upload}`]) {
    const copy = async (from: string) =>
      await s3.put(`/bucket/copy${query}`, "", { "x-amz-copy-source": from });
    assertRefused(await copy(source), 403, "AccessDenied");
    assert.equal((await copy("bucket/key")).status, 200);
  }
});

test("A presigned upload becomes no copy, and nobody's tags, by headers that were not signed", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");

  for (const [name, value] of [
    ["x-amz-copy-source", "bucket/key"],
    ["x-amz-tagging", "a=1"],
    ["x-amz-security-token", "token"],
    ["x-amz-meta-a", "1"],
  ] as const) {
    const reply = await s3.request({
      ...{ method: "PUT", path: "/bucket/other", sign: { presignedSeconds: 60 } },
      unsigned: { [name]: value },
    });
    assertRefused(reply, 403, "AccessDenied");
  }
  assertRefused(await s3.get("/bucket/other"), 404, "NoSuchKey");
});

test("What is added to the query of a presigned URL breaks its signature", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");
  const { port, clock } = s3;
  const url = presignedUrl({
    ...{ method: "GET", url: `http://127.0.0.1:${port}/bucket/key`, expiresSeconds: 60 },
    ...{ accessKeyId: "ROOTACCESSKEY", secret: "root-secret", nowMs: clock.now() },
  });
  const path = url.slice(`http://127.0.0.1:${port}`.length);

  assert.equal((await s3.request({ path, sign: false })).text, "bytes");
  for (const more of [
    "&versionId=null",
    "&tagging",
    "&response-content-type=text/html",
    "&X-Amz-Expires=604800",
  ]) {
    const reply = await s3.request({ path: path + more, sign: false });
    assertRefused(reply, 403, "SignatureDoesNotMatch");
  }
});

test("A prefix that is judged is the one that is listed, however often it is given", async (t) => {
  const s3 = await startServer(t);
  await s3.fill("bucket", ["secret/1", "team/1"]);
  await s3.request({ method: "POST", path: "/bucket/secret/1?uploads" });
  const bucket = { Principal: "*", Resource: "arn:aws:s3:::bucket" };
  const Action = ["s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"];
  const Condition = { StringLike: { "s3:prefix": "team/*" } };
  await putPolicy(s3, { ...bucket, Effect: "Allow", Action, Condition });

  for (const list of ["", "list-type=2", "versions", "uploads"]) {
    for (const hidden of [
      "",
      "prefix=",
      "prefix=secret/",
      "prefix=secret/&prefix=team/",
      "%70refix=secret/&prefix=team/",
      "Prefix=team/",
      "prefix=team",
      "start-after=team/&marker=team/&key-marker=team/",
    ]) {
      const reply = await s3.request({ path: "/bucket", query: `${list}&${hidden}` });
      assertRefused(reply, 403, "AccessDenied");
    }
    for (const seen of [
      "prefix=team/",
      "prefix=team/&prefix=secret/",
      "prefix=team/&delimiter=t",
    ]) {
      const reply = await s3.request({ path: "/bucket", query: `${list}&${seen}` });
      assert.equal(reply.status, 200, reply.text);
      assert.doesNotMatch(reply.text, /secret/);
    }
  }
});

test("A request that is signed in its headers is never judged as a presigned one", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");
  const Condition = { StringEquals: { "s3:authType": "REST-HEADER" } };
  await putPolicy(s3, OPEN, { ...ON_OBJECTS, Effect: "Deny", Action: "s3:GetObject", Condition });

  // Decoded, it is the name that presigned requests have.
  for (const path of ["/bucket/key", "/bucket/key?X-Amz-Signatur%65=a"]) {
    assertRefused(await s3.get(path), 403, "AccessDenied");
  }
  const presigned = { path: "/bucket/key", sign: { presignedSeconds: 60 } } as const;
  assert.equal((await s3.request(presigned)).text, "bytes");
});

test("Whether a key is there is known only to whoever may list the bucket", async (t) => {
  const s3 = await startServer(t, { buckets: ["bucket", "target"] });
  await s3.put("/bucket/key", "bytes");
  const read = { ...ON_OBJECTS, Effect: "Allow", Action: ["s3:GetObject", "s3:PutObject"] };
  const list = {
    ...{ Effect: "Allow", Principal: "*" },
    ...{ Action: "s3:ListBucket", Resource: "arn:aws:s3:::bucket" },
  };
  const asks: readonly Ask[] = [
    { path: "/bucket/missing", as: OTHER },
    { path: "/bucket/missing", sign: false },
    { path: "/bucket/missing", as: OTHER, headers: { "if-none-match": '"x"' } },
    {
      method: "PUT",
      path: "/theirs/copy",
      as: OTHER,
      headers: { "x-amz-copy-source": "bucket/missing" },
    },
  ];
  await s3.request({ method: "PUT", path: "/theirs", as: OTHER });
  const head: Ask = { method: "HEAD", path: "/bucket/missing", as: OTHER };

  const own = {
    ...{ Effect: "Allow", Principal: { AWS: `arn:aws:iam::${s3.organizationId}:*` } },
    ...{ Action: "s3:*", Resource: ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"] },
  };
  await putPolicy(s3, own, read);
  assert.equal((await s3.request({ path: "/bucket/key", as: OTHER })).status, 200);
  for (const ask of asks) assertRefused(await s3.request(ask), 403, "AccessDenied");
  assert.equal((await s3.request(head)).status, 403);
  assertRefused(await s3.get("/bucket/missing"), 404, "NoSuchKey");

  await putPolicy(s3, own, read, list);
  for (const ask of asks) assertRefused(await s3.request(ask), 404, "NoSuchKey");
  assert.equal((await s3.request(head)).status, 404);
});

test("Whether a key has a delete marker is known only to whoever may list the bucket", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");
  await s3.request({ method: "DELETE", path: "/bucket/key" });
  const read = { ...ON_OBJECTS, Effect: "Allow", Action: "s3:GetObjectTagging" };
  const list = {
    ...{ Effect: "Allow", Principal: "*" },
    ...{ Action: "s3:ListBucket", Resource: "arn:aws:s3:::bucket" },
  };
  const asks: readonly Ask[] = [
    { path: "/bucket/key?tagging", as: OTHER },
    { path: "/bucket/missing?tagging", as: OTHER },
  ];

  await putPolicy(s3, read);
  for (const ask of asks) assertRefused(await s3.request(ask), 403, "AccessDenied");

  await putPolicy(s3, read, list);
  const [marked, missing] = await Promise.all(asks.map((ask) => s3.request(ask)));
  assert.equal(marked?.status, 405);
  assert.equal(missing?.status, 404);
});

test("A page token leads to no bucket and no key but those that may be listed anyway", async (t) => {
  const s3 = await startServer(t, { buckets: ["bucket", "bucket-b", "bucket-c"] });
  await s3.fill("bucket", ["a", "b", "secret/1", "secret/2"]);
  await s3.request({ method: "PUT", path: "/theirs", as: OTHER });
  const tokenOf = async (path: string) =>
    only(
      (await s3.get(path)).text,
      path === "/?max-buckets=1" ? "ContinuationToken" : "NextContinuationToken",
    ) ?? "";

  const buckets = encodeURIComponent(await tokenOf("/?max-buckets=1"));
  const theirs = await s3.request({ path: `/?continuation-token=${buckets}`, as: OTHER });
  assert.deepEqual(texts(theirs.text, "Name"), ["theirs"]);

  // Made where nothing was hidden, used where a prefix is all that may be seen.
  const keys = encodeURIComponent(await tokenOf("/bucket?list-type=2&max-keys=2"));
  const page = await s3.get(`/bucket?list-type=2&prefix=a&continuation-token=${keys}`);
  assert.deepEqual(texts(page.text, "Key"), []);
});

test("Nobody takes the name of an audit bucket before its organization needs it", async (t) => {
  const s3 = await startServer(t);

  for (const name of [`cw-${s3.organizationId}-audit-logs`, "cw-other-audit-logs", "cw-x"]) {
    for (const as of [undefined, OTHER]) {
      const reply = await s3.request({ method: "PUT", path: `/${name}`, ...(as && { as }) });
      assertRefused(reply, 400, "InvalidBucketName");
    }
  }
});
