import assert from "node:assert/strict";
import { test } from "node:test";
import { readOrganizationPolicy } from "#access/organization-policy.ts";

const STATEMENT = {
  name: "s",
  effect: "Allow",
  actions: ["s3:*"],
  resources: ["*"],
  principals: ["*"],
};

const policy = (more: object = {}) =>
  JSON.stringify({ version: "v1alpha1", name: "p", statements: [STATEMENT], ...more });
const statement = (more: object) => policy({ statements: [{ ...STATEMENT, ...more }] });
const condition = (conditions: unknown) => statement({ conditions });
const variable = `$\{aws:username}`;

const TAKEN: Readonly<Record<string, string>> = {
  "a policy": policy(),
  "one in an envelope": `{"policy": ${policy()}}`,
  "one that calls its statements Statement": policy({
    statements: undefined,
    Statement: [STATEMENT],
  }),
  "global actions on everything": statement({
    actions: ["cwobject:*", "s3:ListAllMyBuckets", "*"],
  }),
  "wildcards in actions and resources": statement({
    actions: ["s3:Get*", "s3:*Object", "s3:Put?ucketPolicy"],
    resources: ["team-*", "team-?/data/*", "my-bucket"],
  }),
  "every kind of principal": statement({
    principals: ["coreweave/abc123", "role/Admin", "role/https://issuer.example.com:repo:a/b:*"],
  }),
  "a condition": condition({ StringEquals: { "cw:PrincipalOrgID": ["ab1cd2"] } }),
  "an empty condition": condition({}),
  "500 resources": statement({ resources: Array.from({ length: 500 }, (_, index) => `b${index}`) }),
};

for (const [what, text] of Object.entries(TAKEN)) {
  test(`an organization policy is taken: ${what}`, () => {
    const { name, statements } = readOrganizationPolicy(text);

    assert.equal(name, "p");
    assert.equal(statements.length, 1);
  });
}

const AT = "statements[0]";
const INVALID = "Policy has invalid action";
const REFUSED: readonly (readonly [what: string, text: string, message: string])[] = [
  ["nothing", "", "Policies must be valid JSON and the first byte must be '{'"],
  ["a list", "[]", "Policies must be valid JSON and the first byte must be '{'"],
  [
    "broken JSON",
    "{",
    "This policy contains invalid Json: Expected property name or '}' in JSON at position 1 (line 1 column 2)",
  ],
  ["an empty object", "{}", "Missing required field version."],
  ["another version", policy({ version: "2012-10-17" }), 'version: must be "v1alpha1".'],
  ["no name", policy({ name: undefined }), "Missing required field name."],
  ["an empty name", policy({ name: "" }), "name: must not be empty."],
  ["a number for a name", policy({ name: 5 }), 'name: must be a text "…", not 5.'],
  ["a name with a slash", policy({ name: "a/b" }), 'name: "a/b" must not have a slash.'],
  [
    "a name with a control character",
    policy({ name: "a\n" }),
    'name: "a\\n" is no name. Use 1 to 128 visible characters.',
  ],
  ["no statements", policy({ statements: undefined }), "Missing required field statements."],
  ["an empty list", policy({ statements: [] }), "statements: must have at least one element."],
  [
    "an object of statements",
    policy({ statements: {} }),
    "statements: must be a list […], not an object.",
  ],
  [
    "201 statements",
    policy({ statements: Array(201).fill(STATEMENT) }),
    "statements: has 201 elements, of which there may be 200.",
  ],
  [
    "statements under both names",
    policy({ Statement: [STATEMENT] }),
    "Statement: is statements again. Leave one of the two out.",
  ],
  [
    "two statements of one name",
    policy({ statements: [STATEMENT, STATEMENT] }),
    'statements[1].name: "s" is the name of another statement too.',
  ],
  ["an unknown field", policy({ extra: 1 }), "extra: is no field of a policy."],
  [
    "a field in capitals",
    policy({ Version: 1 }),
    'Version: is no field of a policy. Did you mean "version"?',
  ],
  [
    "an unknown field of a statement",
    statement({ action: ["s3:*"] }),
    `${AT}.action: is no field of this object. Did you mean "actions"?`,
  ],
  ["a field beside the envelope", `{"policy": ${policy()}, "x": 1}`, "x: is no field of a policy."],
  [
    "a field that is written twice",
    '{"version": "v1alpha1", "statements": [{"effect": "Deny", "effect": "Allow"}]}',
    `${AT}.effect: is written twice. Leave one of the two out.`,
  ],
  [
    "a field that is written twice in two spellings",
    '{"version": "v1alpha1", "versio\\u006e": "v1alpha1"}',
    "version: is written twice. Leave one of the two out.",
  ],
  [
    "an effect in small letters",
    statement({ effect: "allow" }),
    `${AT}.effect: Invalid effect: "allow". Write "Allow" or "Deny".`,
  ],
  ["no actions", statement({ actions: [] }), `${AT}.actions: must have at least one element.`],
  [
    "a text for a list",
    statement({ actions: "s3:*" }),
    `${AT}.actions: must be a list […], not the text "s3:*".`,
  ],
  [
    "an action in the wrong case",
    statement({ actions: ["s3:*", "s3:getObject"] }),
    `${AT}.actions[1]: ${INVALID}: "s3:getObject" is no action. Did you mean "s3:GetObject"?`,
  ],
  [
    "a misspelled action",
    statement({ actions: ["cwobject:CreateAcessKey"] }),
    `${AT}.actions[0]: ${INVALID}: "cwobject:CreateAcessKey" is no action. Did you mean "cwobject:CreateAccessKey"?`,
  ],
  [
    "a pattern of no action",
    statement({ actions: ["s3:Fetch*"] }),
    `${AT}.actions[0]: ${INVALID}: "s3:Fetch*" is no action.`,
  ],
  [
    "another service's action",
    statement({ actions: ["ec2:RunInstances"] }),
    `${AT}.actions[0]: ${INVALID}: "ec2:RunInstances" is an action of another service. Actions begin with s3: or cwobject:`,
  ],
  [
    "an operation for an action",
    statement({ actions: ["s3:HeadObject"] }),
    `${AT}.actions[0]: ${INVALID}: "s3:HeadObject" is an operation, which asks for "s3:GetObject". Write that.`,
  ],
  [
    "an operation that asks for two actions",
    statement({ actions: ["s3:RenameObject"] }),
    `${AT}.actions[0]: ${INVALID}: "s3:RenameObject" is an operation, which asks for "s3:DeleteObject" on the source and "s3:PutObject". Write that.`,
  ],
  [
    "a control action on a bucket",
    statement({ actions: ["s3:*", "cwobject:*"], resources: ["my-bucket"] }),
    `${AT}.resources: "cwobject:*" is on no bucket, so its resources must be ["*"]. Write that, in a statement of its own.`,
  ],
  [
    "s3:ListAllMyBuckets on a bucket",
    statement({ actions: ["s3:ListAllMyBuckets"], resources: ["my-bucket", "my-bucket/*"] }),
    `${AT}.resources: "s3:ListAllMyBuckets" is on no bucket, so its resources must be ["*"]. Write that, in a statement of its own.`,
  ],
  [
    "an ARN for a resource",
    statement({ resources: ["*", "arn:aws:s3:::my-bucket/*"] }),
    `${AT}.resources[1]: "arn:aws:s3:::my-bucket/*" is an ARN. Write "my-bucket/*".`,
  ],
  [
    "a bucket in capitals",
    statement({ resources: ["My-Bucket"] }),
    `${AT}.resources[0]: "My-Bucket" is no resource. Write "*", "my-bucket", or "my-bucket/*" for its objects; buckets are lower case.`,
  ],
  [
    "a policy variable",
    statement({ resources: [`b/${variable}/*`] }),
    `${AT}.resources[0]: "b/${variable}/*" has a policy variable. Organization policies have none: write the value, or use a bucket policy of version 2012-10-17.`,
  ],
  [
    "a resource of 2,049 characters",
    statement({ resources: ["b".repeat(2_049)] }),
    `${AT}.resources[0]: is longer than 2048 characters.`,
  ],
  [
    "501 principals",
    statement({ principals: Array(501).fill("*") }),
    `${AT}.principals: has 501 elements, of which there may be 500.`,
  ],
  [
    "a full ARN of a principal",
    statement({ principals: ["arn:aws:iam::ab1cd2:coreweave/abc"] }),
    `${AT}.principals[0]: "arn:aws:iam::ab1cd2:coreweave/abc" is a full ARN. Write "coreweave/abc".`,
  ],
  [
    "a full ARN of a SAML role",
    statement({ principals: ["arn:aws:iam::ab1cd2:saml/Admin"] }),
    `${AT}.principals[0]: "arn:aws:iam::ab1cd2:saml/Admin" is a full ARN. Write "role/Admin".`,
  ],
  [
    "a bare name",
    statement({ principals: ["alice"] }),
    `${AT}.principals[0]: "alice" is no principal. Write "*", "coreweave/<user>", "role/<role>" or "role/<issuer>:<sub>".`,
  ],
  [
    "a group",
    statement({ principals: ["groups/ml"] }),
    `${AT}.principals[0]: "groups/ml" is no principal. Write "*", "coreweave/<user>", "role/<role>" or "role/<issuer>:<sub>". For a group use the condition iam:<id>:groups.`,
  ],
  ["a list of conditions", condition([]), `${AT}.conditions: must be an object {…}, not a list.`],
  [
    "an unknown operator",
    condition({ StringEqual: { "s3:prefix": "a" } }),
    `${AT}.conditions.StringEqual: Invalid Condition type : "StringEqual" is no operator. Did you mean "StringEquals"?`,
  ],
  [
    "an operator in small letters",
    condition({ "forAnyValue:StringEquals": { "s3:prefix": "a" } }),
    `${AT}.conditions.forAnyValue:StringEquals: Invalid Condition type : "forAnyValue:StringEquals" is no operator.`,
  ],
  [
    "BinaryEquals",
    condition({ BinaryEquals: { "s3:prefix": "a" } }),
    `${AT}.conditions.BinaryEquals: Invalid Condition type : "BinaryEquals" is no operator.`,
  ],
  [
    "Null with IfExists",
    condition({ NullIfExists: { "s3:prefix": "true" } }),
    `${AT}.conditions.NullIfExists: Invalid Condition type : Null takes neither a prefix nor IfExists. Write "Null".`,
  ],
  [
    "an operator without keys",
    condition({ StringEquals: {} }),
    `${AT}.conditions.StringEquals: must have at least one key.`,
  ],
  [
    "an unknown key",
    condition({ StringEquals: { "cw:PrincipalOrg": "a" } }),
    `${AT}.conditions.StringEquals.cw:PrincipalOrg: Policy has an invalid condition key: "cw:PrincipalOrg" is not known. Did you mean "cw:PrincipalOrgID"?`,
  ],
  [
    "a placeholder in a key",
    condition({ StringEquals: { "iam:[ORG-ID]:groups": "a" } }),
    `${AT}.conditions.StringEquals."iam:[ORG-ID]:groups": Policy has an invalid condition key: "iam:[ORG-ID]:groups" is not known. Write iam:<organization id>:groups, as iam:ab1cd2:groups.`,
  ],
  [
    "one key in two spellings",
    condition({ StringEquals: { "s3:prefix": "a", "S3:Prefix": "b" } }),
    `${AT}.conditions.StringEquals.S3:Prefix: is s3:prefix again. Join the two lists.`,
  ],
  [
    "an operator that cannot be asked of the key",
    condition({ NumericEquals: { "aws:SourceIp": "1" } }),
    `${AT}.conditions.NumericEquals.aws:SourceIp: NumericEquals cannot be asked of aws:SourceIp, whose values are of another kind (address).`,
  ],
  [
    "no values",
    condition({ StringEquals: { "s3:prefix": [] } }),
    `${AT}.conditions.StringEquals.s3:prefix: must have at least one element.`,
  ],
  [
    "an object for a value",
    condition({ StringEquals: { "s3:prefix": ["a", {}] } }),
    `${AT}.conditions.StringEquals.s3:prefix[1]: must be a text, a number, true or false.`,
  ],
  [
    "a text for a number",
    condition({ NumericEquals: { "s3:max-keys": "ten" } }),
    `${AT}.conditions.NumericEquals.s3:max-keys: "ten" is not a number.`,
  ],
  [
    "a year for a date",
    condition({ DateLessThan: { "aws:CurrentTime": "2030" } }),
    `${AT}.conditions.DateLessThan.aws:CurrentTime: "2030" is not seconds since 1970 or a date as 2030-01-31T00:00:00Z.`,
  ],
  [
    "yes for true",
    condition({ Bool: { "aws:SecureTransport": "yes" } }),
    `${AT}.conditions.Bool.aws:SecureTransport: "yes" is neither "true" nor "false".`,
  ],
  [
    "yes for true of Null",
    condition({ Null: { "s3:prefix": "yes" } }),
    `${AT}.conditions.Null.s3:prefix: "yes" is neither "true" nor "false".`,
  ],
  [
    "a range that is none",
    condition({ IpAddress: { "aws:SourceIp": ["10.0.0.0/33"] } }),
    `${AT}.conditions.IpAddress.aws:SourceIp[0]: Invalid IP address in Conditions: "10.0.0.0/33". Write an address or a range, as 203.0.113.0/24 or 2001:db8::/32.`,
  ],
  [
    "an ARN that is none",
    condition({ ArnLike: { "aws:PrincipalArn": "*" } }),
    `${AT}.conditions.ArnLike.aws:PrincipalArn: "*" is no ARN. Write all six parts, as arn:aws:iam::ab1cd2:*.`,
  ],
  [
    "a policy variable in a condition",
    condition({ StringEquals: { "s3:prefix": variable } }),
    `${AT}.conditions.StringEquals.s3:prefix: "${variable}" has a policy variable. Organization policies have none: write the value, or use a bucket policy of version 2012-10-17.`,
  ],
  [
    "lists in lists in lists",
    `{"a": ${"[".repeat(9_000)}${"]".repeat(9_000)}}`,
    "The policy is nested more than 16 levels deep.",
  ],
  [
    "64 KiB and more",
    statement({ resources: Array(40).fill("b".repeat(2_000)) }),
    "Policy exceeds the maximum allowed document size of 65536 bytes. Join statements, or use wildcards.",
  ],
];

for (const [what, text, message] of REFUSED) {
  test(`an organization policy is refused where it stands: ${what}`, () => {
    assert.throws(() => readOrganizationPolicy(text), { name: "PolicyError", message });
  });
}
