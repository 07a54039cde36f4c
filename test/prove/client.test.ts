import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { test } from "node:test";
import { systemClock } from "#base/clock.ts";
import { Client } from "#prove/client.ts";

test("a GET that met a closed connection is asked again, and a PUT is not", async (t) => {
  const asked: string[] = [];
  const used = new WeakSet<Socket>();
  const server = createServer(({ method = "", socket }, response) => {
    asked.push(method);
    // One request a connection, of which the server says nothing.
    if (used.has(socket)) socket.destroy();
    else response.end("answered");
    used.add(socket);
  });
  t.after(() => server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const credentials = {
    ...{ accessKeyId: "AK", secret: "SK", region: "us-east-1", sessionToken: undefined },
  };
  const endpoint = new URL(`http://127.0.0.1:${port}`);
  const target = { endpoint, credentials, virtualHost: false, clock: systemClock };
  const client = new Client(target, "bucket");
  t.after(() => client.close());

  const statuses: number[] = [];
  for (const key of ["first", "met it closed", "first again"]) {
    statuses.push((await client.get(key)).status);
  }
  statuses.push((await client.put("met it closed", Buffer.from("x"))).status);

  assert.deepEqual(statuses, [200, 200, 200, 0]);
  assert.deepEqual(asked, ["GET", "GET", "GET", "GET", "PUT"]);
});
