/** The master key over the starts of one server: made, changed, lost, retired. */
import assert from "node:assert/strict";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { expectCall, makeBucket } from "#test/fault/call.ts";
import { ROOT_ENVIRONMENT, run, serveCommand } from "#test/support/process.ts";
import { type RealServer, startRealServer } from "#test/support/real-server.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

const [OLD, NEW] = ["01".repeat(32), "02".repeat(32)];
const SSE_S3 = { "x-amz-server-side-encryption": "AES256" };
const BODY = "what is encrypted at rest";

/** A data directory, and a master key file beside it. */
async function place(): Promise<{ readonly data: string; readonly keyFile: string }> {
  const directory = await temporaryDirectory();
  return { data: join(directory, "data"), keyFile: join(directory, "keys") };
}

type Place = Awaited<ReturnType<typeof place>>;

async function serveWith(
  t: TestContext,
  { data, keyFile }: Place,
  keys: readonly string[],
): Promise<RealServer> {
  writeFileSync(keyFile, `${keys.join("\n")}\n`);
  return await startRealServer(t, { dataDirectory: data, flags: ["--master-key-file", keyFile] });
}

/** What the server says that does not start. */
async function refusalWith(
  t: TestContext,
  { data, keyFile }: Place,
  keys: readonly string[],
): Promise<string> {
  writeFileSync(keyFile, `${keys.join("\n")}\n`);
  const command = serveCommand(data, "--master-key-file", keyFile);
  const { code, stdout, stderr } = await run(t, { command, environment: ROOT_ENVIRONMENT });
  assert.equal(code, 2, stderr);
  assert.equal(stdout, "");
  return stderr;
}

async function put(server: RealServer, path: string): Promise<void> {
  await expectCall(server, { method: "PUT", path, body: BODY, headers: SSE_S3 });
}

async function requireThere(server: RealServer, ...paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const { body } = await expectCall(server, { method: "GET", path });
    assert.equal(body.toString(), BODY, path);
  }
}

function idsIn(data: string): string[] {
  const lines = readFileSync(join(data, "master-key-ids"), "utf8").split("\n");
  return lines.filter((line) => line !== "" && !line.startsWith("#"));
}

test("the first start makes a master key that only its owner can read, and later ones keep it", async (t) => {
  const { data } = await place();
  const first = await startRealServer(t, { dataDirectory: data });
  await put(first, `${await makeBucket(first, "bucket")}/key`);
  await first.stop();
  const key = readFileSync(join(data, "master-key"), "utf8");
  const ids = readFileSync(join(data, "master-key-ids"), "utf8");

  const second = await startRealServer(t, { dataDirectory: data });

  await requireThere(second, "/bucket/key");
  assert.match(key, /^[0-9a-f]{64}$/m);
  assert.equal(readFileSync(join(data, "master-key"), "utf8"), key);
  assert.equal(readFileSync(join(data, "master-key-ids"), "utf8"), ids);
  for (const name of ["master-key", "master-key-ids"]) {
    assert.equal(statSync(join(data, name)).mode & 0o077, 0, name);
  }
});

test("a key that is lost is not made anew: the server says what is gone and touches nothing", async (t) => {
  const { data } = await place();
  const server = await startRealServer(t, { dataDirectory: data });
  await server.stop();
  rmSync(join(data, "master-key"));

  const { code, stderr } = await run(t, {
    command: serveCommand(data),
    environment: ROOT_ENVIRONMENT,
  });

  assert.equal(code, 2);
  assert.match(stderr, /^lode: .*master-key is gone, and what is encrypted here cannot be read/);
  assert.throws(() => statSync(join(data, "master-key")), { code: "ENOENT" });
});

test("a new key above the old one seals from then on, and what the old one sealed is read", async (t) => {
  const where = await place();
  const first = await serveWith(t, where, [OLD]);
  const bucket = await makeBucket(first, "bucket");
  await put(first, `${bucket}/old`);
  await first.stop();

  const second = await serveWith(t, where, [NEW, OLD]);
  await put(second, `${bucket}/new`);
  await requireThere(second, `${bucket}/old`, `${bucket}/new`);
  await second.stop();

  const [oldId = "", newId = "", ...more] = idsIn(where.data);
  assert.deepEqual(more, []);
  assert.ok((await refusalWith(t, where, [NEW])).includes(`the id ${oldId},`));
  assert.ok((await refusalWith(t, where, [OLD])).includes(`the id ${newId},`));
  const both = await refusalWith(t, where, ["03".repeat(32)]);
  assert.ok(both.includes(`the ids ${oldId}, ${newId},`), both);
  assert.deepEqual(idsIn(where.data), [oldId, newId]);
  const third = await serveWith(t, where, [OLD, NEW]);
  await requireThere(third, `${bucket}/old`, `${bucket}/new`);
});

test("an old key is retired: its objects are copied onto themselves, then its id is taken out", async (t) => {
  const where = await place();
  const first = await serveWith(t, where, [OLD]);
  const bucket = await makeBucket(first, "bucket");
  await put(first, `${bucket}/key`);
  await first.stop();
  const second = await serveWith(t, where, [NEW, OLD]);
  const path = `${bucket}/key`;
  const headers = { "x-amz-copy-source": path, ...SSE_S3 };
  await expectCall(second, { method: "PUT", path, headers });
  await second.stop();
  const [, newId = ""] = idsIn(where.data);

  writeFileSync(join(where.data, "master-key-ids"), `${newId}\n`);

  const third = await serveWith(t, where, [NEW]);
  await requireThere(third, path);
});
