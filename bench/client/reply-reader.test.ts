import assert from "node:assert/strict";
import { test } from "node:test";
import { headerOf, type Reply, ReplyReader } from "./reply-reader.ts";

/** Feeds the text in pieces of every size and returns the reply, which must always be the same. */
function read(text: string, hasBody = true): Reply {
  const bytes = Buffer.from(text, "latin1");
  const replies = Array.from({ length: bytes.length }, (_, index) =>
    inPieces(bytes, index + 1, hasBody),
  );
  for (const reply of replies) assert.deepEqual(reply, replies[0]);
  assert.ok(replies[0]);
  return replies[0];
}

function inPieces(bytes: Buffer, size: number, hasBody: boolean): Reply | undefined {
  const reader = new ReplyReader();
  reader.expect({ keepBody: true, hasBody });
  for (let at = 0; at < bytes.length; at += size) {
    const reply = reader.push(bytes.subarray(at, at + size));
    if (reply !== undefined) {
      assert.ok(at + size >= bytes.length, "the reply is whole at its last byte");
      return reply;
    }
  }
  return undefined;
}

test("a body of known length is read to its end, however the bytes arrive", () => {
  const reply = read('HTTP/1.1 200 OK\r\nETag: "x"\r\nContent-Length: 5\r\n\r\nhello');
  assert.equal(reply.status, 200);
  assert.equal(reply.body, "hello");
  assert.equal(reply.bodyBytes, 5);
  assert.equal(headerOf(reply, "etag"), '"x"');
});

test("a chunked body is joined, chunk extensions and trailers left out", () => {
  const reply = read(
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n1;a=b\r\n!\r\n0\r\nx: y\r\n\r\n",
  );
  assert.equal(reply.body, "hello!");
  assert.equal(reply.bodyBytes, 6);
});

test("answers without a body end with their head", () => {
  assert.equal(read("HTTP/1.1 204 No Content\r\n\r\n").bodyBytes, 0);
  assert.equal(read("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", false).bodyBytes, 0);
});

test("an interim answer is skipped", () => {
  const reply = read(
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno",
  );
  assert.equal(reply.status, 403);
  assert.equal(reply.body, "no");
});

test("a body longer than announced is refused", () => {
  const reader = new ReplyReader();
  reader.expect({ keepBody: false, hasBody: true });
  assert.throws(
    () => reader.push(Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab")),
    /longer/,
  );
});
