import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused, s3Document } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

const PATH = "/bucket?policyStatus";
const policy = (condition: object) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: {
      Effect: "Allow",
      Principal: "*",
      Action: "s3:*",
      Resource: ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"],
      Condition: condition,
    },
  });

test("GetBucketPolicyStatus refuses a bucket without a policy with NoSuchBucketPolicy", async (t) => {
  const s3 = await startServer(t);

  assertRefused(await s3.get(PATH), 404, "NoSuchBucketPolicy");
});

test("GetBucketPolicyStatus tells whether the policy lets in people whom it does not name", async (t) => {
  const s3 = await startServer(t);
  const own = { StringEquals: { "cw:PrincipalOrgID": s3.organizationId } };

  for (const [condition, isPublic] of [
    [{}, true],
    [own, false],
  ] as const) {
    await s3.put("/bucket?policy", policy(condition));

    const reply = await s3.get(PATH);

    assert.equal(reply.status, 200);
    assert.equal(reply.text, s3Document("PolicyStatus", `<IsPublic>${isPublic}</IsPublic>`));
  }
});
