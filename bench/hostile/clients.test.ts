/** Clients that behave count what they wait from when it was due; hostile ones are as many as they say. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { type TestContext, test } from "node:test";
import type { Endpoint } from "../client/session.ts";
import { Attacker } from "./attacker.ts";
import { ATTACKS, type Attack } from "./attacks.ts";
import { Polite } from "./polite.ts";

const KIB = "x".repeat(1024);
const GOOD = `HTTP/1.1 200 OK\r\ncontent-length: 1024\r\n\r\n${KIB}`;
const BAD = "HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\n\r\n";

test("a server that answers as it should is told from one that does not", async (t) => {
  for (const [answer, isGood] of [
    [GOOD, true],
    [BAD, false],
  ] as const) {
    const { endpoint, answered } = await server(t, () => answer);
    const polite = new Polite({ endpoint, bucket: "b", perSecond: 1000 });
    await polite.open();
    await answered(20);
    const { requests, errors } = await polite.stop();

    assert.ok(requests >= 20);
    assert.equal(errors, isGood ? 0 : requests);
  }
});

test("hostile clients open as many connections as they are told, and count those that are ended", async (t) => {
  const { endpoint, answered } = await server(t, () => undefined);
  const attacker = new Attacker(ATTACKS["heads that never end"], {
    ...{ endpoint, bucket: "b", connections: 150 },
  });
  await attacker.open();
  await answered(150);

  assert.deepEqual(attacker.stop(), { wanted: 150, opened: 150, ended: 0 });
});

test("a connection that the server ends is counted, and made again where the attack says so", async (t) => {
  const attack: Attack = {
    ...{ connections: () => 5, opening: () => "x", reads: "all", returns: true },
  };
  const { endpoint, answered } = await server(t, () => BAD, { ends: true });
  const attacker = new Attacker(attack, { endpoint, bucket: "b", connections: 5 });
  await attacker.open();
  await answered(10);

  assert.ok(attacker.stop().ended >= 5);
});

/** Answers each piece that comes, and may then end the connection. */
async function server(
  t: TestContext,
  answer: () => string | undefined,
  { ends = false }: { readonly ends?: boolean } = {},
): Promise<{
  readonly endpoint: Endpoint;
  readonly answered: (times: number) => Promise<void>;
}> {
  let times = 0;
  const listening = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", () => {
      times += 1;
      const text = answer();
      if (text !== undefined) socket.write(text);
      if (ends) socket.end();
    });
  });
  listening.listen(0, "127.0.0.1");
  await once(listening, "listening");
  t.after(() => listening.close());
  const address = listening.address();
  assert.ok(address !== null && typeof address !== "string");
  return {
    endpoint: {
      ...{ host: "127.0.0.1", port: address.port },
      ...{ accessKeyId: "a", secretAccessKey: "s", region: "r" },
    },
    answered: async (least) => {
      while (times < least) await new Promise((resolve) => setImmediate(resolve));
    },
  };
}
