/** An answer that HTTP cannot carry: a fault of ours, which must end the exchange like any other. */
import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import type { HttpReply } from "#base/http.ts";
import { type Finished, type Listening, listen } from "#server/listen.ts";
import { RawSocket } from "#test/support/raw-socket.ts";

test("An answer whose headers cannot be written ends the connection, and whoever waits for its end is told", async (t) => {
  const finished: Finished[] = [];
  const bad = [
    { "x-bad name": "1" },
    { "x-bad": "1\r\nset-cookie: a=b" },
    { "x-bad": "1\0" },
    { "x-bad": "\u{100}" },
    { "": "1" },
  ];
  await using listening = await listen({
    host: "127.0.0.1",
    port: 0,
    answer: async ({ target }) => ({
      reply: { status: 200, headers: bad[Number(target.slice(1))] ?? {}, body: "bytes" },
      done: (how) => finished.push(how),
    }),
  });
  const { port } = listening;

  for (const at of bad.keys()) {
    await t.test(JSON.stringify(bad[at]), async () => {
      const failed = new Promise((resolve, reject) => {
        const outgoing = request({ host: "127.0.0.1", port, path: `/${at}`, agent: false }, reject);
        outgoing.on("error", resolve).end();
      });
      await failed;
      const [how] = finished.splice(0);
      assert.equal(how?.whole, false);
      assert.equal(how?.bytes, 0);
      assert.match(
        String((how?.failure as NodeJS.ErrnoException | undefined)?.code),
        /ERR_INVALID/,
      );
    });
  }
});

async function* chunks(...texts: readonly string[]) {
  for (const text of texts) yield Buffer.from(text);
}

const MISFITS: Readonly<Record<string, () => HttpReply>> = {
  "bytes that are too few": () => sized("9", Buffer.from("bytes")),
  "bytes that are too many": () => sized("3", Buffer.from("bytes")),
  "chunks that are too few": () => sized("9", chunks("by", "tes")),
  "chunks that are too many": () => sized("3", chunks("by", "tes", "more")),
};

for (const [what, reply] of Object.entries(MISFITS)) {
  test(`an answer with ${what} for its Content-Length ends the connection, and nothing is whole`, async () => {
    const finished: Finished[] = [];
    await using listening = await answering(reply, finished);
    await using socket = await RawSocket.connect(`http://127.0.0.1:${listening.port}`);
    await socket.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n".repeat(2));

    const answered = await socket.ended();

    const [, body = ""] = answered.split("\r\n\r\n");
    assert.ok(body.length < 9 && "bytes".startsWith(body), body);
    assert.deepEqual(
      finished.map(({ whole }) => whole),
      [false],
    );
    assert.match(String(finished[0]?.failure), /^WrongLength: /);
  });
}

const BODILESS: Readonly<Record<string, readonly [method: string, status: number]>> = {
  "to HEAD": ["HEAD", 200],
  "of status 204": ["GET", 204],
  "of status 304": ["GET", 304],
};

for (const [what, [method, status]] of Object.entries(BODILESS)) {
  test(`an answer ${what} has no body, whatever is given for one`, async () => {
    for (const body of ["text", Buffer.from("bytes"), chunks("chunks")]) {
      await using listening = await answering(() => ({ status, headers: {}, body }), []);
      await using socket = await RawSocket.connect(`http://127.0.0.1:${listening.port}`);
      await socket.send(`${method} / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
      assert.match(await socket.ended(), /^HTTP\/1\.1 \d+ [\s\S]*\r\n\r\n$/);
    }
  });
}

test("a body of unknown length is chunked, and to HTTP/1.0 it ends with the connection", async () => {
  const reply = () => ({ status: 200, headers: {}, body: chunks("by", "", "tes") });
  await using listening = await answering(reply, []);
  const answer = async (version: string) => {
    await using socket = await RawSocket.connect(`http://127.0.0.1:${listening.port}`);
    const connection = version === "1.0" ? "keep-alive" : "close";
    await socket.send(`GET / HTTP/${version}\r\nHost: h\r\nConnection: ${connection}\r\n\r\n`);
    const [head = "", body = ""] = (await socket.ended()).split(/(?<=\r\n)\r\n([\s\S]*)/);
    return { head, body };
  };

  const [chunked, plain] = [await answer("1.1"), await answer("1.0")];

  assert.match(chunked.head, /\r\ntransfer-encoding: chunked\r\n/);
  assert.equal(chunked.body, "2\r\nby\r\n3\r\ntes\r\n0\r\n\r\n");
  assert.match(plain.head, /\r\nConnection: close\r\n/);
  assert.equal(plain.body, "bytes");
});

function sized(length: string, body: HttpReply["body"]): HttpReply {
  return { status: 200, headers: { "content-length": length }, body };
}

async function answering(reply: () => HttpReply, finished: Finished[]): Promise<Listening> {
  return await listen({
    host: "127.0.0.1",
    port: 0,
    answer: async () => ({ reply: reply(), done: (how) => finished.push(how) }),
  });
}
