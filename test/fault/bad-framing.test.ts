/** Requests that are no HTTP, or that two readers could understand in two ways. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { call, makeBucket, put, signedHead, type Target } from "#test/fault/call.ts";
import { type RawResponse, RawSocket, requestHead } from "#test/support/raw-socket.ts";
import { startRealServer } from "#test/support/real-server.ts";

const CHUNKED_BODY = "3\r\nabc\r\n0\r\n\r\n";
/** What a smuggler hopes to have taken for a second request. */
const SMUGGLED = "GET /framing HTTP/1.1\r\nHost: smuggled\r\n\r\n";

/** Everything after the Host header: further headers, then the body. */
const AMBIGUOUS: Readonly<Record<string, string>> = {
  "Content-Length before Transfer-Encoding": `Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  "Transfer-Encoding before Content-Length": `Transfer-Encoding: chunked\r\nContent-Length: 100\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  "two Content-Length that differ": `Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde`,
  "two Content-Length that agree": `Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd`,
  "a list of Content-Length": `Content-Length: 4, 4\r\n\r\nabcd`,
  "a signed Content-Length": `Content-Length: +4\r\n\r\nabcd`,
  "a negative Content-Length": `Content-Length: -4\r\n\r\nabcd`,
  "a hexadecimal Content-Length": `Content-Length: 0x4\r\n\r\nabcd`,
  "a Content-Length of 24 digits": `Content-Length: 999999999999999999999999\r\n\r\nabcd`,
  "an empty Content-Length": `Content-Length: \r\n\r\n`,
  "a transfer coding nobody knows": `Transfer-Encoding: xchunked\r\n\r\n${CHUNKED_BODY}`,
  "a coding before chunked": `Transfer-Encoding: gzip, chunked\r\n\r\n${CHUNKED_BODY}${SMUGGLED}`,
  "the identity coding": `Transfer-Encoding: identity\r\n\r\n${CHUNKED_BODY}`,
  "two transfer codings": `Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n${CHUNKED_BODY}`,
  "chunked twice": `Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKED_BODY}`,
  "chunked before another coding": `Transfer-Encoding: chunked, gzip\r\n\r\n${CHUNKED_BODY}`,
  "chunked and a tab": `Transfer-Encoding: chunked\t\r\n\r\n${CHUNKED_BODY}`,
  "a second Host": "Host: other\r\nContent-Length: 0\r\n\r\n",
  "a Content-Length over 2^53": "Content-Length: 9007199254740992\r\n\r\n",
  "a Content-Length among its trailers":
    "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 9\r\n\r\n",
  "a chunk that is longer than its size":
    "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
  "a chunk extension that never ends": `Transfer-Encoding: chunked\r\n\r\n3;${"a".repeat(20_000)}`,
  "trailers that never end": `Transfer-Encoding: chunked\r\n\r\n0\r\n${"a: b\r\n".repeat(5_000)}`,
  "a space before the colon": `Transfer-Encoding : chunked\r\n\r\n${CHUNKED_BODY}`,
  "a folded header": "X-Fold: a\r\n b\r\n\r\n",
  "a folded Transfer-Encoding": `Transfer-Encoding:\r\n chunked\r\n\r\n${CHUNKED_BODY}`,
  "a chunk size that is no number": "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
  "a chunk size over 64 bits": `Transfer-Encoding: chunked\r\n\r\n${"f".repeat(17)}\r\nabc\r\n0\r\n\r\n`,
  "chunks ended by a lone LF": "Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n",
  "a header ended by a lone LF": "X-Lone: y\nContent-Length: 0\r\n\r\n",
  "headers ended by a lone LF": "X-Lone: y\r\n\n",
  "a lone CR in a header": "X-Lone: a\rb\r\n\r\n",
  "a zero byte in a header": "X-Zero: a\0b\r\n\r\n",
  "a header without a colon": "nonsense\r\n\r\n",
  "a header without a name": ": nameless\r\n\r\n",
};

/** Requests up to their headers. */
const MALFORMED_LINES: Readonly<Record<string, string>> = {
  "a lone LF": "GET / HTTP/1.1\n",
  "a zero byte in the path": "GET /framing/\0 HTTP/1.1\r\n",
  "a space in the path": "GET /framing/a b HTTP/1.1\r\n",
  "raw bytes above 0x7f in the path": "GET /framing/\xff HTTP/1.1\r\n",
  "a method that HTTP does not know": "FROB / HTTP/1.1\r\n",
  "two spaces": "GET  / HTTP/1.1\r\n",
  "a version that is none": "GET / HTTP/1.10\r\n",
  "no version": "GET /\r\n",
  "a target that is no path": "GET framing HTTP/1.1\r\n",
  "the preface of HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "a TLS greeting": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
};

const TOO_LARGE: Readonly<Record<string, string>> = {
  "one header over 16 KiB": `X-Large: ${"v".repeat(17_000)}\r\n`,
  "headers over 16 KiB together": Array.from(
    { length: 190 },
    (_, index) => `X-Large-${index}: ${"v".repeat(90)}\r\n`,
  ).join(""),
  "more than 200 headers": Array.from({ length: 201 }, (_, index) => `X-${index}: v\r\n`).join(""),
};

test("requests that are no HTTP are refused, and their connection with them", async (t) => {
  const server = await startRealServer(t);
  const bucket = await makeBucket(server, "framing");

  for (const [name, rest] of Object.entries(AMBIGUOUS)) {
    await t.test(`a PutObject with ${name} is refused and the connection closed`, async () => {
      const head = `PUT ${bucket}/ambiguous HTTP/1.1\r\nHost: ${hostOf(server)}\r\n`;
      requireError(await onlyAnswer(server, `${head}${rest}`), "BadRequest");
      const { code } = await call(server, { method: "GET", path: `${bucket}/ambiguous` });
      assert.equal(code, "NoSuchKey");
    });
  }

  for (const [name, line] of Object.entries(MALFORMED_LINES)) {
    await t.test(`a request line with ${name} is refused and the connection closed`, async () => {
      const answer = await onlyAnswer(server, `${line}Host: ${hostOf(server)}\r\n\r\n`);
      requireError(answer, "BadRequest");
    });
  }

  for (const [name, headers] of Object.entries(TOO_LARGE)) {
    await t.test(`${name} are refused with RequestHeaderSectionTooLarge`, async () => {
      const request = `GET / HTTP/1.1\r\nHost: ${hostOf(server)}\r\n${headers}\r\n`;
      requireError(await onlyAnswer(server, request), "RequestHeaderSectionTooLarge");
    });
  }

  await t.test(
    "a request line over 16 KiB is refused with RequestHeaderSectionTooLarge",
    async () => {
      const target = `/framing/${"a".repeat(17_000)}`;
      const request = `GET ${target} HTTP/1.1\r\nHost: ${hostOf(server)}\r\n\r\n`;
      requireError(await onlyAnswer(server, request), "RequestHeaderSectionTooLarge");
    },
  );

  await t.test(
    "a request of HTTP/1.1 without Host is refused and the connection closed",
    async () => {
      await using socket = await RawSocket.connect(server.endpoint);
      await socket.send("GET / HTTP/1.1\r\n\r\n");
      assert.match(await socket.ended(), /^HTTP\/1.1 400 /);
    },
  );

  for (const path of ["%", "%z", "%zz", "%ff", "%C3%28", "key?versionId=%ff"]) {
    await t.test(`the target ${bucket}/${path} is refused with InvalidURI`, async () => {
      await using socket = await RawSocket.connect(server.endpoint);
      const target = `${bucket}/${path}`;
      await socket.send(requestHead({ method: "GET", target, headers: { host: hostOf(server) } }));
      const { status, body } = await socket.response();
      assert.equal(status, 400);
      assert.match(body.toString(), /<Code>InvalidURI<\/Code>/);
    });
  }

  await t.test("a key may hold a zero character, percent-encoded", async () => {
    await put(server, `${bucket}/zero%00key`, "zero");
    const { body } = await call(server, { method: "GET", path: `${bucket}/zero%00key` });
    assert.equal(body.toString(), "zero");
  });

  await t.test("a target in absolute form means its path, whatever host it names", async () => {
    await using socket = await RawSocket.connect(server.endpoint);
    const head = signedHead(server, { method: "GET", path: "/" });
    for (const origin of [server.endpoint, "http://elsewhere.example"]) {
      await socket.send(head.replace("GET / ", `GET ${origin}/ `));
      const { status, body } = await socket.response();
      assert.equal(status, 200);
      assert.match(body.toString(), /<Name>framing<\/Name>/);
    }
  });

  await t.test("an empty line before a request is no part of it", async () => {
    await using socket = await RawSocket.connect(server.endpoint);
    for (const before of ["\r\n", "\r\n\r\n"]) {
      await socket.send(before + signedHead(server, { method: "GET", path: "/" }));
      assert.equal((await socket.response()).status, 200);
    }
  });

  await t.test("a head that comes byte by byte is one, and so is a chunked body", async () => {
    await using socket = await RawSocket.connect(server.endpoint);
    const path = `${bucket}/drip`;
    const body = "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nX-Trailer: z\r\n\r\n";
    const headers = { "transfer-encoding": "chunked", "x-amz-decoded-content-length": "7" };
    const sent = signedHead(server, { method: "PUT", path, headers }) + body;
    for (const byte of sent + signedHead(server, { method: "GET", path: "/" })) {
      await socket.send(byte);
    }
    assert.match(String((await socket.response()).status), /^[24]/);
    assert.equal((await socket.response()).status, 200);
  });

  await t.test(
    "a connection of HTTP/1.0 is kept when the client asks for it, and told so",
    async () => {
      const head = signedHead(server, { method: "GET", path: "/" }).replace("HTTP/1.1", "HTTP/1.0");
      const keep = head.replace("\r\n", "\r\nConnection: Keep-Alive\r\n");
      await using socket = await RawSocket.connect(server.endpoint);
      await socket.send(keep);
      assert.equal((await socket.response()).headers["connection"], "keep-alive");
      await socket.send(head);
      assert.equal((await socket.response()).headers["connection"], "close");
      assert.equal(await socket.ended(), "");
    },
  );

  await t.test(
    "a connection that the client asks to close is closed behind its answer",
    async () => {
      await using socket = await RawSocket.connect(server.endpoint);
      const headers = { connection: "x, Close" };
      await socket.send(signedHead(server, { method: "GET", path: "/", headers }));
      const answer = await socket.response();
      assert.deepEqual([answer.status, answer.headers["connection"]], [200, "close"]);
      assert.equal(await socket.ended(), "");
    },
  );

  await t.test("OPTIONS * is refused, and the connection stays", async () => {
    await using socket = await RawSocket.connect(server.endpoint);
    const headers = { host: hostOf(server) };
    await socket.send(requestHead({ method: "OPTIONS", target: "*", headers }));
    assert.equal((await socket.response()).status, 400);
    await socket.send(signedHead(server, { method: "GET", path: "/" }));
    assert.equal((await socket.response()).status, 200);
  });

  await t.test("CONNECT opens no tunnel", async () => {
    await using socket = await RawSocket.connect(server.endpoint);
    await socket.send(`CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: ${hostOf(server)}\r\n\r\n`);
    assert.doesNotMatch(await socket.ended(), /^HTTP\/1.1 2/);
  });

  await t.test(
    "garbage after a whole request is a bad request of its own, never its body",
    async () => {
      await using socket = await RawSocket.connect(server.endpoint);
      const head = signedHead(server, { method: "PUT", path: `${bucket}/longer`, body: "abc" });
      await socket.send(`${head}abcGARBAGE\r\n\r\n`);
      assert.equal((await socket.response()).status, 200);
      requireError(await socket.response(), "BadRequest");
      assert.equal(await socket.ended(), "");
      const { body } = await call(server, { method: "GET", path: `${bucket}/longer` });
      assert.equal(body.toString(), "abc");
    },
  );

  await t.test("garbage behind a request never stands within the answer to it", async () => {
    const bytes = Buffer.alloc(3_000_000, "object ");
    await put(server, `${bucket}/large`, bytes);
    await using socket = await RawSocket.connect(server.endpoint);
    await socket.send(signedHead(server, { method: "GET", path: `${bucket}/large` }));
    await socket.send("GARBAGE\r\n\r\n");
    const { status, body } = await socket.response();
    assert.equal(status, 200);
    assert.ok(body.equals(bytes));
    requireError(await socket.response(), "BadRequest");
    assert.equal(await socket.ended(), "");
  });

  await t.test("requests that are sent at once are carried out one after the other", async () => {
    const path = `${bucket}/turns`;
    const bodies = Array.from({ length: 20 }, (_, turn) => `turn ${turn}`);
    for (let round = 0; round < 5; round += 1) {
      await using socket = await RawSocket.connect(server.endpoint);
      const sent = bodies.flatMap((body) => [
        signedHead(server, { method: "PUT", path, body }) + body,
        signedHead(server, { method: "GET", path }),
      ]);
      await socket.send(sent.join(""));
      for (const body of bodies) {
        assert.equal((await socket.response()).status, 200);
        assert.equal((await socket.response()).body.toString(), body);
      }
    }
  });

  await t.test("requests that are sent at once are answered in their order", async () => {
    const sizes = [300_000, 3, 200_000, 0, 1];
    for (const size of sizes) await put(server, `${bucket}/${size}`, Buffer.alloc(size, "x"));
    await using socket = await RawSocket.connect(server.endpoint);
    const heads = sizes.map((size) =>
      signedHead(server, { method: "GET", path: `${bucket}/${size}` }),
    );
    await socket.send(heads.join(""));
    for (const size of sizes) assert.equal((await socket.response()).body.length, size);
  });

  assert.equal((await call(server, { method: "GET", path: "/" })).status, 200);
});

function hostOf({ endpoint }: Target): string {
  return new URL(endpoint).host;
}

/** What is answered before the server closes the connection, which it must. */
async function onlyAnswer(server: Target, bytes: string): Promise<RawResponse> {
  await using socket = await RawSocket.connect(server.endpoint);
  await socket.send(bytes);
  const answer = await socket.response();
  assert.equal(await socket.ended(), "");
  return answer;
}

function requireError({ status, headers, body }: RawResponse, code: string): void {
  assert.equal(status, 400);
  assert.equal(headers["connection"], "close");
  assert.equal(/<Error><Code>(\w+)<\/Code>/.exec(body.toString())?.[1], code);
}
