/** Lifecycle rules are carried out by a running server, and go on after a restart. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "#base/clock.ts";
import { call, expectCall, makeBucket, put, type Target } from "#test/fault/call.ts";
import { startRealServer } from "#test/support/real-server.ts";

const RULES =
  "<LifecycleConfiguration><Rule><ID>r</ID><Status>Enabled</Status><Filter><Prefix>old/</Prefix></Filter><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>";

test("objects expire while the server runs, and after a restart, and the metrics count them", async (t) => {
  const flags = ["--lifecycle-day-seconds", "1"];
  const first = await startRealServer(t, { workers: 2, flags });
  const bucket = await makeBucket(first, "rules");
  await expectCall(first, { method: "PUT", path: `${bucket}?lifecycle`, body: RULES });
  await put(first, `${bucket}/old/a`, Buffer.from("a"));
  await put(first, `${bucket}/kept`, Buffer.from("b"));
  await untilGone(first, `${bucket}/old/a`);
  const metrics = await (await fetch(`${first.adminEndpoint}/metrics`)).text();
  assert.match(metrics, /^lode_lifecycle_actions_total\{action="expired"\} 1$/m);
  await put(first, `${bucket}/old/b`, Buffer.alloc(100_000));
  assert.equal(await first.stop(), 0);

  const { dataDirectory } = first;
  const second = await startRealServer(t, { workers: 2, flags, dataDirectory });

  await untilGone(second, `${bucket}/old/b`);
  await expectCall(second, { method: "GET", path: `${bucket}/kept` });
});

/** The runner's own limit ends it when that never comes. */
async function untilGone(server: Target, path: string): Promise<void> {
  for (;;) {
    const { status } = await call(server, { method: "HEAD", path });
    if (status === 404) return;
    assert.equal(status, 200);
    await systemClock.sleep(50);
  }
}
