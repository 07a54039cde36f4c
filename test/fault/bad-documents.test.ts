/** XML documents that no operation takes: each is refused, and none costs much. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { OPERATIONS } from "#s3/operations.ts";
import { call, makeBucket, put, type Sent, type Target } from "#test/fault/call.ts";
import { startRealServer } from "#test/support/real-server.ts";

/** What makes a request the operation, and the root of its document. */
const DOCUMENTS: Readonly<Record<string, Omit<Sent, "body"> & { readonly root: string }>> = {
  CompleteMultipartUpload: {
    method: "POST",
    path: `/documents/upload?uploadId=${"0".repeat(32)}`,
    root: "CompleteMultipartUpload",
  },
  CreateBucket: { method: "PUT", path: "/never-made", root: "CreateBucketConfiguration" },
  DeleteObjects: { method: "POST", path: "/documents?delete", root: "Delete" },
  PutBucketAcl: { method: "PUT", path: "/documents?acl", root: "AccessControlPolicy" },
  PutBucketVersioning: {
    method: "PUT",
    path: "/documents?versioning",
    root: "VersioningConfiguration",
  },
  PutObjectAcl: { method: "PUT", path: "/documents/key?acl", root: "AccessControlPolicy" },
  PutObjectTagging: { method: "PUT", path: "/documents/key?tagging", root: "Tagging" },
};

const LAUGHS = Array.from(
  { length: 20 },
  (_, index) => `<!ENTITY l${index + 1} "${`&l${index};`.repeat(10)}">`,
).join("");

/** By what is wrong with them. */
const MALFORMED: Readonly<Record<string, (root: string) => string | Uint8Array>> = {
  "the billion laughs": (root) =>
    `<?xml version="1.0"?><!DOCTYPE ${root} [<!ENTITY l0 "lol">${LAUGHS}]><${root}>&l20;</${root}>`,
  "an external entity": (root) =>
    `<!DOCTYPE ${root} [<!ENTITY file SYSTEM "file:///etc/passwd">]><${root}>&file;</${root}>`,
  "a document type": (root) => `<!DOCTYPE ${root}><${root}></${root}>`,
  "an entity nobody declared": (root) => `<${root}>&unknown;</${root}>`,
  "elements 100,000 deep": (root) => `<${root}>${"<a>".repeat(100_000)}`,
  "300,000 elements": (root) => `<${root}>${"<a/>".repeat(300_000)}</${root}>`,
  "another root": () => "<Other></Other>",
  "two roots": (root) => `<${root}></${root}><${root}></${root}>`,
  "text after its root": (root) => `<${root}></${root}>text`,
  "no end": (root) => `<${root}><Part>`,
  "tags that cross": (root) => `<${root}><a><b></a></b></${root}>`,
  "an attribute twice": (root) => `<${root} a="1" a="2"></${root}>`,
  "a character XML forbids": (root) => `<${root}>\u0001</${root}>`,
  "no XML": () => "{}",
  "UTF-16": (root) => Buffer.from(`\ufeff<${root}></${root}>`, "utf16le"),
  "zero bytes": () => Buffer.alloc(1_000),
};

test("documents that are not what an operation takes are refused", async (t) => {
  const server = await startRealServer(t, { flags: ["--access-log", "false"] });
  const bucket = await makeBucket(server, "documents");
  await put(server, `${bucket}/key`, "object");

  await t.test("every operation that takes a document is tried", () => {
    const taking = OPERATIONS.filter(({ body }) => body.includes("document"));
    assert.deepEqual(taking.map(({ name }) => name).sort(), Object.keys(DOCUMENTS).sort());
  });

  for (const [operation, { root, ...sent }] of Object.entries(DOCUMENTS)) {
    for (const [name, make] of Object.entries(MALFORMED)) {
      await t.test(`${operation} refuses ${name} with MalformedXML`, async () => {
        const { status, code } = await send(server, sent, make(root));
        assert.deepEqual([status, code], [400, "MalformedXML"]);
      });
    }

    await t.test(`${operation} refuses 3 MiB with MaxMessageLengthExceeded`, async () => {
      const document = `<${root}>${" ".repeat(3 * 2 ** 20)}</${root}>`;
      const { status, code } = await send(server, sent, document);
      assert.deepEqual([status, code], [400, "MaxMessageLengthExceeded"]);
    });

    await t.test(`${operation} refuses a document that is not its Content-MD5`, async () => {
      const headers = { "content-md5": md5("another") };
      const { status, code } = await call(server, { ...sent, headers, body: `<${root}/>` });
      assert.deepEqual([status, code], [400, "BadDigest"]);
    });
  }

  assert.equal((await call(server, { method: "GET", path: `${bucket}/key` })).status, 200);
  assert.equal((await call(server, { method: "HEAD", path: "/never-made" })).status, 404);
});

async function send(server: Target, sent: Omit<Sent, "body">, body: string | Uint8Array) {
  return await call(server, { ...sent, headers: { "content-md5": md5(body) }, body });
}

function md5(body: string | Uint8Array): string {
  return createHash("md5").update(body).digest("base64");
}
