/** Bodies that are not what their headers promise: nothing of them is ever an object. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { call, expectCall, makeBucket, signedHead, type Target } from "#test/fault/call.ts";
import { RawSocket, requestHead } from "#test/support/raw-socket.ts";
import { startRealServer } from "#test/support/real-server.ts";
import { chunkedBody, type ToChunk } from "#test/support/sign.ts";

const LARGE = Buffer.alloc(300_000, "large ");

interface Corruption {
  readonly mode: ToChunk["mode"];
  readonly trailers?: Readonly<Record<string, string>>;
  /** What is sent instead of the encoded body; the Content-Length is that of what is sent. */
  readonly corrupt: (encoded: Buffer) => Buffer;
  /** LARGE when absent. */
  readonly plain?: Buffer;
  readonly code: string;
  readonly status: number;
}

const TRAILERS = { "x-amz-checksum-crc32": "AAAAAA==" };
const INCOMPLETE = { code: "IncompleteBody", status: 400 };
const MISMATCH = { code: "SignatureDoesNotMatch", status: 403 };

const CORRUPTED: Readonly<Record<string, Corruption>> = {
  "a byte of the first chunk changed": { mode: "signed", corrupt: changeAt(200), ...MISMATCH },
  "a byte of the last chunk changed": { mode: "signed", corrupt: changeAt(-200), ...MISMATCH },
  "the signature of the empty chunk changed": {
    mode: "signed",
    corrupt: changeAt(-5),
    ...MISMATCH,
  },
  "a chunk left out": {
    mode: "signed",
    // 10000;chunk-signature=64 digits CRLF, 65,536 bytes, CRLF.
    corrupt: (encoded) => encoded.subarray(5 + 1 + 16 + 64 + 2 + 65_536 + 2),
    ...MISMATCH,
  },
  "its end missing": {
    mode: "signed",
    corrupt: (encoded) => encoded.subarray(0, -90),
    ...INCOMPLETE,
  },
  "the middle of a chunk as its end": {
    mode: "signed",
    corrupt: (encoded) => encoded.subarray(0, 100_000),
    ...INCOMPLETE,
  },
  "no frames at all": { mode: "signed", corrupt: () => Buffer.alloc(1_000, "x"), ...INCOMPLETE },
  "a chunk size that is no number": {
    mode: "signed",
    corrupt: (encoded) => Buffer.concat([Buffer.from("zz"), encoded.subarray(2)]),
    ...INCOMPLETE,
  },
  "a chunk header that does not end": {
    mode: "signed",
    corrupt: () => Buffer.alloc(10_000, "1"),
    ...INCOMPLETE,
  },
  "unsigned chunks, and a size that is no number": {
    mode: "unsigned-trailer",
    corrupt: () => Buffer.from("-1\r\nabc\r\n0\r\n\r\n"),
    ...INCOMPLETE,
  },
  "unsigned chunks that are shorter than announced": {
    mode: "unsigned-trailer",
    corrupt: () => Buffer.from("3\r\nabc\r\n0\r\n\r\n"),
    ...INCOMPLETE,
  },
  "unsigned chunks that are longer than announced": {
    mode: "unsigned-trailer",
    corrupt: () => Buffer.from(`fffff\r\n${"x".repeat(0xfffff)}\r\n0\r\n\r\n`),
    ...INCOMPLETE,
  },
  "a checksum in its trailer that is not its own": {
    mode: "unsigned-trailer",
    trailers: TRAILERS,
    corrupt: (encoded) => encoded,
    code: "BadDigest",
    status: 400,
  },
  "the announced trailer missing": {
    mode: "unsigned-trailer",
    trailers: TRAILERS,
    corrupt: (encoded) =>
      Buffer.concat([encoded.subarray(0, encoded.indexOf("\r\n0\r\n") + 5), Buffer.from("\r\n")]),
    code: "MalformedTrailerError",
    status: 400,
  },
  "the signature of its trailer changed": {
    mode: "signed-trailer",
    trailers: TRAILERS,
    corrupt: changeAt(-8),
    ...MISMATCH,
  },
};

test("bodies that break their promise are no objects", async (t) => {
  const server = await startRealServer(t, { flags: ["--access-log", "false"] });
  const bucket = await makeBucket(server, "bodies");

  for (const [name, corruption] of Object.entries(CORRUPTED)) {
    await t.test(
      `an aws-chunked PutObject with ${name} is refused with ${corruption.code}`,
      async () => {
        await using socket = await RawSocket.connect(server.endpoint);
        await sendChunked(server, socket, corruption);
        const { status, body } = await socket.response();
        const code = /<Error><Code>(\w+)<\/Code>/.exec(body.toString())?.[1];
        assert.deepEqual([status, code], [corruption.status, corruption.code]);
      },
    );
  }

  await t.test("a long upload whose first chunk is wrong is answered, not cut", async () => {
    await using socket = await RawSocket.connect(server.endpoint);
    const plain = Buffer.alloc(6_000_000, "x");
    await sendChunked(server, socket, {
      mode: "signed",
      plain,
      corrupt: changeAt(200),
      ...MISMATCH,
    });
    assert.equal((await socket.response()).status, 403);
    await socket.send(signedHead(server, { method: "GET", path: "/" }));
    assert.equal((await socket.response()).status, 200);
  });

  await t.test(
    "an upload refused on a connection that is to close is answered, not cut",
    async () => {
      await using socket = await RawSocket.connect(server.endpoint);
      const headers = { connection: "close" };
      const sent = { method: "PUT", path: "/missing/key", headers, body: Buffer.alloc(5_000_000) };
      socket.stopReading();
      await socket.send(signedHead(server, sent));
      await socket.send(sent.body);
      socket.readOn();
      assert.equal((await socket.response()).status, 404);
      assert.equal(await socket.ended(), "");
    },
  );

  await t.test("a refused body over 8 MiB costs the connection, and no memory", async () => {
    await using socket = await RawSocket.connect(server.endpoint);
    const sent = { method: "PUT", path: `${bucket}-missing/key`, body: Buffer.alloc(12_000_000) };
    await socket.send(signedHead(server, sent));
    assert.equal((await socket.response()).status, 404);
    await socket.send(sent.body);
    assert.equal(await socket.ended(), "");
  });

  for (const size of [1_000, LARGE.length]) {
    await t.test(`a body of ${size} bytes that is cut before its end is no object`, async () => {
      await cutBody(server, { path: `${bucket}/broken`, size, how: "close" });
      await cutBody(server, { path: `${bucket}/broken`, size, how: "half-close" });
    });
  }

  await t.test("a body that is not its digest is no object", async () => {
    const headers = { "content-md5": Buffer.alloc(16).toString("base64") };
    for (const body of ["small", LARGE]) {
      const sent = { method: "PUT", path: `${bucket}/broken`, headers, body };
      assert.equal((await call(server, sent)).code, "BadDigest");
    }
  });

  await t.test(
    "a chunked body without x-amz-decoded-content-length is refused with 411",
    async () => {
      await using socket = await RawSocket.connect(server.endpoint);
      const headers = { "transfer-encoding": "chunked" };
      const head = signedHead(server, { method: "PUT", path: `${bucket}/broken`, headers });
      await socket.send(`${head}3\r\nabc\r\n0\r\n\r\n`);
      assert.equal((await socket.response()).status, 411);
    },
  );

  await requireNothing(t, server, bucket);
});

async function requireNothing(t: TestContext, server: Target, bucket: string): Promise<void> {
  await t.test("none of them left an object or an upload", async () => {
    for (const path of [`${bucket}?list-type=2`, `${bucket}?uploads`]) {
      const { body } = await expectCall(server, { method: "GET", path });
      assert.doesNotMatch(body.toString(), /<Key>/);
    }
  });
}

async function sendChunked(
  server: Target,
  socket: RawSocket,
  { mode, trailers = {}, corrupt, plain = LARGE }: Corruption,
): Promise<void> {
  const path = "/bodies/broken";
  const url = `${server.endpoint}${path}`;
  const { accessKeyId, secret } = server;
  const key = { accessKeyId, secret };
  const { headers, body } = chunkedBody({
    ...key,
    method: "PUT",
    url,
    body: plain,
    mode,
    trailers,
  });
  const sent = corrupt(body);
  const length = { "content-length": String(sent.length) };
  await socket.send(
    requestHead({ method: "PUT", target: path, headers: { ...headers, ...length } }),
  );
  await socket.send(sent);
}

interface Cut {
  readonly path: string;
  readonly size: number;
  readonly how: "close" | "half-close";
}

async function cutBody(server: Target, { path, size, how }: Cut): Promise<void> {
  await using socket = await RawSocket.connect(server.endpoint);
  const body = Buffer.alloc(size, "x");
  await socket.send(signedHead(server, { method: "PUT", path, body }));
  await socket.send(body.subarray(0, size / 2));
  if (how === "close") return;
  socket.halfClose();
  assert.match(await socket.ended(), /^HTTP\/1\.1 400 /);
}

function changeAt(offset: number): (bytes: Buffer) => Buffer {
  return (bytes) => {
    const at = offset < 0 ? bytes.length + offset : offset;
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    return changed;
  };
}
