/** Runs every command of docs/access.md, one after the other, and holds what they print against the page. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { run } from "#test/support/process.ts";
import { startRealServer } from "#test/support/real-server.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PAGE = readFileSync(join(ROOT, "docs/access.md"), "utf8");
const BLOCK = /^```(\w*)\n(.*?)^```$/gms;

test("docs/access.md: every command does what the page says", async (t) => {
  const home = await temporaryDirectory();
  mkdirSync(join(home, "data"));
  const server = await startRealServer(t, { dataDirectory: join(home, "data") });
  const { accessKeyId, secret } = server;
  const key = `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secret}\n`;
  writeFileSync(join(home, "data/credentials"), key);
  const blocks = [...PAGE.matchAll(BLOCK)].map(([, language = "", text = ""]) => ({
    language,
    text,
  }));
  const commands = blocks.filter(({ language }) => language === "sh").map(({ text }) => text);
  const script = [
    "set -eu",
    `cd '${home}'`,
    `lode() { LODE_ADMIN_URL=${server.adminEndpoint} LODE_ADMIN_TOKEN=\${LODE_ADMIN_TOKEN:-$(cat data/admin-token)} '${process.execPath}' '${ROOT}bin/lode' "$@"; }`,
    `aws() { '${process.execPath}' '${ROOT}test/docs/aws.ts' "$@"; }`,
    ...commands.map((text) => text.replace("http://127.0.0.1:9000", server.endpoint)),
  ].join("\n");
  writeFileSync(join(home, "page.sh"), script);

  const { code, stdout, stderr } = await run(t, { command: ["bash", join(home, "page.sh")] });

  assert.equal(code, 0, stdout + stderr);
  for (const { language, text } of blocks) {
    if (language === "")
      for (const line of text.trim().split("\n")) assert.ok(stdout.includes(line), line);
  }
  const refusals = [...PAGE.matchAll(/\|\| echo "(.*)"$/gm)].map(([, line = ""]) => line);
  assert.equal(refusals.length, 6);
  for (const line of refusals) assert.ok(stdout.includes(line), `${line}\n${stdout}\n${stderr}`);
  assert.match(stdout, /a thousand hours/);
});
