/** Quotas that several processes hold together, over a start. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { call, makeBucket, type Target } from "#test/fault/call.ts";
import { type RealServer, startRealServer } from "#test/support/real-server.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

const TOKEN = "operator-token-of-the-tests";
const SIZE = 100_000;
const FIT = 10;
const WRITERS = 60;

/** Sets a quota, else tells of those that there are. */
async function quotas(server: RealServer, quota?: object) {
  const reply = await fetch(`${server.adminEndpoint}/v1/lode/quotas`, {
    headers: { authorization: `Bearer ${TOKEN}` },
    ...(quota === undefined ? {} : { method: "PUT", body: JSON.stringify(quota) }),
  });
  assert.equal(reply.status, 200, await reply.clone().text());
  return await reply.json();
}

async function usedBytes(server: RealServer): Promise<string> {
  const told = (await quotas(server)) as {
    quotas: readonly { readonly usedBytes: string }[];
  };
  return told.quotas[0]?.usedBytes ?? "";
}

async function codes(target: Target, writes: readonly { path: string; size: number }[]) {
  const replies = await Promise.all(
    writes.map(({ path, size }) =>
      call(target, { method: "PUT", path, body: Buffer.alloc(size, "x") }),
    ),
  );
  return replies.map(({ status, code }) => code ?? status);
}

test("writers of several processes fill a quota to the byte and not over it, and a new start knows", async (t) => {
  const dataDirectory = await temporaryDirectory();
  const environment = { LODE_ADMIN_TOKEN: TOKEN };
  const options = { workers: 3, dataDirectory, environment };
  const server = await startRealServer(t, options);
  const bucket = await makeBucket(server, "full");
  await quotas(server, { zone: "us-east-1", bytes: FIT * SIZE });

  const writes = Array.from({ length: WRITERS }, (_, at) => ({
    path: `${bucket}/${at}`,
    size: SIZE,
  }));
  const outcomes = await codes(server, writes);

  assert.equal(outcomes.filter((outcome) => outcome === 200).length, FIT);
  const refused = outcomes.filter((outcome) => outcome === "AccountProblem");
  assert.equal(refused.length, WRITERS - FIT);
  assert.equal(await usedBytes(server), String(FIT * SIZE));
  await server.kill();

  const again = await startRealServer(t, options);
  assert.deepEqual(await codes(again, [{ path: `${bucket}/more`, size: 1 }]), ["AccountProblem"]);
  assert.equal(await usedBytes(again), String(FIT * SIZE));
  const metrics = await (await fetch(`${again.adminEndpoint}/metrics`)).text();
  const labels = /organization="\w+",zone="us-east-1",class="STANDARD"/.source;
  for (const name of ["lode_usage_bytes", "lode_quota_bytes"]) {
    assert.match(metrics, new RegExp(`^${name}\\{${labels}\\} ${FIT * SIZE}$`, "m"));
  }
});
