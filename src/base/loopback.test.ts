import assert from "node:assert/strict";
import { test } from "node:test";
import { isLoopback } from "#base/loopback.ts";

test("only this machine is loopback, by whatever name and address it has", () => {
  const here = ["localhost", "LocalHost", "127.0.0.1", "127.255.1.2", "::1", "::ffff:127.0.0.1"];
  for (const host of here) assert.ok(isLoopback(host), host);
  const elsewhere = [
    ...["", "0.0.0.0", "::", "10.0.0.1", "128.0.0.1", "::2", "::ffff:10.0.0.1", "1.127.0.0"],
    // A resolver may answer these with any address.
    ...["127.0.0.256", "127.0.0.1.example.com", "127.example.com", "localhost.example.com"],
    ...["localhost.", "127.1", "::ffff:localhost"],
  ];
  for (const host of elsewhere) assert.ok(!isLoopback(host), host);
});
