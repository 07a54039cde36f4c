/** The verifier against a signer that shares nothing with it: botocore, where there is one. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { systemClock } from "#base/clock.ts";
import { readClaim } from "#s3/signature/claim.ts";
import { verifyClaim } from "#s3/signature/verify.ts";
import { toBeSigned } from "#test/fuzz/signed-request.ts";
import { runs } from "#test/support/runs.ts";

const { numRuns: REQUESTS, seed: GIVEN_SEED } = runs({ short: 500, long: 20_000 });
const SIGNER = join(import.meta.dirname, "botocore_signer.py");
const NO_BOTOCORE = 42;

test("what botocore signed, in headers and in URLs, is believed", (t) => {
  const seed = GIVEN_SEED ?? systemClock.now() % 2 ** 31;
  t.diagnostic(`seed ${seed}`);
  const given = fc.sample(toBeSigned, { numRuns: REQUESTS, seed });
  const input = given.map((each) => JSON.stringify(each)).join("\n");
  const options = { input, encoding: "utf8", maxBuffer: 2 ** 30 } as const;
  const { status, stdout, stderr, error } = spawnSync("python3", [SIGNER], options);
  // Its end may come while it is still being asked.
  if (status === NO_BOTOCORE || status === null) {
    t.skip(`python3 with botocore is not installed: ${error?.message ?? stderr}`);
    return;
  }
  assert.equal(status, 0, stderr);
  const signed = stdout.trim().split("\n");
  assert.equal(signed.length, REQUESTS);
  for (const [index, line] of signed.entries()) {
    const { url, headers } = JSON.parse(line) as { url: string; headers: Record<string, string> };
    const request = given[index];
    assert.ok(request !== undefined);
    const [, host = "", target = ""] = /^http:\/\/([^/]+)(.*)$/s.exec(url) ?? [];
    const [path = "", ...query] = target.split("?");
    const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
    const arrived = {
      ...{ method: request.method, path, query: query.join("?") },
      headers: { host, ...Object.fromEntries(named) },
    };

    const claim = readClaim(arrived);
    assert.ok(claim !== undefined);
    assert.equal(claim.accessKeyId, request.accessKeyId);
    assert.equal(claim.sessionToken, request.token);
    const { secret } = request;
    // When it was signed: some URLs are good for a second. Fails: S3Error, with what was signed here.
    verifyClaim(arrived, claim, { secret, nowMs: claim.timeMs, skewMsMax: 900_000 });
  }
});
