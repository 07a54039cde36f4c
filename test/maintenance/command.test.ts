/** The commands as they are typed, beside a server and without one. */
import assert from "node:assert/strict";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type Ended, run } from "#test/support/process.ts";
import { type RealServer, startRealServer } from "#test/support/real-server.ts";
import { signedHeaders } from "#test/support/sign.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

test("a served directory is checked, backed up, lost, restored and served again", async (t) => {
  const server = await startRealServer(t);
  assert.equal((await ask(server, "PUT /bucket")).status, 200);
  const body = "a body that is longer than a record takes. ".repeat(3_000);
  assert.equal((await ask(server, "PUT /bucket/large", body)).status, 200);
  assert.equal((await ask(server, "PUT /bucket/small", "small")).status, 200);
  const data = server.dataDirectory;
  const to = join(await temporaryDirectory(), "backup");

  const held = await lode(t, "check", "--data", data);
  assert.equal(held.code, 2);
  assert.match(held.stderr, /in use by another Lode server/);
  // So slowly that it has to rest on the way.
  const slowly = ["--checksums", "--rate", "0.5"];
  const online = await lode(t, "check", "--data", data, "--online", ...slowly, "--json");
  assert.equal(online.code, 0, online.stderr);
  assert.equal(JSON.parse(online.stdout).counts.versions, 2);
  assert.equal(JSON.parse(online.stdout).read.bytes, body.length);
  const taken = await lode(t, "backup", "--data", data, "--to", to, "--with-keys");
  assert.equal(taken.code, 0, taken.stderr);
  assert.match(taken.stdout, /Nothing is wrong\.[\s\S]*is taken/);

  await server.kill();
  const blobs = readdirSync(join(data, "blobs"), { recursive: true, withFileTypes: true });
  for (const each of blobs) if (each.isFile()) rmSync(join(each.parentPath, each.name));
  const damaged = await lode(t, "check", "--data", data);
  assert.equal(damaged.code, 1);
  assert.match(damaged.stdout, /blob-missing: 1 blobs that are lost\n.*large/);

  const again = join(await temporaryDirectory(), "data");
  const restored = await lode(t, "restore", "--from", to, "--data", again);
  assert.equal(restored.code, 0, restored.stderr);
  const second = await startRealServer(t, { dataDirectory: again });
  assert.equal(await (await ask(second, "GET /bucket/large")).text(), body);
  assert.equal(await (await ask(second, "GET /bucket/small")).text(), "small");
});

const WRONG: readonly (readonly [readonly string[], RegExp])[] = [
  [["check"], /--data DIR is missing/],
  [["check", "--data", "/nowhere/at-all"], /no data directory/],
  [["check", "--data", "/tmp", "--rate", "fast"], /--rate "fast": give MiB a second/],
  [["check", "--dat", "x"], /Unknown option '--dat'/],
  [["backup", "--data", "/tmp"], /--to DIR is missing/],
  [["restore", "--from", "/nowhere/at-all", "--data", "/nowhere/else"], /there is no backup/],
];

for (const [args, said] of WRONG) {
  test(`"lode ${args.join(" ")}" ends with 2 and says why`, async (t) => {
    const { code, stdout, stderr } = await lode(t, ...args);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, said);
  });
}

async function lode(t: TestContext, ...args: readonly string[]): Promise<Ended> {
  return await run(t, { command: [process.execPath, "bin/lode", ...args] });
}

async function ask(
  { endpoint, accessKeyId, secret }: RealServer,
  request: string,
  body?: string,
): Promise<Response> {
  const [method = "", path = ""] = request.split(" ");
  const url = `${endpoint}${path}`;
  const said = body === undefined ? {} : { body };
  const headers = signedHeaders({ accessKeyId, secret, method, url, ...said });
  return await fetch(url, { method, headers, ...said });
}
