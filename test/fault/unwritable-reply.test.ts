/** An answer that HTTP cannot carry: a fault of ours, which must end the exchange like any other. */
import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import { type Finished, listen } from "#server/listen.ts";

test("An answer whose headers cannot be written ends the connection, and whoever waits for its end is told", async (t) => {
  const finished: Finished[] = [];
  const bad = [{ "x-bad name": "1" }, { "x-bad": "1\r\nset-cookie: a=b" }, { "x-bad": "1\0" }];
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
