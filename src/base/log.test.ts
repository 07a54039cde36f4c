import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type Log, makeLog } from "#base/log.ts";

const FORGED = 'a"}\r\n{"forged":1}\n12:00:00 GetObject 200';
/** Ends of lines, a terminal's commands in seven and in eight bits, and text that runs backwards. */
const TRICKS = `${FORGED} \u001b[2J \u009b2J \u0085 \u2028 \u202egpj.exe \0`;

async function written(
  t: TestContext,
  pretty: boolean,
  write: (log: Log) => void,
): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "lode-log-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "log");
  const to = openSync(path, "a");
  const log = makeLog({ pretty, access: true, to });
  write(log);
  await log.flush();
  closeSync(to);
  return readFileSync(path, "utf8");
}

const EACH: Readonly<Record<string, (log: Log) => void>> = {
  access: (log) => log.access({ op: "GetObject", bucket: TRICKS, key: TRICKS, principal: TRICKS }),
  info: (log) => log.info("done", { name: TRICKS }),
  error: (log) => log.error("failed", new Error(TRICKS), { name: TRICKS }),
};

for (const [kind, write] of Object.entries(EACH)) {
  test(`a line of ${kind} is one JSON object, whatever text is in it`, async (t) => {
    const text = await written(t, false, write);

    const lines = text.trimEnd().split("\n");
    assert.equal(lines.length, 1);
    const record = JSON.parse(lines[0] ?? "") as Record<string, unknown>;
    assert.equal(record["forged"], undefined);
    assert.ok(Object.values(record).includes(TRICKS));
  });

  test(`a line of ${kind} for people shows what a terminal would obey, and begins no other`, async (t) => {
    const text = await written(t, true, write);

    assert.doesNotMatch(text, /(?!\n)[\p{Cc}\p{Cf}\u2028]/u);
    const begun = text
      .trimEnd()
      .split("\n")
      .filter((line) => !line.startsWith(" "));
    assert.equal(begun.length, 1, text);
    assert.match(begun[0] ?? "", /^\d\d:\d\d:\d\d /);
  });
}

for (const pretty of [false, true]) {
  test(`a disk that is full, where ${pretty ? "the log for people" : "the log"} is, ends nothing`, async () => {
    const to = openSync("/dev/full", "w");
    const log = makeLog({ pretty, access: true, to });

    log.error("failed", new Error("no space left"));
    await log.flush();
    log.access({ op: "GetObject" });
    await log.flush();

    closeSync(to);
  });
}
