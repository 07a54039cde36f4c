import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, constants, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "#base/clock.ts";
import { LineWriter } from "#base/line-writer.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

test("every line is written once and in order, by chunks, by time and at the end", async () => {
  const path = join(await temporaryDirectory(), "log");
  const descriptor = openSync(path, "w");
  const writer = new LineWriter(descriptor);
  const lines = Array.from({ length: 5_000 }, (_, index) => `line ${index} é\n`);

  for (const line of lines.slice(0, -1)) writer.write(line);
  while (!readFileSync(path, "utf8").includes("line 4998")) await systemClock.sleep(20);
  for (const line of lines.slice(-1)) writer.write(line);
  await writer.flush();

  assert.equal(readFileSync(path, "utf8"), lines.join(""));
  closeSync(descriptor);
});

test("a pipe that nobody reads holds up neither who writes lines nor the end, and has the lines when it is read", async () => {
  const path = join(await temporaryDirectory(), "pipe");
  assert.equal(spawnSync("mkfifo", [path]).status, 0);
  const descriptor = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const full = Buffer.alloc(4_096, "-");
  assert.throws(() => {
    for (;;) writeSync(descriptor, full);
  }, /EAGAIN/);
  const writer = new LineWriter(descriptor);
  for (let index = 0; index < 5_000; index += 1) writer.write(`line ${index}\n`);

  await writer.flush();

  let text = "";
  while (!text.includes("line 4999\n")) {
    const piece = Buffer.alloc(65_536);
    try {
      text += piece.toString("utf8", 0, readSync(descriptor, piece));
    } catch (cause) {
      assert.match(String(cause), /EAGAIN/);
      await systemClock.sleep(5);
    }
  }
  const lines = text.replace(/^-+/, "").trimEnd().split("\n");
  assert.deepEqual(
    lines,
    Array.from({ length: 5_000 }, (_, index) => `line ${index}`),
  );
  closeSync(descriptor);
});

test("lines that cannot be written are dropped, and how many is told when others can", async () => {
  const path = join(await temporaryDirectory(), "pipe");
  assert.equal(spawnSync("mkfifo", [path]).status, 0);
  const open = () => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const before = open();
  const descriptor = openSync(path, "w");
  closeSync(before);
  const writer = new LineWriter(descriptor);
  for (let index = 0; index < 2_000; index += 1) writer.write(`line ${index}\n`);
  await writer.flush();

  const reader = open();
  writer.write("after\n");
  await writer.flush();

  const read = Buffer.alloc(65_536);
  const text = read.toString("utf8", 0, readSync(reader, read));
  const [, dropped] = /^\{"level":40,"msg":"log lines dropped","count":(\d+)\}$/m.exec(text) ?? [];
  const lines = text.match(/^line \d+$/gm) ?? [];
  assert.ok(Number(dropped) > 0);
  assert.equal(lines.length + Number(dropped), 2_000);
  assert.match(text, /^after$/m);
  closeSync(reader);
  closeSync(descriptor);
});
