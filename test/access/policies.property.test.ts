import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readBucketPolicy } from "#access/bucket-policy.ts";
import { PolicyError } from "#access/policy-error.ts";
import { bucketPolicy, question } from "#test/access/arbitrary.ts";
import { BUCKET, engineDecide } from "#test/access/engine.ts";
import { naiveDecide, naiveIsPublic } from "#test/access/naive.ts";
import { runs } from "#test/support/runs.ts";

const RUNS = runs({ short: 3_000, long: 300_000 });

test("whatever the policies and the request, the engine and the naive evaluator never disagree", () => {
  let allowed = 0;
  fc.assert(
    fc.property(question, (asked) => {
      const decision = unlessRefused(() => engineDecide(asked));

      const answer = { allowed: decision.allowed, by: decision.by?.statement };
      assert.deepEqual(answer, naiveDecide(asked), decision.reason);
      if (decision.allowed) allowed += 1;
    }),
    RUNS,
  );
  // Otherwise it would show little.
  assert.ok(allowed > RUNS.numRuns / 20, `${allowed} of ${RUNS.numRuns} were allowed`);
});

test("whatever the bucket policy, the engine and the naive evaluator agree whether it is public", () => {
  fc.assert(
    fc.property(bucketPolicy, (policy) => {
      const { isPublic } = unlessRefused(() => readBucketPolicy(JSON.stringify(policy), BUCKET));

      assert.equal(isPublic, naiveIsPublic(policy));
    }),
    RUNS,
  );
});

test("adding a Deny never lets anybody in, and adding an Allow never keeps anybody out", () => {
  fc.assert(
    fc.property(question, bucketPolicy, (asked, { Version, Statement }) => {
      const [added] = Statement as readonly Readonly<Record<string, unknown>>[];
      const { bucket } = asked;
      fc.pre(bucket?.policy !== undefined && bucket.policy["Version"] === Version);
      const more = [...(bucket.policy["Statement"] as readonly unknown[]), added];
      const widened = {
        ...asked,
        bucket: { ...bucket, restrictPublic: false, policy: { Version, Statement: more } },
      };
      const without = { ...asked, bucket: { ...bucket, restrictPublic: false } };

      const before = unlessRefused(() => engineDecide(without)).allowed;
      const after = unlessRefused(() => engineDecide(widened)).allowed;

      if (added?.["Effect"] === "Deny") assert.ok(before || !after);
      else assert.ok(after || !before);
    }),
    runs({ short: 1_000, long: 100_000 }),
  );
});

/** Some random statements have an action that is on none of their resources. */
function unlessRefused<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    const isMisplaced =
      cause instanceof PolicyError && / does not apply to any /.test(cause.message);
    throw isMisplaced ? new fc.PreconditionFailure() : cause;
  }
}
