import assert from "node:assert/strict";
import { test } from "node:test";
import { readBucketPolicy, readNewBucketPolicy } from "#access/bucket-policy.ts";

const STATEMENT = {
  Effect: "Allow",
  Principal: "*",
  Action: "s3:GetObject",
  Resource: "arn:aws:s3:::data/*",
};

const policy = (more: object = {}) =>
  JSON.stringify({ Version: "2012-10-17", Statement: [STATEMENT], ...more });
const statement = (more: object) => policy({ Statement: [{ ...STATEMENT, ...more }] });
const principal = (value: unknown) => statement({ Principal: value });
const resource = (value: unknown) => statement({ Resource: value });
const spoken = (variable: string) => `$\{${variable}}`;

const TAKEN: Readonly<Record<string, string>> = {
  "a list of statements": policy(),
  "one statement without a list": policy({ Statement: STATEMENT }),
  "the older version": policy({ Version: "2008-10-17" }),
  "an Id": policy({ Id: "policy 1" }),
  "a Sid with hyphens": statement({ Sid: "allow-all" }),
  "two empty Sids": policy({ Statement: Array(2).fill({ ...STATEMENT, Sid: "" }) }),
  "AWS and CW together": principal({
    AWS: ["arn:aws:iam::ab1cd2:saml/group", "arn:aws:iam::ab1cd2:root"],
    CW: "arn:aws:iam::ab1cd2:coreweave/abc",
  }),
  services: principal({
    AWS: ["arn:aws:iam::coreweave:static/audit-logs", "arn:aws:iam::static:role/static/inventory"],
  }),
  "an OIDC role": principal({ CW: "arn:aws:iam::ab1cd2:role/https://issuer.example.com:repo:a/b" }),
  "all buckets as the resource": resource("arn:aws:s3:::*"),
  "a pattern of buckets as the resource": statement({
    Action: "s3:ListBucket",
    Resource: "arn:aws:s3:::da*",
  }),
  "actions in any case": statement({ Action: ["S3:getobject", "s3:put*"] }),
  "every action": statement({ Action: "*" }),
  "the opposites": policy({
    Statement: {
      Effect: "Deny",
      NotPrincipal: { AWS: "arn:aws:iam::ab1cd2:*" },
      NotAction: ["s3:GetObject"],
      NotResource: ["arn:aws:s3:::data"],
    },
  }),
  "policy variables": resource(`arn:aws:s3:::data/${spoken("aws:username")}/*`),
  "a dollar sign": resource("arn:aws:s3:::data/$*"),
  "white space beyond 20 KB": policy().replaceAll(",", `,${" ".repeat(6_000)}`),
};

for (const [what, text] of Object.entries(TAKEN)) {
  test(`a bucket policy is taken: ${what}`, () => {
    assert.ok(!readNewBucketPolicy(text, "data").rules.isEmpty);
  });
}

const AT = "Statement[0]";
const PRINCIPAL = "Invalid principal in policy";
const ACTION = "Policy has invalid action";
const RESOURCE = "Policy has invalid resource";
const NOWHERE = "Action does not apply to any resource(s) in statement";
const OWN = 'Write "arn:aws:s3:::data" for the bucket and "arn:aws:s3:::data/*" for its objects.';
const ARNS =
  'Write "*", "arn:aws:iam::<organization>:*" or "arn:aws:iam::<organization>:coreweave/<user>".';

const REFUSED: readonly (readonly [what: string, text: string, message: string])[] = [
  ["nothing", "", "Policies must be valid JSON and the first byte must be '{'"],
  [
    "white space first",
    ` ${policy()}`,
    "Policies must be valid JSON and the first byte must be '{'",
  ],
  [
    "no version",
    policy({ Version: undefined }),
    'The policy must contain a valid version string. Write "2012-10-17".',
  ],
  [
    "another version",
    policy({ Version: "2012-10-18" }),
    'Version: The policy must contain a valid version string. Write "2012-10-17".',
  ],
  ["no statement", policy({ Statement: undefined }), "Missing required field Statement."],
  ["an empty list", policy({ Statement: [] }), "Statement: must have at least one element."],
  [
    "a text for a statement",
    policy({ Statement: "x" }),
    'Statement: must be an object {…}, not the text "x".',
  ],
  [
    "an organization policy",
    '{"policy": {"version": "v1alpha1", "name": "p", "statements": []}}',
    'This is an organization policy. Put it with the control API, or write it as {"Version": "2012-10-17", "Statement": […]}.',
  ],
  [
    "an unknown element",
    policy({ Statements: [] }),
    'Statements: is no field of a policy. Did you mean "Statement"?',
  ],
  [
    "an unknown element of a statement",
    statement({ Conditions: {} }),
    `${AT}.Conditions: is no field of this object. Did you mean "Condition"?`,
  ],
  [
    "an element that is written twice",
    '{"Version": "2012-10-17", "Statement": [{}, {"Principal": {"AWS": "a", "AWS": "*"}}]}',
    "Statement[1].Principal.AWS: is written twice. Leave one of the two out.",
  ],
  [
    "two statements of one Sid",
    policy({ Statement: Array(2).fill({ ...STATEMENT, Sid: "x" }) }),
    'Statement[1].Sid: "x" is the Sid of another statement too.',
  ],
  [
    "half a character",
    String.raw`{"Version": "2012-10-17", "Statement": {"Sid": "\ud83d"}}`,
    'Statement.Sid: "\\ud83d" has half of a character.',
  ],
  [
    "what is not UTF-8",
    policy({ Id: Buffer.of(0xff).toString() }),
    "The policy must be UTF-8. Write a replacement character as \\ufffd.",
  ],
  ["no effect", statement({ Effect: undefined }), `${AT}: Missing required field Effect.`],
  [
    "an effect in capitals",
    statement({ Effect: "ALLOW" }),
    `${AT}.Effect: Invalid effect: "ALLOW". Write "Allow" or "Deny".`,
  ],
  ["no principal", principal(undefined), `${AT}: Missing required field Principal.`],
  [
    "both Principal and NotPrincipal",
    statement({ NotPrincipal: "*" }),
    `${AT}.NotPrincipal: stands beside Principal. Leave one of the two out.`,
  ],
  [
    "a bare name",
    principal("alice"),
    `${AT}.Principal: ${PRINCIPAL}: "alice". Write "*", or {"AWS": …} around it.`,
  ],
  ["nobody", principal({}), `${AT}.Principal: ${PRINCIPAL}: it names nobody.`],
  [
    "an empty list of principals",
    principal({ CW: [] }),
    `${AT}.Principal.CW: must have at least one element.`,
  ],
  [
    "a kind of principal that is not there",
    principal({ Service: "logs.example.com" }),
    `${AT}.Principal.Service: ${PRINCIPAL}: "Service" is no kind. Write "AWS" or "CW".`,
  ],
  [
    "an account's number",
    principal({ AWS: ["*", "123456789012"] }),
    `${AT}.Principal.AWS[1]: ${PRINCIPAL}: "123456789012" is no ARN of a principal. ${ARNS}`,
  ],
  [
    "a user as AWS names them",
    principal({ AWS: "arn:aws:iam::123456789012:user/bob" }),
    `${AT}.Principal.AWS: ${PRINCIPAL}: "user/bob" is no name. A user is coreweave/<user>, a role role/<role>.`,
  ],
  [
    "a part of a name",
    principal({ AWS: "arn:aws:iam::ab1cd2:role/ci-*" }),
    `${AT}.Principal.AWS: ${PRINCIPAL}: "role/ci-*" is no name. For a part of a name use the condition ArnLike on aws:PrincipalArn.`,
  ],
  ["no action", statement({ Action: undefined }), `${AT}: Missing required field Action.`],
  [
    "no action in a list",
    statement({ Action: [] }),
    `${AT}.Action: must have at least one element.`,
  ],
  [
    "a misspelled action",
    statement({ Action: ["s3:GetObject", "s3:PutObjcet"] }),
    `${AT}.Action[1]: ${ACTION}: "s3:PutObjcet" is no action. Did you mean "s3:PutObject"?`,
  ],
  [
    "an action of the control API",
    statement({ Action: "cwobject:CreateAccessKey" }),
    `${AT}.Action: ${ACTION}: "cwobject:CreateAccessKey" is an action of another service. Actions begin with s3:`,
  ],
  [
    "both Action and NotAction",
    statement({ NotAction: "s3:GetObject" }),
    `${AT}.NotAction: stands beside Action. Leave one of the two out.`,
  ],
  [
    "an unknown action in NotAction",
    statement({ Action: undefined, NotAction: "s3:GetObjects" }),
    `${AT}.NotAction: ${ACTION}: "s3:GetObjects" is no action. Did you mean "s3:GetObject"?`,
  ],
  [
    "an action on the bucket for objects",
    statement({ Action: ["s3:GetObject", "s3:ListBucket"] }),
    `${AT}.Action[1]: ${NOWHERE}: "s3:ListBucket" is on the bucket. Add "arn:aws:s3:::<bucket>" to Resource.`,
  ],
  [
    "an action on objects for the bucket",
    resource("arn:aws:s3:::data"),
    `${AT}.Action: ${NOWHERE}: "s3:GetObject" is on objects. Add "arn:aws:s3:::<bucket>/*" to Resource.`,
  ],
  [
    "an action on no bucket",
    statement({ Action: "s3:ListAllMyBuckets", Resource: "arn:aws:s3:::*" }),
    `${AT}.Action: ${NOWHERE}: "s3:ListAllMyBuckets" is on no bucket: organization policies alone decide it.`,
  ],
  ["no resource", resource(undefined), `${AT}: Missing required field Resource.`],
  ["a bare star", resource("*"), `${AT}.Resource: ${RESOURCE}: "*" is no ARN of S3. ${OWN}`],
  [
    "a resource in short form",
    resource("data/*"),
    `${AT}.Resource: ${RESOURCE}: "data/*" is no ARN of S3. ${OWN}`,
  ],
  [
    "another bucket",
    resource(["arn:aws:s3:::data/*", "arn:aws:s3:::database/*"]),
    `${AT}.Resource[1]: ${RESOURCE}: "arn:aws:s3:::database/*" is not in this bucket. ${OWN}`,
  ],
  [
    "another bucket in NotResource",
    statement({ Resource: undefined, NotResource: "arn:aws:s3:::other" }),
    `${AT}.NotResource: ${RESOURCE}: "arn:aws:s3:::other" is not in this bucket. ${OWN}`,
  ],
  [
    "a variable that is not known",
    resource(`arn:aws:s3:::data/${spoken("aws:usrname")}`),
    `${AT}.Resource: "${spoken("aws:usrname")}" is no policy variable known here. Did you mean "aws:username"?`,
  ],
  [
    "a variable without an end",
    resource("arn:aws:s3:::data/${aws:username"),
    `${AT}.Resource: "data/\${aws:username" has a policy variable without an end. Close it with }, or write ${spoken("$")} for a dollar sign.`,
  ],
  [
    "a variable in the older version",
    policy({
      Version: "2008-10-17",
      Statement: { ...STATEMENT, Resource: `arn:aws:s3:::data/${spoken("*")}` },
    }),
    `Statement.Resource: "data/${spoken("*")}" has a policy variable. Version 2008-10-17 has none: write the value, or the version 2012-10-17.`,
  ],
  [
    "a key of AWS that there is not here",
    statement({ Condition: { StringEquals: { "aws:PrincipalTag/team": "ml" } } }),
    `${AT}.Condition.StringEquals.aws:PrincipalTag/team: Policy has an invalid condition key: "aws:PrincipalTag/team" is not known.`,
  ],
  [
    "lists in lists in lists",
    `{"a": ${"[".repeat(9_000)}${"]".repeat(9_000)}}`,
    "The policy is nested more than 16 levels deep.",
  ],
  [
    "20 KB and more",
    resource(
      Array.from({ length: 600 }, (_, index) => `arn:aws:s3:::data/some/longer/prefix/${index}`),
    ),
    "Policy exceeds the maximum allowed document size of 20480 bytes. Join statements, or use wildcards.",
  ],
  [
    "80 KB with its white space",
    `{${" ".repeat(81_920)}}`,
    "Policy exceeds the maximum allowed document size of 20480 bytes. Join statements, or use wildcards.",
  ],
];

for (const [what, text, message] of REFUSED) {
  test(`a bucket policy is refused where it stands: ${what}`, () => {
    assert.throws(() => readBucketPolicy(text, "data"), { name: "PolicyError", message });
  });
}

test("a new bucket policy allows nothing to all but some; one that is stored does", () => {
  const named = { Principal: undefined, NotPrincipal: { AWS: "arn:aws:iam::ab1cd2:*" } };
  const allowed = statement(named);

  assert.throws(() => readNewBucketPolicy(allowed, "data"), {
    name: "PolicyError",
    message: /^Statement\[0\]\.NotPrincipal: Allow with NotPrincipal is not allowed/,
  });
  assert.ok(!readBucketPolicy(allowed, "data").rules.isEmpty);
  readNewBucketPolicy(statement({ ...named, Effect: "Deny" }), "data");
});

const OF_ACME = { StringEquals: { "cw:PrincipalOrgID": "ab1cd2" } };

const PUBLIC: readonly (readonly [what: string, text: string, expected: boolean])[] = [
  ["everybody", policy(), true],
  ["everybody, in a list", principal({ AWS: ["arn:aws:iam::ab1cd2:*", "*"] }), true],
  ["one organization", principal({ AWS: "arn:aws:iam::ab1cd2:*" }), false],
  [
    "all but one",
    statement({ Principal: undefined, NotPrincipal: { AWS: "arn:aws:iam::ab1cd2:*" } }),
    true,
  ],
  ["everybody denied", statement({ Effect: "Deny" }), false],
  ["everybody of an organization", statement({ Condition: OF_ACME }), false],
  [
    "everybody of organizations that begin alike",
    statement({ Condition: { StringLike: { "cw:PrincipalOrgID": "ab*" } } }),
    true,
  ],
  [
    "everybody who has no other organization",
    statement({ Condition: { StringEqualsIfExists: { "cw:PrincipalOrgID": "ab1cd2" } } }),
    true,
  ],
  [
    "everybody all of whose organizations are one",
    statement({ Condition: { "ForAllValues:StringEquals": { "cw:PrincipalOrgID": "ab1cd2" } } }),
    true,
  ],
  [
    "everybody but an organization",
    statement({ Condition: { StringNotEquals: { "cw:PrincipalOrgID": "ab1cd2" } } }),
    true,
  ],
  [
    "a group",
    statement({ Condition: { "ForAnyValue:StringEquals": { "iam:ab1cd2:groups": ["ml"] } } }),
    false,
  ],
  [
    "a network",
    statement({ Condition: { IpAddress: { "aws:SourceIp": "203.0.113.0/24" } } }),
    false,
  ],
  [
    "a network and the internet",
    statement({ Condition: { IpAddress: { "aws:SourceIp": ["203.0.113.0/24", "0.0.0.0/0"] } } }),
    true,
  ],
  [
    "whoever sends a header",
    statement({ Condition: { StringEquals: { "aws:Referer": "me" } } }),
    true,
  ],
  [
    "a user's name in any organization",
    statement({ Condition: { StringEquals: { "aws:username": "a" } } }),
    true,
  ],
  [
    "one of two statements",
    policy({ Statement: [{ ...STATEMENT, Condition: OF_ACME }, STATEMENT] }),
    true,
  ],
];

for (const [what, text, expected] of PUBLIC) {
  test(`a policy for ${what} is ${expected ? "" : "not "}public`, () => {
    assert.equal(readBucketPolicy(text, "data").isPublic, expected);
  });
}
