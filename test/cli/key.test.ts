/** Keys that are brought, on the command line. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { handle } from "#admin/handle.ts";
import { runCli } from "#cli/main.ts";
import { listen } from "#server/listen.ts";
import { OPERATOR_TOKEN, openControl } from "#test/admin/control.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

const SECRET = "rps_0A1b2C3d4E5f6G7h8I9j";

async function start(t: TestContext) {
  const opened = await openControl(t);
  const { control, ok } = opened;
  const listening = await listen({
    ...{ host: "127.0.0.1", port: 0 },
    answer: async (http) => ({ reply: (await handle(http, control)).reply }),
  });
  t.after(() => listening[Symbol.asyncDispose]());
  const environment = {
    LODE_ADMIN_URL: `http://127.0.0.1:${listening.port}`,
    LODE_ADMIN_TOKEN: OPERATOR_TOKEN,
  };
  await ok("POST", "/v1/lode/user", { uid: "ada" });
  const file = join(await temporaryDirectory(), "secret.txt");
  const create = async (...args: readonly string[]) =>
    await runCli(["key", "create", ...args], environment);
  return { ...opened, file, create };
}

test("lode key create brings a key that clients have, and does not print its secret", async (t) => {
  const { create, file, control } = await start(t);
  writeFileSync(file, `${SECRET}\r\n`);
  const bring = ["--user", "ada", "--secret-from-file", file, "--access-key-id"];

  const { stdout, exitCode } = await create(...bring, "user_abc");
  const asJson = await create(...bring, "user_def", "--ttl", "1h", "--json");

  assert.equal(exitCode, 0);
  assert.match(stdout, /^access key +user_abc\nprincipal +coreweave\/ada\nexpires +never\n/);
  assert.equal(JSON.parse(asJson.stdout).expiry, "2026-01-02T04:04:05.678Z");
  assert.equal(`${stdout}${asJson.stdout}`.includes(SECRET), false);
  for (const id of ["user_abc", "user_def"]) {
    assert.equal((await control.keys.find(id))?.secret, SECRET);
  }
});

test("lode key create takes a short secret, and says what it is worth without telling it", async (t) => {
  const { create, file, control } = await start(t);
  const bring = async (secret: string, id: string) => {
    writeFileSync(file, secret);
    return await create("--user", "ada", "--secret-from-file", file, "--access-key-id", id);
  };

  const { stdout } = await bring("sh0rt-15-chars!", "app.reader-1@example.com");

  assert.match(stdout, /\nIts secret has 15 characters: .*guess/);
  assert.equal(stdout.includes("sh0rt"), false);
  assert.equal((await control.keys.find("app.reader-1@example.com"))?.secret, "sh0rt-15-chars!");
  assert.equal((await bring("a-secret-16-char", "longer")).stdout.includes("guess"), false);
});

test("lode key create refuses half of a key, somebody's key without whose, and an id that is taken", async (t) => {
  const { create, file } = await start(t);
  writeFileSync(file, SECRET);
  const refused = async (...args: readonly string[]) => {
    const { stderr, exitCode } = await create(...args);
    return `${exitCode} ${stderr}`;
  };
  const pair = ["--access-key-id", "user_abc", "--secret-from-file", file];

  assert.match(await refused("--user", "ada", ...pair.slice(0, 2)), /^2 .*go together/);
  assert.match(await refused("--user", "ada", ...pair.slice(2)), /^2 .*go together/);
  assert.match(await refused(...pair), /^2 lode: --user is missing/);
  assert.match(await refused("--user", "ada", ...pair, "--env"), /^2 lode: --env is for/);
  const absent = ["--access-key-id", "user_abc", "--secret-from-file", `${file}.none`];
  assert.match(await refused("--user", "ada", ...absent), /^2 .*cannot be read/);
  assert.equal((await create("--user", "ada", ...pair)).exitCode, 0);
  assert.match(await refused("--user", "ada", ...pair), /^1 lode: .*"user_abc" already/);
});
