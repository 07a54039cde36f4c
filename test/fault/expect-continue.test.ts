/** What a client is told before it has sent a body. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { call, makeBucket, put, type Sent, signedHead, type Target } from "#test/fault/call.ts";
import { RawSocket } from "#test/support/raw-socket.ts";
import { startRealServer } from "#test/support/real-server.ts";

const EXPECT = { expect: "100-continue" };
const BODY = Buffer.alloc(100_000, "body ");

interface Refusal {
  readonly sent: Partial<Sent>;
  readonly key?: { readonly secret?: string; readonly accessKeyId?: string };
  readonly status: number;
  readonly code: string;
}

/** By what makes the request one that no body could save. */
const REFUSED: Readonly<Record<string, Refusal>> = {
  "a wrong signature": {
    sent: {},
    key: { secret: "another" },
    status: 403,
    code: "SignatureDoesNotMatch",
  },
  "an unknown key": {
    sent: {},
    key: { accessKeyId: "UNKNOWNKEY" },
    status: 403,
    code: "InvalidAccessKeyId",
  },
  "a bucket that is missing": {
    sent: { path: "/missing/key" },
    status: 404,
    code: "NoSuchBucket",
  },
  "If-None-Match: * on a key that is there": {
    sent: { headers: { ...EXPECT, "if-none-match": "*" } },
    status: 412,
    code: "PreconditionFailed",
  },
  "If-Match of another ETag": {
    sent: { headers: { ...EXPECT, "if-match": '"0123"' } },
    status: 412,
    code: "PreconditionFailed",
  },
  "If-Match on a key that is missing": {
    sent: { path: "/expect/missing", headers: { ...EXPECT, "if-match": '"0123"' } },
    status: 404,
    code: "NoSuchKey",
  },
  "a length over 5 GiB": {
    sent: { headers: { ...EXPECT, "content-length": String(5 * 2 ** 30 + 1) } },
    status: 400,
    code: "EntityTooLarge",
  },
  "an upload that is missing": {
    sent: { path: `/expect/key?partNumber=1&uploadId=${"0".repeat(32)}` },
    status: 404,
    code: "NoSuchUpload",
  },
  "a key over 1,024 bytes": {
    sent: { path: `/expect/${"k".repeat(1_025)}` },
    status: 400,
    code: "KeyTooLongError",
  },
};

test("Expect: 100-continue asks for the body of a request that can succeed, and of no other", async (t) => {
  const server = await startRealServer(t, { flags: ["--access-log", "false"] });
  const bucket = await makeBucket(server, "expect");
  await put(server, `${bucket}/key`, "before");

  await t.test("a request that can succeed is told 100, then 200", async () => {
    await using socket = await RawSocket.connect(server.endpoint);
    await socket.send(signedHead(server, upload(`${bucket}/new`)));
    assert.equal((await socket.response()).status, 100);
    await socket.send(BODY);
    assert.equal((await socket.response()).status, 200);
    await socket.send(signedHead(server, { method: "GET", path: `${bucket}/new` }));
    assert.ok((await socket.response()).body.equals(BODY));
  });

  await t.test("a body that is sent without waiting is taken too", async () => {
    await using socket = await RawSocket.connect(server.endpoint);
    await socket.send(signedHead(server, upload(`${bucket}/eager`)));
    await socket.send(BODY);
    assert.equal((await socket.response()).status, 100);
    assert.equal((await socket.response()).status, 200);
  });

  for (const [name, { sent, key, status, code }] of Object.entries(REFUSED)) {
    await t.test(
      `with ${name} it is told ${code} without 100, and the connection closed`,
      async () => {
        await using socket = await RawSocket.connect(server.endpoint);
        const asked: Target = { ...server, ...key };
        await socket.send(signedHead(asked, { ...upload(`${bucket}/key`), ...sent }));
        const answer = await socket.response();
        assert.equal(answer.status, status);
        assert.equal(/<Error><Code>(\w+)<\/Code>/.exec(answer.body.toString())?.[1], code);
        assert.equal(answer.headers["connection"], "close");
        assert.equal(await socket.ended(), "");
      },
    );
  }

  await t.test("of an empty body a refusal closes the connection too", async () => {
    await using socket = await RawSocket.connect(server.endpoint);
    const headers = { ...EXPECT, "content-length": "0", "if-none-match": "*" };
    const sent = { method: "PUT", path: `${bucket}/key`, headers, body: "" };
    await socket.send(signedHead(server, sent));
    const answer = await socket.response();
    assert.deepEqual([answer.status, answer.headers["connection"]], [412, "close"]);
    assert.equal(await socket.ended(), "");
  });

  await t.test("a body that comes after a refusal is not taken for a request", async () => {
    await using socket = await RawSocket.connect(server.endpoint);
    const inner = signedHead(server, { method: "DELETE", path: `${bucket}/key` });
    const headers = { ...EXPECT, "if-none-match": "*" };
    const sent = { method: "PUT", path: `${bucket}/key`, headers, body: inner };
    await socket.send(signedHead(server, sent));
    assert.equal((await socket.response()).status, 412);
    await socket.send(inner);
    assert.equal(await socket.ended(), "");
    assert.equal((await call(server, { method: "GET", path: `${bucket}/key` })).status, 200);
  });

  await t.test("another expectation is never answered with 100", async () => {
    await using socket = await RawSocket.connect(server.endpoint);
    const headers = { expect: "200-ok" };
    const sent = { method: "PUT", path: `${bucket}/other`, headers, body: "body" };
    await socket.send(`${signedHead(server, sent)}body`);
    // RFC 9110 allows both to refuse and to ignore it.
    assert.ok([200, 417].includes((await socket.response()).status));
  });
});

function upload(path: string): Sent {
  return { method: "PUT", path, headers: EXPECT, body: BODY };
}
