import assert from "node:assert/strict";
import { test } from "node:test";
import { readBucketPolicy } from "#access/bucket-policy.ts";
import { type BucketAccess, decide, type Question } from "#access/decide.ts";
import { explain } from "#access/explain.ts";
import { readOrganizationPolicy } from "#access/organization-policy.ts";
import { organizationRules } from "#access/organization-rules.ts";
import { ANONYMOUS_PRINCIPAL, type Principal } from "#access/principal.ts";

const ALICE: Principal = {
  kind: "user",
  organizationId: "ab1cd2",
  name: "coreweave/alice",
  groups: [],
};
const EVE: Principal = { ...ALICE, organizationId: "ef3ab4", name: "coreweave/eve" };

const organization = organizationRules([
  policy("readers", { name: "read", actions: ["s3:Get*", "s3:*BucketPolicy"] }),
  policy("guard", { name: 'no "old" data', effect: "Deny", resources: ["data/old/*"] }),
]);

function policy(name: string, statement: object) {
  const whole = {
    effect: "Allow",
    actions: ["s3:*"],
    resources: ["*"],
    principals: ["*"],
    ...statement,
  };
  return readOrganizationPolicy(JSON.stringify({ version: "v1alpha1", name, statements: [whole] }));
}

function bucket(...statements: readonly object[]): BucketAccess {
  const whole = statements.map((each) => ({
    Effect: "Allow",
    Principal: "*",
    Action: "s3:*",
    Resource: ["arn:aws:s3:::data", "arn:aws:s3:::data/*"],
    ...each,
  }));
  const text = JSON.stringify({ Version: "2012-10-17", Statement: whole });
  return {
    ownerId: "ab1cd2",
    owner: organization,
    policy: readBucketPolicy(text, "data"),
    restrictPublic: false,
  };
}

const PLAIN: BucketAccess = {
  ownerId: "ab1cd2",
  owner: organization,
  policy: undefined,
  restrictPublic: false,
};

function question(more: Partial<Question>): Question {
  return {
    principal: ALICE,
    action: "s3:GetObject",
    resource: "data/x",
    lookup: () => undefined,
    organization,
    bucket: PLAIN,
    ...more,
  };
}

const SENTENCES: readonly (readonly [asked: Partial<Question>, sentence: string])[] = [
  [{ organization: undefined }, "denied: the organization has no policy"],
  [{ organization: organizationRules([]) }, "denied: the organization has no policy"],
  [
    { resource: "data/old/x" },
    'denied: an organization policy denies it (policy "guard" statement "no \\"old\\" data")',
  ],
  [{ action: "s3:PutObject" }, "denied: no organization policy allows it"],
  [{}, 'allowed: an organization policy allows it (policy "readers" statement "read")'],
  [
    { bucket: bucket({ Sid: "deny", Effect: "Deny" }) },
    'denied: the bucket policy denies it (its statement "deny")',
  ],
  [
    { bucket: bucket({ Action: "s3:PutObject" }) },
    "denied: the bucket has a policy, which does not allow it",
  ],
  [{ bucket: bucket({}) }, 'allowed: the bucket policy allows it (its statement "Statement[0]")'],
  [
    { bucket: bucket({ Effect: "Deny" }), action: "s3:PutBucketPolicy", resource: "data" },
    'allowed: an organization policy allows it (policy "readers" statement "read")',
  ],
  [{ principal: EVE }, "denied: the bucket has no policy that would let in others than its owner"],
  [
    { principal: EVE, bucket: bucket({ Sid: "all" }) },
    'allowed: the bucket policy allows it (its statement "all")',
  ],
  [
    { principal: EVE, bucket: bucket({}), action: "s3:DeleteBucketPolicy", resource: "data" },
    "denied: only principals of the organization that owns the bucket may do it",
  ],
  [
    { principal: EVE, bucket: { ...bucket({}), restrictPublic: true } },
    "denied: the bucket's public access block keeps strangers out",
  ],
  [
    {
      principal: ANONYMOUS_PRINCIPAL,
      organization: undefined,
      bucket: bucket({}),
      resource: "data/old/x",
    },
    'denied: an organization policy of the bucket\'s owner denies it to everybody (policy "guard" statement "no \\"old\\" data")',
  ],
  [
    { principal: ANONYMOUS_PRINCIPAL, organization: undefined, bucket: undefined },
    "denied: no organization policy allows it",
  ],
];

for (const [asked, sentence] of SENTENCES) {
  test(`a decision tells its reason: ${sentence}`, () => {
    assert.equal(explain(decide(question(asked))), sentence);
  });
}

test("RestrictPublicBuckets leaves the owner's own principals in, and strangers when the policy is not public", () => {
  const open = { ...bucket({}), restrictPublic: true };
  const narrow = {
    ...bucket(
      { Principal: { AWS: "arn:aws:iam::ef3ab4:*" } },
      { Principal: { AWS: "arn:aws:iam::ab1cd2:*" } },
    ),
    restrictPublic: true,
  };

  assert.ok(decide(question({ bucket: open })).allowed);
  assert.ok(decide(question({ principal: EVE, bucket: narrow })).allowed);
});

test("an Allow of the owner's organization is none for a stranger of the same name", () => {
  const owner = organizationRules([
    policy("own", { name: "alice", principals: ["coreweave/alice"] }),
  ]);
  const namesake = { ...ALICE, organizationId: "ef3ab4" };
  const asked = question({
    principal: namesake,
    organization: undefined,
    bucket: { ...bucket({}), owner },
  });

  assert.equal(decide(asked).allowed, false);
});

test("a Deny of the owner's organization by name is none for a stranger of the same name", () => {
  const owner = organizationRules([
    policy("own", { name: "alice", effect: "Deny", principals: ["coreweave/alice"] }),
  ]);
  const namesake = { ...ALICE, organizationId: "ef3ab4" };

  assert.ok(decide(question({ principal: namesake, bucket: { ...bucket({}), owner } })).allowed);
});

test("services are not of the organization that their names begin with", () => {
  const audit: Principal = {
    kind: "service",
    organizationId: "coreweave",
    name: "static/audit-logs",
    groups: [],
  };
  const access = bucket({ Principal: { AWS: "arn:aws:iam::coreweave:*" } });

  assert.equal(decide(question({ principal: audit, bucket: access })).allowed, false);
});

test("a pattern of buckets is not everything: what is on no bucket needs a plain star", () => {
  const wild = organizationRules([policy("wild", { name: "wild", resources: ["?*"] })]);
  const asked = { organization: wild, bucket: undefined };

  assert.ok(decide(question({ ...asked, action: "s3:CreateBucket", resource: "data" })).allowed);
  const listing = question({ ...asked, action: "s3:ListAllMyBuckets", resource: "*" });
  assert.equal(decide(listing).allowed, false);
});

test("nobody of an organization that is called as a service is taken for the service", () => {
  const access = bucket({ Principal: { AWS: "arn:aws:iam::static:role/static/inventory" } });
  const inventory = { organizationId: "static", name: "role/static/inventory", groups: [] };
  const allows = (kind: Principal["kind"]) =>
    decide(question({ principal: { kind, ...inventory }, bucket: access })).allowed;

  assert.equal(allows("service"), true);
  assert.equal(allows("role"), false);
});

test("an action that no policy could name is decided by wildcards", () => {
  const open = organizationRules([policy("all", { name: "all" })]);

  assert.ok(decide(question({ action: "s3:SomethingNew", organization: open })).allowed);
  assert.equal(decide(question({ action: "s3:SomethingNew" })).allowed, false);
});

test("nothing is looked up of a request that no condition asks about", () => {
  const lookup = (key: string) => assert.fail(key);
  const narrowed = bucket(
    {},
    {
      Effect: "Deny",
      Resource: "arn:aws:s3:::data/y",
      Condition: { Bool: { "aws:SecureTransport": "false" } },
    },
  );

  assert.ok(decide(question({ lookup, bucket: narrowed })).allowed);
});

test("the tags of an object are asked for only by actions that a condition on them is about", () => {
  const tagged = bucket({
    Action: "s3:GetObject",
    Resource: "arn:aws:s3:::data/*",
    Condition: { StringEquals: { "s3:existingobjecttag/Level": "open" } },
  });
  const asked: string[] = [];
  const lookup = (key: string) => {
    asked.push(key);
    return ["open"];
  };

  assert.equal(tagged.policy?.rules.asksForObjectTags("s3:GetObject"), true);
  assert.equal(tagged.policy?.rules.asksForObjectTags("s3:PutObject"), false);
  assert.equal(organization.asksForObjectTags("s3:GetObject"), false);
  assert.ok(decide(question({ bucket: tagged, lookup })).allowed);
  assert.deepEqual(asked, ["s3:ExistingObjectTag/Level"]);
});
