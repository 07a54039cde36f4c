/** The scrub on the command line. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { handle } from "#admin/handle.ts";
import { JobPlace } from "#catalog/job-place.ts";
import { runCli } from "#cli/main.ts";
import { SCRUB, type ScrubRecord } from "#job/scrub-record.ts";
import { listen } from "#server/listen.ts";
import { OPERATOR_TOKEN, openControl, START_MS } from "#test/admin/control.ts";

async function start(t: TestContext) {
  const { control, meta, clock } = await openControl(t);
  const listening = await listen({
    ...{ host: "127.0.0.1", port: 0 },
    answer: async (http) => ({ reply: (await handle(http, control)).reply }),
  });
  t.after(() => listening[Symbol.asyncDispose]());
  const environment = {
    LODE_ADMIN_URL: `http://127.0.0.1:${listening.port}`,
    LODE_ADMIN_TOKEN: OPERATOR_TOKEN,
  };
  const lode = async (line: string) => {
    const { stdout, exitCode } = await runCli(line.split(" "), environment);
    assert.equal(exitCode, 0);
    return stdout;
  };
  return { lode, place: new JobPlace<ScrubRecord>(meta, clock, SCRUB) };
}

test("lode scrub shows what was read and found, and starts, pauses and resumes", async (t) => {
  const { lode, place } = await start(t);
  const held = await place.take("this process", 60_000);
  await held?.save({
    ...{ startedMs: START_MS, endedMs: START_MS + 60_000, starts: 0 },
    place: { from: "", done: 0 },
    counts: { records: 12, blobs: 3, bytes: 3 * 2 ** 30, damaged: 21 },
    damages: [
      {
        ...{ kind: "blob-damaged", bucket: "photos", key: "cat\u001b.jpg", versionId: "null" },
        ...{ blob: "5f", foundMs: START_MS },
      },
    ],
  });

  assert.equal(
    await lode("scrub"),
    [
      "state       waiting",
      "last begun  2026-01-02T03:04:05Z",
      "last ended  2026-01-02T03:05:05Z",
      "last read   3 GiB, 3 blobs, 12 records",
      "next        2026-02-01T03:04:05Z",
      "",
      "the last found damaged: 21",
      "BUCKET  KEY            VERSION  UPLOAD  KIND          BLOB  FOUND",
      "photos  cat\\u001b.jpg  null     -       blob-damaged  5f    2026-01-02T03:04:05Z",
      "The server's log names the others.",
      "",
    ].join("\n"),
  );
  assert.match(await lode("scrub pause"), /^state +paused\n/);
  assert.match(await lode("scrub resume"), /^state +waiting\n/);
  assert.match(await lode("scrub start"), /^state +running\n/);
  assert.equal(JSON.parse(await lode("scrub --json")).last.damaged, "21");
});
