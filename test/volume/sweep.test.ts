import assert from "node:assert/strict";
import {
  existsSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { test } from "node:test";
import { refused } from "#test/contract/engine-objects.ts";
import { run } from "#test/support/process.ts";
import { openVolume } from "#test/volume/volume.ts";
import { HIDDEN_NAME } from "#volume/key-path.ts";
import { sweepLeftovers, sweepVolume } from "#volume/sweep.ts";

const DAY_MS = 86_400_000;
const LONG_AGO = 1_000_000_000;

function files(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);
}

test("uploads that nobody came back to are removed by their age, others stay", async (t) => {
  const { s3, volume, at } = await openVolume(t);
  const [old, used, fresh] = [
    await s3.create("old"),
    await s3.create("used"),
    await s3.create("new"),
  ];
  for (const upload of [old, used, fresh]) await s3.part(upload, 1, "bytes");
  for (const { uploadId } of [old, used]) {
    // As if they had been begun long ago.
    const path = at(HIDDEN_NAME, "uploads", uploadId, "upload.json");
    const { initiatedMs: _, ...rest } = { ...old, key: uploadId === old.uploadId ? "old" : "used" };
    writeFileSync(path, JSON.stringify({ ...rest, format: 1, initiatedMs: LONG_AGO * 1_000 }));
  }
  utimesSync(at(HIDDEN_NAME, "uploads", old.uploadId, "parts"), LONG_AGO, LONG_AGO);

  const swept = await sweepVolume(volume, { uploadAgeMs: 7 * DAY_MS });

  assert.equal(swept.uploads, 1);
  await refused(s3.parts(old), "NoSuchUpload");
  assert.equal((await s3.parts(used)).parts.length, 1);
  assert.equal((await s3.parts(fresh)).parts.length, 1);
  assert.equal(existsSync(at(HIDDEN_NAME, "uploads", old.uploadId)), false);
});

test("a sweep that is told to stop removes nothing more", async (t) => {
  const { s3, volume, at } = await openVolume(t);
  const upload = await s3.create("old");
  await s3.part(upload, 1, "bytes");
  const left = at(HIDDEN_NAME, "tmp", `${"0".repeat(16)}-left`);
  writeFileSync(left, "half");
  utimesSync(left, LONG_AGO, LONG_AGO);
  const reason = new Error("the server stops");
  const signal = AbortSignal.abort(reason);

  await assert.rejects(sweepVolume(volume, { uploadAgeMs: 0, signal }), reason);
  await assert.rejects(sweepLeftovers(volume, signal), reason);

  assert.ok(existsSync(left));
  assert.equal((await s3.parts(upload)).parts.length, 1);
  assert.equal((await sweepVolume(volume, { uploadAgeMs: -1 })).uploads, 1);
});

test("what a process left that died is removed, what a live one is writing stays", async (t) => {
  const { s3, volume, root, at } = await openVolume(t);
  const script = `
    const { Volume } = await import("./src/volume/volume.ts");
    const { writeFileSync, mkdirSync } = await import("node:fs");
    const volume = await Volume.open({ root: process.argv[1] });
    writeFileSync(volume.temporary(), "half");
    const upload = volume.temporary();
    mkdirSync(upload); mkdirSync(upload + "/parts"); writeFileSync(upload + "/parts/1", "{}");
    process.kill(process.pid, "SIGKILL");`;
  await run(t, { command: [process.execPath, "--input-type=module", "-e", script, root] });
  writeFileSync(volume.temporary(), "ours");
  assert.equal(readdirSync(at(HIDDEN_NAME, "tmp")).length, 3);

  assert.equal(await sweepLeftovers(volume), 2);

  assert.equal(readdirSync(at(HIDDEN_NAME, "tmp")).length, 1);
  assert.equal(readdirSync(at(HIDDEN_NAME, "owners")).length, 1);
  await s3.put("a", "bytes");
});

test("records of files that are gone are removed, of files that moved they stay", async (t) => {
  const { s3, volume, at } = await openVolume(t);
  const meta = at(HIDDEN_NAME, "meta");
  for (const key of ["stays", "moved", "gone", "fresh"]) await s3.put(key, key);
  const upload = await s3.create("parts");
  await s3.complete(upload, [await s3.part(upload, 1, "bytes")]);
  const etag = (await s3.head("moved")).etag;
  const age = () => {
    for (const entry of readdirSync(meta, { recursive: true, encoding: "utf8" })) {
      if (statSync(`${meta}/${entry}`).isFile()) utimesSync(`${meta}/${entry}`, LONG_AGO, LONG_AGO);
    }
  };
  age();
  // Before the others go, since it would be given the inode of one of them.
  await s3.put("fresh", "new");
  renameSync(at("moved"), at("elsewhere"));
  for (const key of ["gone", "parts", "fresh"]) rmSync(at(key));
  const before = files(meta).length;

  const swept = await sweepVolume(volume, { uploadAgeMs: DAY_MS });

  assert.equal(swept.records, 2);
  // A record and its parts, and another.
  assert.equal(files(meta).length, before - 3);
  assert.equal((await s3.head("elsewhere")).etag, etag);
  assert.equal((await s3.head("stays")).etag.includes("-"), false);
});

test("tokens of renames are kept for a day", async (t) => {
  const { s3, volume, at } = await openVolume(t);
  await s3.put("a", "bytes");
  await s3.rename("a", "b", { token: "one" });
  await s3.rename("b", "c", { token: "two" });
  const tokens = at(HIDDEN_NAME, "tokens");
  const [first = ""] = readdirSync(tokens);
  utimesSync(`${tokens}/${first}`, LONG_AGO, LONG_AGO);
  await sweepVolume(volume, { uploadAgeMs: DAY_MS });
  assert.equal(readdirSync(tokens).length, 1);
  assert.equal(readdirSync(tokens).includes(first), false);
});
