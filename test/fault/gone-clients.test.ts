/** Clients that leave before their answer comes: what was begun for them ends, and is told to have ended. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "#base/clock.ts";
import type { HttpReply } from "#base/http.ts";
import { listen } from "#server/listen.ts";
import { RawSocket } from "#test/support/raw-socket.ts";

const GET = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const BODIES: Readonly<Record<string, () => HttpReply["body"]>> = {
  "no body": () => undefined,
  text: () => "text",
  "more bytes than a connection holds": () => Buffer.alloc(20_000_000),
  chunks: async function* chunks() {
    for (let at = 0; at < 100; at += 1) yield Buffer.alloc(200_000);
  },
};

for (const [what, body] of Object.entries(BODIES)) {
  for (const [when, leavesAfterMs] of Object.entries({ "is made": 0, "goes out": 40 })) {
    for (const requests of [1, 10]) {
      const sent = requests === 1 ? "a request" : `${requests} requests`;
      test(`${sent} of a client that leaves while an answer of ${what} ${when} ends`, async () => {
        await requireEnd({ body, leavesAfterMs, requests });
      });
    }
  }
}

interface Leaving {
  readonly body: () => HttpReply["body"];
  readonly leavesAfterMs: number;
  /** Sent at once. */
  readonly requests: number;
}

async function requireEnd({ body, leavesAfterMs, requests }: Leaving): Promise<void> {
  let [begun, ended] = [0, 0];
  await using listening = await listen({
    host: "127.0.0.1",
    port: 0,
    answer: async () => {
      begun += 1;
      await systemClock.sleep(20);
      const done = () => {
        ended += 1;
      };
      return { reply: { status: 200, headers: {}, body: body() }, done };
    },
  });
  const socket = await RawSocket.connect(`http://127.0.0.1:${listening.port}`);
  socket.stopReading();
  await socket.send(GET.repeat(requests));
  while (begun === 0) await systemClock.sleep(1);
  await systemClock.sleep(leavesAfterMs);
  await socket[Symbol.asyncDispose]();
  while (listening.connections() > 0) await systemClock.sleep(1);
  const begunThen = begun;

  // One that never ends fails this by the time limit of the test.
  while (ended < begun) await systemClock.sleep(5);
  // For a client that is gone nothing more is begun.
  assert.equal(begun, begunThen);
}
