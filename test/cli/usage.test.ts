import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { COMMANDS } from "#cli/commands.ts";
import { runCli } from "#cli/main.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

const NOWHERE = { LODE_ADMIN_URL: "http://127.0.0.1:1", LODE_ADMIN_TOKEN: "none" };

for (const { name, arguments: wanted = [], options = {} } of COMMANDS) {
  const words = name.split(" ");
  const values = wanted.map(() => "x");

  test(`lode ${name}: --help tells of every argument and option, without a server`, async () => {
    const { stdout, exitCode } = await runCli([...words, "--help"], NOWHERE);

    assert.equal(exitCode, 0);
    for (const { name } of wanted) assert.ok(stdout.includes(name));
    for (const option of Object.keys(options)) assert.ok(stdout.includes(`--${option}`), option);
    assert.ok(stdout.split("\n").every((line) => line.length <= 120));
  });

  test(`lode ${name}: an unknown option and an argument too many are wrong usage`, async () => {
    for (const more of [["--no-such-option"], ["too", "many"]]) {
      const { stdout, stderr, exitCode } = await runCli([...words, ...values, ...more], NOWHERE);
      assert.equal(exitCode, 2);
      assert.equal(stdout, "");
      assert.match(
        stderr,
        new RegExp(`^lode: .*"lode ${name} --help" tells how it is used\\.\\n$`),
      );
    }
    const required = wanted.filter(({ optional }) => optional !== true);
    if (required.length === 0) return;
    const { stderr, exitCode } = await runCli(words, NOWHERE);
    assert.equal(exitCode, 2);
    assert.ok(stderr.startsWith(`lode: ${required[0]?.name} is missing.`), stderr);
  });
}

test("commands load neither a store nor a server, so that they start fast", () => {
  const main = readFileSync(new URL("../../src/main.ts", import.meta.url), "utf8");

  const loaded = [...main.matchAll(/^import .* from "(.*)";$/gm)].map(([, from]) => from);

  assert.deepEqual(loaded, ["node:cluster", "#base/error.ts", "#config.ts"]);
});

test("what is no command is wrong usage, and tells what there is", async () => {
  const said = async (...args: readonly string[]) => {
    const { stderr, exitCode } = await runCli(args, NOWHERE);
    assert.equal(exitCode, 2);
    return stderr;
  };

  assert.match(await said("kez"), /^lode: there is no command "kez"\. "lode help" lists them\.\n$/);
  assert.match(await said("key"), /^lode: Say lode key and one of: list, get, create, /);
  assert.match(await said("key", "make"), /^lode: there is no "lode key make"\. Say lode key and/);
  assert.match(await said("help", "kez"), /there is no command "kez"/);
  assert.match(await said("--json"), /there is no command/);
  assert.match(await said("whoami", "--admin-url", "example.com"), /give a URL/);
});

test("times, sizes, switches and pairs that mean nothing are wrong usage", async () => {
  const wrong = [
    ["key", "create", "--ttl", "0"],
    ["key", "create", "--ttl", "3w"],
    ["key", "create", "--ttl=-1h"],
    ["key", "create", "--attribute", "novalue"],
    ["bucket", "update", "b", "--cap", "lots"],
    ["bucket", "update", "b", "--cap", "1e9"],
    ["bucket", "update", "b", "--cap", "9000000PiB"],
    ["bucket", "update", "b", "--audit", "maybe"],
    ["lifecycle", "preview", "b", "--limit", "0"],
    ["policy", "explain", "--action", "s3:GetObject"],
    ["policy", "can-i"],
    ["token", "create"],
  ];
  for (const args of wrong) {
    const { stderr, exitCode } = await runCli(args, NOWHERE);
    assert.equal(exitCode, 2, `${args.join(" ")}: ${stderr}`);
    assert.match(stderr, /^lode: --/);
  }
});

test("lode help KEY and lode key --help list the commands about keys", async () => {
  const help = await runCli(["help", "key"], NOWHERE);

  assert.match(help.stdout, /lode key create/);
  assert.doesNotMatch(help.stdout, /lode user/);
  assert.equal((await runCli(["key", "--help"], NOWHERE)).stdout, help.stdout);
});

test("bash completes commands and options from what is there", async () => {
  const { stdout } = await runCli(["completion", "bash"], NOWHERE);
  const file = join(await temporaryDirectory(), "lode.bash");
  writeFileSync(file, stdout);
  const complete = (...words: readonly string[]) => {
    const quoted = words.map((word) => `'${word}'`).join(" ");
    const script = `. '${file}'; COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _lode; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return execFileSync("bash", ["-c", script], { encoding: "utf8" }).trim().split("\n");
  };

  assert.ok(complete("lode", "").includes("key"));
  assert.ok(complete("lode", "").includes("serve"));
  assert.deepEqual(complete("lode", "poli"), ["policy"]);
  assert.deepEqual(complete("lode", "key", "re"), ["revoke", "revoke-all", "resume"]);
  assert.deepEqual(complete("lode", "key", "create", "--t"), ["--ttl", "--token"]);
  assert.deepEqual(complete("lode", "key", "create", "--user", "key", "--tt"), ["--ttl"]);
  assert.deepEqual(complete("lode", "completion", "f"), ["fish"]);
});

test("zsh and fish get every command and option too; another shell is wrong usage", async () => {
  for (const shell of ["zsh", "fish"]) {
    const { stdout } = await runCli(["completion", shell], NOWHERE);
    for (const { name, options = {} } of COMMANDS) {
      for (const word of name.split(" ")) assert.ok(stdout.includes(word), word);
      for (const option of Object.keys(options)) assert.ok(stdout.includes(option), option);
    }
  }
  assert.equal((await runCli(["completion", "tcsh"], NOWHERE)).exitCode, 2);
  assert.equal((await runCli(["completion"], NOWHERE)).exitCode, 2);
});
