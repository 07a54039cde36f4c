/** Documents that no operation takes: each is refused, and none costs much. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { OPERATIONS } from "#s3/operations.ts";
import { call, makeBucket, put, type Sent, type Target } from "#test/fault/call.ts";
import { startRealServer } from "#test/support/real-server.ts";

/** Every operation that takes a document, as the table of operations has it. */
const TAKING = OPERATIONS.filter(({ body }) => body.includes("document")).map(
  ({ name, route }): readonly [string, Omit<Sent, "body">] => {
    const query = (route.query ?? []).map((each) =>
      each === "uploadId" ? `uploadId=${"0".repeat(32)}` : each,
    );
    const path = route.on === "object" ? "/documents/key" : "/documents";
    return [name, { method: route.method, path: `${path}?${query.join("&")}` }];
  },
);

const LAUGHS = Array.from(
  { length: 20 },
  (_, index) => `<!ENTITY l${index + 1} "${`&l${index};`.repeat(10)}">`,
).join("");

/** By what is wrong with them. */
const MALFORMED: Readonly<Record<string, string | Uint8Array>> = {
  "the billion laughs": `<?xml version="1.0"?><!DOCTYPE Root [<!ENTITY l0 "lol">${LAUGHS}]><Root>&l20;</Root>`,
  "an external entity": `<!DOCTYPE Root [<!ENTITY file SYSTEM "file:///etc/passwd">]><Root>&file;</Root>`,
  "a document type": `<!DOCTYPE Root><Root></Root>`,
  "an entity nobody declared": `<Root>&unknown;</Root>`,
  "elements 100,000 deep": `<Root>${"<a>".repeat(100_000)}`,
  "300,000 elements": `<Root>${"<a/>".repeat(300_000)}</Root>`,
  "another root": "<Other></Other>",
  "two roots": `<Root></Root><Root></Root>`,
  "text after its root": `<Root></Root>text`,
  "no end": `<Root><Part>`,
  "tags that cross": `<Root><a><b></a></b></Root>`,
  "an attribute twice": `<Root a="1" a="2"></Root>`,
  "a character XML forbids": `<Root>\u0001</Root>`,
  "no XML": "{}",
  "UTF-16": Buffer.from(`\ufeff<Root></Root>`, "utf16le"),
  "zero bytes": Buffer.alloc(1_000),
};

/** Policies are JSON, of which none of these is one either. */
const codeOf = (operation: string) =>
  operation === "PutBucketPolicy" ? "MalformedPolicy" : "MalformedXML";

test("documents that are not what an operation takes are refused", async (t) => {
  const server = await startRealServer(t, { flags: ["--access-log", "false"] });
  const bucket = await makeBucket(server, "documents");
  await put(server, `${bucket}/key`, "object");

  assert.ok(TAKING.length > 5);
  for (const [operation, sent] of TAKING) {
    for (const [name, document] of Object.entries(MALFORMED)) {
      await t.test(`${operation} refuses ${name} with ${codeOf(operation)}`, async () => {
        const reply = await send(server, sent, document);
        assert.deepEqual([reply.status, reply.code], [400, codeOf(operation)]);
      });
    }

    await t.test(`${operation} refuses 3 MiB with MaxMessageLengthExceeded`, async () => {
      const document = `<Root>${" ".repeat(3 * 2 ** 20)}</Root>`;
      const { status, code } = await send(server, sent, document);
      assert.deepEqual([status, code], [400, "MaxMessageLengthExceeded"]);
    });

    await t.test(`${operation} refuses a document that is not its Content-MD5`, async () => {
      const headers = { "content-md5": md5("another") };
      const { status, code } = await call(server, { ...sent, headers, body: "<Root/>" });
      assert.deepEqual([status, code], [400, "BadDigest"]);
    });
  }

  assert.equal((await call(server, { method: "GET", path: `${bucket}/key` })).status, 200);
});

async function send(server: Target, sent: Omit<Sent, "body">, body: string | Uint8Array) {
  return await call(server, { ...sent, headers: { "content-md5": md5(body) }, body });
}

function md5(body: string | Uint8Array): string {
  return createHash("md5").update(body).digest("base64");
}
