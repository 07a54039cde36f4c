/** Quotas, usage and rate limits on the command line. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { handle } from "#admin/handle.ts";
import { runCli } from "#cli/main.ts";
import { newBucketName } from "#object/name.ts";
import { listen } from "#server/listen.ts";
import { OPERATOR_TOKEN, openControl } from "#test/admin/control.ts";
import { spoilCounters } from "#test/support/counters.ts";

async function start(t: TestContext) {
  const opened = await openControl(t);
  const { control, organizationId } = opened;
  const listening = await listen({
    ...{ host: "127.0.0.1", port: 0 },
    answer: async (http) => ({ reply: (await handle(http, control)).reply }),
  });
  t.after(() => listening[Symbol.asyncDispose]());
  const environment = {
    LODE_ADMIN_URL: `http://127.0.0.1:${listening.port}`,
    LODE_ADMIN_TOKEN: OPERATOR_TOKEN,
  };
  await control.catalog.create(newBucketName("data"), { id: organizationId, region: "here" });
  /** Its standard output; what fails is told by its last line. */
  const lode = async (line: string) => {
    const { stdout, stderr, exitCode } = await runCli(line.split(" "), environment);
    return exitCode === 0 ? stdout : `${exitCode} ${stderr}`;
  };
  return { ...opened, lode };
}

test("lode quota sets, lists and deletes quotas", async (t) => {
  const { lode } = await start(t);

  assert.equal(await lode("quota list"), "There are none.\n");
  assert.equal(await lode("quota set here --bytes 1.5TiB"), "1.5 TiB of STANDARD in here.\n");
  assert.equal(
    await lode("quota set here --bytes 0 --class standard_ia"),
    "0 B of STANDARD_IA in here.\n",
  );
  assert.equal(
    await lode("quota list"),
    [
      "ZONE  CLASS        QUOTA    USED  %",
      "here  STANDARD     1.5 TiB  0 B   0",
      "here  STANDARD_IA  0 B      0 B   -",
      "",
    ].join("\n"),
  );
  assert.equal(
    await lode("quota delete here --class STANDARD_IA"),
    "No quota for STANDARD_IA in here any more.\n",
  );
  assert.equal(JSON.parse(await lode("quota list --json")).quotas.length, 1);
  assert.match(await lode("quota set here --bytes much"), /^2 lode: --bytes "much": give a size/);
  assert.match(await lode("quota set here"), /^2 lode: --bytes is missing/);
  assert.match(
    await lode("quota delete there"),
    /^1 lode: there is no quota for STANDARD in "there"/,
  );
});

test("lode quota --org is about that organization", async (t) => {
  const { lode, control } = await start(t);
  await control.organizations.create({ id: "other", name: "Other" });

  await lode("quota set there --bytes 1GiB --org other");

  assert.equal(await lode("quota list"), "There are none.\n");
  assert.match(await lode("quota list --org other"), /^there {2}STANDARD {2}1 GiB/m);
});

test("lode usage tells what there is, and lode usage recount puts counters right", async (t) => {
  const { lode, control, meta } = await start(t);
  const bucket = await control.catalog.bucket(newBucketName("data"));
  await spoilCounters({ meta }, bucket, {
    ...{ bucket: [0, 0, 0, 0, 0], zone: [2, 2_048, 0, 0, 1_024] },
  });

  assert.equal(
    await lode("usage"),
    [
      "ZONE  CLASS        VERSIONS  SIZE   UPLOADS  QUOTA",
      "here  STANDARD     2         2 KiB  1 KiB    -",
      "here  STANDARD_IA  0         0 B    0 B      -",
      "",
    ].join("\n"),
  );
  assert.match(await lode("usage recount --bucket data"), /^zone +here +-2, -2048, /m);
  assert.equal(await lode("usage recount"), "Every counter was right.\n");
  assert.match(await lode("usage"), /^here {2}STANDARD +0 +0 B/m);
});

test("lode rate-limit sets and tells rates of principals and of a bucket", async (t) => {
  const { lode } = await start(t);

  await lode("rate-limit set --requests 100");
  await lode("rate-limit set --bucket data --bytes 1MiB");

  assert.equal(
    await lode("rate-limit get --bucket data"),
    [
      "each principal, requests a second  100",
      "each principal, bytes a second     -",
      "bucket, requests a second          -",
      "bucket, bytes a second             1 MiB",
      "",
    ].join("\n"),
  );
  assert.match(await lode("rate-limit set --requests 0"), /^2 lode: --requests "0"/);
});
