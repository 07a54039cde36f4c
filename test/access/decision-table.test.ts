import assert from "node:assert/strict";
import { test } from "node:test";
import { engineDecide } from "#test/access/engine.ts";
import {
  ACME,
  ATTEMPTS,
  BUCKET_POLICIES,
  CONTEXTS,
  ORGANIZATIONS,
  PRINCIPALS,
} from "#test/access/fixtures.ts";
import { HAND_WRITTEN } from "#test/access/hand-written.ts";
import { naiveDecide } from "#test/access/naive.ts";
import type { NaiveQuestion } from "#test/access/naive-question.ts";

/** Names of fixtures; the owner of the bucket has the same policies as the principal's own. */
interface Case {
  readonly organization: string;
  readonly bucket: string;
  readonly who: string;
  readonly action: string;
  readonly resource: string;
  readonly context: string;
  readonly restrictPublic?: boolean;
}

function questionOf(given: Case): NaiveQuestion {
  const { organization, bucket, who, action, resource, context, restrictPublic = false } = given;
  const principal = PRINCIPALS[who];
  const values = CONTEXTS[context];
  assert.ok(principal !== undefined && values !== undefined, `${who} and ${context} are fixtures`);
  assert.ok(organization in ORGANIZATIONS, organization);
  assert.ok(bucket in BUCKET_POLICIES, bucket);
  const policies = ORGANIZATIONS[organization];
  return {
    principal,
    action,
    resource,
    context: values,
    organization: policies,
    bucket:
      resource === "*"
        ? undefined
        : { ownerId: ACME, owner: policies, policy: BUCKET_POLICIES[bucket], restrictPublic },
  };
}

for (const [organization, bucket, who, attempt, context, expected] of HAND_WRITTEN) {
  const [action = "", resource = ""] = attempt.split(" ");
  test(`${who}: ${attempt}, ${context}, organization "${organization}", bucket "${bucket}": ${expected}`, () => {
    const question = questionOf({ organization, bucket, who, action, resource, context });

    const decision = engineDecide(question);

    assert.equal(decision.allowed ? "yes" : "no", expected, decision.reason);
    assert.equal(naiveDecide(question).allowed, decision.allowed, "the naive evaluator errs");
  });
}

test("the hand-written cases are at least 80, and of both kinds", () => {
  assert.ok(HAND_WRITTEN.length >= 80);
  for (const verdict of ["yes", "no"]) {
    assert.ok(HAND_WRITTEN.filter(([, , , , , expected]) => expected === verdict).length >= 25);
  }
});

for (const organization of Object.keys(ORGANIZATIONS)) {
  test(`every policy, principal, attempt and request under organization "${organization}" is decided as the naive evaluator decides it`, () => {
    let count = 0;
    for (const given of casesOf(organization)) {
      const question = questionOf(given);
      const { allowed, by, reason } = engineDecide(question);

      assert.deepEqual(
        { allowed, by: by?.statement },
        naiveDecide(question),
        `${JSON.stringify(given)}: ${reason}`,
      );
      count += 1;
    }
    assert.ok(count >= 300, `${count}`);
  });
}

function* casesOf(organization: string): Iterable<Case> {
  for (const bucket of Object.keys(BUCKET_POLICIES)) {
    for (const who of Object.keys(PRINCIPALS)) {
      for (const [action, resource] of ATTEMPTS) {
        for (const context of Object.keys(CONTEXTS)) {
          for (const restrictPublic of [false, true]) {
            yield { organization, bucket, who, action, resource, context, restrictPublic };
          }
        }
      }
    }
  }
}
