/** The scrub by the control API: how far it is, and what an operator orders. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { JobPlace } from "#catalog/job-place.ts";
import { SCRUB, type ScrubRecord } from "#job/scrub-record.ts";
import { openControl, START_MS } from "#test/admin/control.ts";

const PATH = "/v1/lode/scrub";
const COUNTS = { records: 7, blobs: 3, bytes: 2 ** 40, damaged: 1 };
const BEGUN: ScrubRecord = {
  startedMs: START_MS,
  place: { from: "6f", done: 0 },
  counts: COUNTS,
  damages: [
    {
      ...{ kind: "blob-damaged", bucket: "photos", key: "cat.jpg", versionId: "null" },
      ...{ blob: "ab".repeat(16), foundMs: START_MS },
    },
  ],
  starts: 0,
};

test("the scrub tells what it has read and found, and after its end when the next one begins", async (t) => {
  const { ok, meta, clock } = await openControl(t);
  const held = await new JobPlace<ScrubRecord>(meta, clock, SCRUB).take("this process", 60_000);
  const before = await ok("GET", PATH);
  await held?.save(BEGUN);

  const running = await ok("GET", PATH);
  await held?.save({ ...BEGUN, endedMs: START_MS + 5_000 });
  const ended = await ok("GET", PATH);

  assert.deepEqual(before, { state: "running" });
  const startTime = "2026-01-02T03:04:05.678Z";
  const pass = {
    ...{ startTime, bytes: "1099511627776", blobs: "3", records: "7", damaged: "1" },
    damages: [
      {
        ...{ kind: "blob-damaged", bucketName: "photos", key: "cat.jpg", versionId: "null" },
        ...{ blob: "ab".repeat(16), foundTime: startTime },
      },
    ],
  };
  assert.deepEqual(running, { state: "running", current: pass });
  assert.deepEqual(ended, {
    state: "waiting",
    last: { ...pass, endTime: "2026-01-02T03:04:10.678Z" },
    nextTime: "2026-02-01T03:04:05.678Z",
  });
});

test("an operator pauses it, has it go on, and has it begin before it is due", async (t) => {
  const { ok, meta, clock } = await openControl(t);
  const held = await new JobPlace<ScrubRecord>(meta, clock, SCRUB).take("this process", 60_000);
  await held?.release({ ...BEGUN, endedMs: START_MS });
  const order = async (word: string) => (await ok("POST", PATH, { order: word })).state;

  assert.equal(await order("pause"), "paused");
  assert.equal(await order("resume"), "waiting");
  assert.equal(await order("start"), "running");
  assert.equal(await order("pause"), "paused");
  assert.equal(await order("resume"), "running", "it was asked for, and has not been done");
});

test("an order that is none is refused by what there is", async (t) => {
  const { call } = await openControl(t);

  const { status, json } = await call({ method: "POST", path: PATH, body: { order: "stop" } });

  assert.equal(status, 400);
  assert.match(JSON.stringify(json), /give start, pause or resume/);
});
