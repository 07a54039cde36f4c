/** Clients that are slow, silent or gone: each costs little, and none for ever. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { systemClock } from "#base/clock.ts";
import { MemoryBlobStore } from "#blob/memory.ts";
import type { BlobId, BlobWriter, ByteRange } from "#blob/store.ts";
import { listen } from "#server/listen.ts";
import { call, expectCall, makeBucket, put, signedHead } from "#test/fault/call.ts";
import { startInProcess } from "#test/fault/in-process.ts";
import { RawSocket } from "#test/support/raw-socket.ts";

/** So short that no test waits long, so long that a busy machine does not reach them by accident. */
const SHORT = { headersMs: 300, headersCheckMs: 50, idleMs: 300, keepAliveMs: 300, discardMs: 300 };
const LARGE_BYTES = 32 * 2 ** 20;
/** Far more than can wait anywhere. */
const FLOOD_BYTES = 100_000_000;
/** What the kernel holds of a connection that nobody reads, and room. */
const UNREAD_BYTES_MAX = 16 * 2 ** 20;

/** Tells what has been read of blobs, and which readers are still open. */
class WatchedBlobStore extends MemoryBlobStore {
  readBytes = 0;
  openReaders = 0;

  override async *read(id: BlobId, range: ByteRange): AsyncGenerator<Uint8Array, void, undefined> {
    this.openReaders += 1;
    try {
      for await (const chunk of super.read(id, range)) {
        this.readBytes += chunk.length;
        yield chunk;
      }
    } finally {
      this.openReaders -= 1;
    }
  }
}

/** Takes its time to finish a blob. */
class SlowBlobStore extends MemoryBlobStore {
  override async create(): Promise<BlobWriter> {
    const writer = await super.create();
    return {
      write: async (chunk, how) => await writer.write(chunk, how),
      finish: async () => {
        await systemClock.sleep(2 * (SHORT.idleMs + SHORT.discardMs));
        return await writer.finish();
      },
      [Symbol.asyncDispose]: async () => await writer[Symbol.asyncDispose](),
    };
  }
}

suite("clients that are slow, silent or gone", { concurrency: 4 }, () => {
  test("headers that never end are given up on, however steadily they drip", async (t) => {
    const server = await startInProcess(t, { limits: SHORT });
    await using socket = await RawSocket.connect(server.endpoint);
    const dripping = drip(socket, "GET / HTTP/1.1\r\nHost: slow\r\nX-Slow: ");
    const { status, body } = await socket.response();
    assert.deepEqual([status, body.toString()], [400, "timeout"]);
    assert.equal(await socket.ended(), "");
    dripping.stop();
  });

  test("a body that stalls is answered RequestTimeout, and its connection closed", async (t) => {
    const server = await startInProcess(t, { limits: SHORT });
    const bucket = await makeBucket(server, "slow");
    for (const size of [100, 100_000]) {
      await using socket = await RawSocket.connect(server.endpoint);
      const body = Buffer.alloc(size, "x");
      await socket.send(signedHead(server, { method: "PUT", path: `${bucket}/stalled`, body }));
      await socket.send(body.subarray(0, size / 2));
      const answer = await socket.response();
      assert.equal(answer.status, 400);
      assert.match(answer.body.toString(), /<Code>RequestTimeout<\/Code>/);
      assert.equal(await socket.ended(), "");
    }
    assert.equal(
      (await call(server, { method: "GET", path: `${bucket}/stalled` })).code,
      "NoSuchKey",
    );
  });

  test("a body that drips, a byte now and then, is answered RequestTimeout", async (t) => {
    const limits = { ...SHORT, slowBodyMs: 500, bodyBytesPerSecondMin: 1_000 };
    const server = await startInProcess(t, { limits });
    const bucket = await makeBucket(server, "drip");
    await using socket = await RawSocket.connect(server.endpoint);
    const body = Buffer.alloc(100_000, "x");
    await socket.send(signedHead(server, { method: "PUT", path: `${bucket}/drip`, body }));
    const dripping = drip(socket, "x");
    const answer = await socket.response();
    assert.equal(answer.status, 400);
    assert.match(answer.body.toString(), /<Code>RequestTimeout<\/Code>/);
    dripping.stop();
  });

  test("a reader that never reads holds a bounded part of the object, and is given up on", async (t) => {
    const blobs = new WatchedBlobStore();
    const server = await startInProcess(t, { blobs, limits: SHORT });
    const bucket = await makeBucket(server, "unread");
    await put(server, `${bucket}/large`, Buffer.alloc(LARGE_BYTES));
    const before = server.written.length;
    await using socket = await RawSocket.connect(server.endpoint);
    socket.stopReading();
    await socket.send(signedHead(server, { method: "GET", path: `${bucket}/large` }));
    while (server.written.length === before) await systemClock.sleep(20);
    assert.equal(server.written.at(-1)?.whole, false);
    assert.equal(server.written.at(-1)?.failure, undefined);
    assert.ok(blobs.readBytes < UNREAD_BYTES_MAX, `${blobs.readBytes} bytes were read`);
    assert.equal(blobs.openReaders, 0);
  });

  test("a reader that leaves early costs nothing more", async (t) => {
    const blobs = new WatchedBlobStore();
    const server = await startInProcess(t, { blobs });
    const bucket = await makeBucket(server, "left");
    await put(server, `${bucket}/large`, Buffer.alloc(LARGE_BYTES));
    const before = server.written.length;
    {
      await using socket = await RawSocket.connect(server.endpoint);
      socket.stopReading();
      await socket.send(signedHead(server, { method: "GET", path: `${bucket}/large` }));
      while (blobs.readBytes === 0) await systemClock.sleep(5);
    }
    while (server.written.length === before) await systemClock.sleep(5);
    assert.equal(server.written.at(-1)?.whole, false);
    assert.equal(blobs.openReaders, 0);
    assert.deepEqual(server.failures, []);
  });

  test("500 idle connections do not hinder another", async (t) => {
    const server = await startInProcess(t, {});
    const bucket = await makeBucket(server, "idle");
    const sockets = await Promise.all(
      Array.from({ length: 500 }, () => RawSocket.connect(server.endpoint)),
    );
    // Some silent, some within their headers, some within a body.
    const body = Buffer.alloc(1_000);
    const begun = [
      "",
      "GET / HT",
      signedHead(server, { method: "PUT", path: `${bucket}/begun`, body }),
    ];
    await Promise.all(sockets.map((socket, index) => socket.send(begun[index % 3] ?? "")));
    for (let index = 0; index < 20; index += 1) {
      await put(server, `${bucket}/key`, `value ${index}`);
      const { body: read } = await expectCall(server, { method: "GET", path: `${bucket}/key` });
      assert.equal(read.toString(), `value ${index}`);
    }
    for (const socket of sockets) await socket[Symbol.asyncDispose]();
  });

  test("a connection over the limit is closed at once, and there is room when another goes", async (t) => {
    const server = await startInProcess(t, { limits: { connectionsMax: 2 } });
    const first = await RawSocket.connect(server.endpoint);
    await using second = await RawSocket.connect(server.endpoint);
    for (const socket of [first, second]) {
      await socket.send(signedHead(server, { method: "GET", path: "/" }));
      assert.equal((await socket.response()).status, 200);
    }
    await using third = await RawSocket.connect(server.endpoint);
    assert.equal(await third.ended(), "");
    await first[Symbol.asyncDispose]();
    while (server.listening.connections() > 1) await systemClock.sleep(5);
    assert.equal((await call(server, { method: "GET", path: "/" })).status, 200);
  });

  test("a client that has ended its own direction still gets its answer", async (t) => {
    const server = await startInProcess(t, {});
    const bucket = await makeBucket(server, "half");
    await put(server, `${bucket}/large`, Buffer.alloc(3_000_000, "x"));
    await using socket = await RawSocket.connect(server.endpoint);
    await socket.send(signedHead(server, { method: "GET", path: `${bucket}/large` }));
    socket.halfClose();
    assert.equal((await socket.response()).body.length, 3_000_000);
    assert.equal(await socket.ended(), "");
  });

  test("a client that ends its direction before a request is whole is let go", async (t) => {
    const server = await startInProcess(t, {});
    for (const begun of ["", "GET / HTTP/1.1\r\nHost: ha"]) {
      await using socket = await RawSocket.connect(server.endpoint);
      await socket.send(begun);
      socket.halfClose();
      assert.doesNotMatch(await socket.ended(), /^HTTP\/1\.1 [^4]/);
    }
  });

  test("an answer that takes longer than a client may be silent still arrives", async (t) => {
    const server = await startInProcess(t, { limits: SHORT, blobs: new SlowBlobStore() });
    const bucket = await makeBucket(server, "long");
    await put(server, `${bucket}/key`, Buffer.alloc(LARGE_BYTES));
    assert.equal((await call(server, { method: "HEAD", path: `${bucket}/key` })).status, 200);
  });

  test("requests that are sent at once are taken off the connection only as they are answered", async () => {
    let answered = 0;
    await using listening = await listen({
      host: "127.0.0.1",
      port: 0,
      answer: async () => {
        answered += 1;
        await systemClock.sleep(1);
        return { reply: { status: 204, headers: {}, body: undefined } };
      },
    });
    await using socket = await RawSocket.connect(`http://127.0.0.1:${listening.port}`);
    const flood = Buffer.from("GET / HTTP/1.1\r\nHost: h\r\n\r\n".repeat(2_000));
    let sentBytes = 0;
    const send = async () => {
      while (sentBytes < FLOOD_BYTES) {
        await socket.send(flood);
        sentBytes += flood.length;
      }
    };
    const sending = send();
    while (answered < 1_000) await systemClock.sleep(5);
    assert.ok(sentBytes < UNREAD_BYTES_MAX, `${sentBytes} bytes were taken`);
    await socket[Symbol.asyncDispose]();
    // It is closed, so that nothing holds the rest up.
    await sending;
  });

  test("an idle connection is closed after its time, and not while it is used", async (t) => {
    const server = await startInProcess(t, { limits: SHORT });
    await using socket = await RawSocket.connect(server.endpoint);
    for (let index = 0; index < 3; index += 1) {
      await socket.send(signedHead(server, { method: "GET", path: "/" }));
      assert.equal((await socket.response()).status, 200);
    }
    assert.equal(await socket.ended(), "");
  });

  test("a drain ends idle connections, and each other when its request is answered", async (t) => {
    const server = await startInProcess(t, {});
    const bucket = await makeBucket(server, "drain");
    await put(server, `${bucket}/large`, Buffer.alloc(LARGE_BYTES));
    const get = signedHead(server, { method: "GET", path: `${bucket}/large` });
    await using idle = await RawSocket.connect(server.endpoint);
    await idle.send(signedHead(server, { method: "GET", path: "/" }));
    await idle.response();
    // One is sent a body, the other an answer that has begun.
    await using writing = await RawSocket.connect(server.endpoint);
    const body = Buffer.alloc(100_000, "x");
    await writing.send(signedHead(server, { method: "PUT", path: `${bucket}/key`, body }));
    await writing.send(body.subarray(0, 1_000));
    await using reading = await RawSocket.connect(server.endpoint);
    reading.stopReading();
    await reading.send(get);
    await systemClock.sleep(100);

    const drained = server.listening.drain();

    assert.equal(await idle.ended(), "");
    await assert.rejects(call(server, { method: "GET", path: "/" }), { code: "ECONNREFUSED" });
    await writing.send(body.subarray(1_000));
    assert.equal((await writing.response()).status, 200);
    assert.equal(await writing.ended(), "");
    reading.readOn();
    assert.equal((await reading.response()).body.length, LARGE_BYTES);
    assert.equal(await reading.ended(), "");
    await drained;
  });
});

/** Sends a byte of it now and then, and letters when it is used up. */
function drip(socket: RawSocket, text: string): { readonly stop: () => void } {
  let at = 0;
  const timer = setInterval(() => {
    at += 1;
    socket.send(text[at - 1] ?? "x").catch(() => clearInterval(timer));
  }, 10);
  return { stop: () => clearInterval(timer) };
}
