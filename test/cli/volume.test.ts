/** Volumes on the command line. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { handle } from "#admin/handle.ts";
import { runCli } from "#cli/main.ts";
import { listen } from "#server/listen.ts";
import { OPERATOR_TOKEN, openControl } from "#test/admin/control.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

async function start(t: TestContext) {
  const opened = await openControl(t);
  const { control } = opened;
  const listening = await listen({
    ...{ host: "127.0.0.1", port: 0 },
    answer: async (http) => ({ reply: (await handle(http, control)).reply }),
  });
  t.after(() => listening[Symbol.asyncDispose]());
  const environment = {
    LODE_ADMIN_URL: `http://127.0.0.1:${listening.port}`,
    LODE_ADMIN_TOKEN: OPERATOR_TOKEN,
  };
  /** Its standard output; what fails is told by its last line. */
  const lode = async (line: string) => {
    const { stdout, stderr, exitCode } = await runCli(line.split(" "), environment);
    return exitCode === 0 ? stdout : `${exitCode} ${stderr}`;
  };
  return { ...opened, lode };
}

test("lode volume creates, lists, tells of, resizes and removes a volume", async (t) => {
  const { lode } = await start(t);
  const path = await temporaryDirectory();
  writeFileSync(join(path, "file"), "bytes");

  assert.equal(await lode("volume list"), "There are none.\n");
  assert.equal(
    await lode(
      `volume create --id vol0000001 --path ${path} --name scratch --size 1.5TiB --location EU-RO-1 --umask 027`,
    ),
    [
      "id        vol0000001",
      "name      scratch",
      `path      ${path}`,
      "location  EU-RO-1",
      "size      1.5 TiB",
      "used      -",
      "umask     027",
      "created   2026-01-02T03:04:05Z",
      "",
    ].join("\n"),
  );
  assert.match(await lode("volume list"), /^ID +NAME +PATH +SIZE +USED\nvol0000001 +scratch +\//);
  assert.match(await lode("volume get vol0000001"), /^size +1\.5 TiB$/m);
  assert.match(await lode("volume resize vol0000001 --size 2TiB"), /^size +2 TiB$/m);
  assert.match(await lode("volume resize vol0000001 --size none"), /^size +-$/m);
  assert.equal(
    await lode("volume remove vol0000001"),
    'The volume "vol0000001" is served no longer; its files are untouched.\n',
  );
  assert.equal(await lode("volume list"), "There are none.\n");
  assert.equal(readFileSync(join(path, "file"), "utf8"), "bytes");
});

test("lode volume create makes an id, and prints what the server answered with --json", async (t) => {
  const { lode } = await start(t);
  const path = await temporaryDirectory();

  const made = JSON.parse(await lode(`volume create --path ${path} --uid 0 --gid 0 --json`));

  assert.match(made.volumeId, /^[a-z0-9]{10}$/);
  assert.deepEqual([made.name, made.uid, made.gid], [made.volumeId, 0, 0]);
  assert.deepEqual(JSON.parse(await lode("volume list --json")), [made]);
});

test("lode volume says what is wrong, and makes nothing then", async (t) => {
  const { lode } = await start(t);
  const path = await temporaryDirectory();

  assert.match(await lode("volume create --id vol0000001"), /^2 lode: --path is missing/);
  assert.match(await lode(`volume create --path ${path} --size much`), /^2 lode: --size "much"/);
  assert.match(await lode(`volume create --path ${path} --uid root`), /^2 lode: --uid "root"/);
  assert.match(await lode(`volume create --path ${path} --umask 9`), /^1 lode: .*umask.*octal/);
  assert.match(await lode(`volume create --path ${path} --id UPPER`), /^1 lode: .*"UPPER"/);
  assert.match(await lode(`volume create --path ${path}/none`), /^1 lode: .*none/);
  assert.match(await lode("volume resize vol0000001"), /^2 lode: --size is missing/);
  for (const rest of ["get vol0000001", "resize vol0000001 --size 1GiB", "remove vol0000001"]) {
    assert.match(await lode(`volume ${rest}`), /^1 lode: volume "vol0000001" not found/);
  }
  assert.match(await lode("volume move"), /^2 lode: there is no "lode volume move"/);
  assert.equal(await lode("volume list"), "There are none.\n");
  assert.equal(existsSync(join(path, ".s3compat_uploads")), false);
});
