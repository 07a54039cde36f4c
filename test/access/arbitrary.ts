/** Random policies and requests over few names, so that they meet often. */
import fc from "fast-check";
import { BUCKET } from "#test/access/engine.ts";
import { ACME, OTHER, PRINCIPALS, variable } from "#test/access/fixtures.ts";
import type { Json, NaiveQuestion } from "#test/access/naive-question.ts";

const some = <T>(values: readonly T[], maxLength = 3) =>
  fc.array(fc.constantFrom(...values), { minLength: 1, maxLength });
const oneOrSome = <T>(values: readonly T[]) => fc.oneof(fc.constantFrom(...values), some(values));

const KEYS = ["home//x", "a", "ab", "home/alice/x", "home/bob/y", "a*c", "ä/😀", "x?", "a/b/c"];
const RESOURCE_TAILS = [
  "*",
  "a*",
  "home/*",
  "?",
  "a?",
  "*c",
  "*/*",
  "ä/?",
  "a*b*c",
  "home/alice/x",
];
const VARIABLE_TAILS = [
  `home/${variable("aws:username")}/*`,
  `${variable("aws:username, 'a'")}*`,
  `a${variable("*")}c`,
  `x${variable("?")}`,
  `${variable("cw:PrincipalOrgID")}`,
];
const ACTIONS = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"];
const ACTION_PATTERNS = [...ACTIONS, "s3:*", "*", "s3:Get*", "s3:*Object", "s3:?utObject"];

const CONTEXT_VALUES: Readonly<Record<string, readonly string[]>> = {
  "aws:SourceIp": ["10.1.2.3", "::ffff:10.9.9.9", "203.0.113.7", "2001:db8::1", "fe80::1%eth0", ""],
  "aws:SecureTransport": ["true", "false"],
  "aws:CurrentTime": ["2026-01-01T00:00:00Z", "2030-06-01T10:00:00.500Z"],
  "aws:EpochTime": ["1767225600", "1906538400"],
  "s3:prefix": ["", "home/alice/", "home/", "A"],
  "s3:max-keys": ["0", "10", "1000"],
  "s3:RequestObjectTagKeys": ["a", "b", "c"],
  "s3:ExistingObjectTag/level": ["open", "Secret", "7", "2026-01-01", "10.0.0.1", "True"],
};

const PATTERNS = ["", "*", "home/*", "home/?lice/", "open", "OPEN", "a", "b", "?", "7", "secret"];
const VARIABLE_PATTERNS = [
  `home/${variable("aws:username")}/`,
  `${variable("aws:username,'open'")}`,
  `${variable("*")}`,
  `a${variable("$")}`,
];
const ARNS = [
  `arn:aws:iam::${ACME}:coreweave/alice`,
  `arn:aws:iam::${ACME}:*`,
  "arn:aws:iam::*:coreweave/*",
  "arn:aws:iam::??1cd2:role/*",
  "arn:*:*:*:*:*",
];
const RANGES = [
  "10.0.0.0/8",
  "10.1.2.3",
  "0.0.0.0/0",
  "203.0.113.0/25",
  "2001:db8::/32",
  "::ffff:10.0.0.0/104",
  "::/0",
  "fe80::/10",
];
const MOMENTS = ["2026-01-01", "2026-01-01T00:00:00Z", "1767225600", "2030-06-01T12:00:00+02:00"];
const ORDERS = [
  "Equals",
  "NotEquals",
  "LessThan",
  "LessThanEquals",
  "GreaterThan",
  "GreaterThanEquals",
];
const TAG = "s3:ExistingObjectTag/level";
const GROUPS = [`iam:${ACME}:groups`, `iam:${OTHER}:groups`];

interface Family {
  readonly operators: readonly string[];
  readonly keys: readonly string[];
  readonly values: readonly (string | number | boolean)[];
  readonly variables?: readonly string[];
}

const FAMILIES: readonly Family[] = [
  {
    operators: [
      "Equals",
      "NotEquals",
      "EqualsIgnoreCase",
      "NotEqualsIgnoreCase",
      "Like",
      "NotLike",
    ].map((name) => `String${name}`),
    keys: ["s3:prefix", "S3:Prefix", "s3:RequestObjectTagKeys", TAG, ...GROUPS, "aws:username"],
    values: [...PATTERNS, "alice", "ml", "interns"],
    variables: VARIABLE_PATTERNS,
  },
  {
    operators: ["StringEquals", "StringNotEquals", "StringLike"],
    keys: ["cw:PrincipalOrgID", "aws:PrincipalOrgID"],
    values: [ACME, OTHER, "ab*", "*"],
    variables: [`${variable("aws:PrincipalOrgID")}`],
  },
  {
    operators: ["ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike"],
    keys: ["aws:PrincipalArn", TAG],
    values: ARNS,
    variables: [
      `${variable("aws:PrincipalArn")}:::::`,
      `arn:aws:iam::*:coreweave/${variable("aws:username")}`,
    ],
  },
  {
    operators: ORDERS.map((name) => `Numeric${name}`),
    keys: ["s3:max-keys", TAG],
    values: [0, 10, "10", "7", "-1.5"],
  },
  {
    operators: ORDERS.map((name) => `Date${name}`),
    keys: ["aws:CurrentTime", "aws:EpochTime", TAG],
    values: MOMENTS,
  },
  { operators: ["Bool"], keys: ["aws:SecureTransport", TAG], values: ["true", "FALSE", true] },
  { operators: ["IpAddress", "NotIpAddress"], keys: ["aws:SourceIp", TAG], values: RANGES },
];

const SETS = ["", "ForAnyValue:", "ForAllValues:"];

function condition(variables: boolean): fc.Arbitrary<Json> {
  const compared = FAMILIES.map(({ operators, keys, values, variables: more = [] }) =>
    fc
      .record({
        set: fc.constantFrom(...SETS),
        operator: fc.constantFrom(...operators),
        suffix: fc.constantFrom("", "IfExists"),
        key: fc.constantFrom(...keys),
        wanted: oneOrSome([...values, ...(variables ? more : [])]),
      })
      .map(({ set, operator, suffix, key, wanted }) => ({
        [set + operator + suffix]: { [key]: wanted },
      })),
  );
  const absent = fc
    .record({
      key: fc.constantFrom(...Object.keys(CONTEXT_VALUES), ...GROUPS, "aws:username"),
      wanted: oneOrSome(["true", "false", true]),
    })
    .map(({ key, wanted }) => ({ Null: { [key]: wanted } }));
  return fc
    .array(fc.oneof(...compared, absent), { maxLength: 2 })
    .map((blocks) => Object.assign({}, ...blocks) as Json);
}

/** With probability one half an element, otherwise its opposite, which is rarer in life. */
function either(name: string, values: fc.Arbitrary<unknown>): fc.Arbitrary<Json> {
  return fc
    .tuple(fc.constantFrom(name, name, `Not${name}`), values)
    .map(([element, value]) => ({ [element]: value }));
}

const bucketPrincipal = fc.oneof(
  fc.constant("*"),
  fc.dictionary(
    fc.constantFrom("AWS", "CW"),
    oneOrSome([
      "*",
      `arn:aws:iam::${ACME}:*`,
      `arn:aws:iam::${OTHER}:root`,
      `arn:aws:iam::${ACME}:coreweave/alice`,
      `arn:aws:iam::${ACME}:saml/Reader`,
      "arn:aws:iam::coreweave:static/audit-logs",
      "arn:aws:iam::coreweave:*",
    ]),
    { minKeys: 1, maxKeys: 2 },
  ),
);

function bucketStatement(variables: boolean): fc.Arbitrary<Json> {
  const tails = [...RESOURCE_TAILS, ...(variables ? VARIABLE_TAILS : [])];
  const resources = [
    `arn:aws:s3:::${BUCKET}`,
    "arn:aws:s3:::*",
    "arn:aws:s3:::da*",
    ...tails.map((tail) => `arn:aws:s3:::${BUCKET}/${tail}`),
  ];
  return fc
    .tuple(
      fc.constantFrom("Allow", "Allow", "Deny").map((Effect) => ({ Effect })),
      either("Principal", bucketPrincipal),
      either("Action", oneOrSome(ACTION_PATTERNS)),
      either("Resource", oneOrSome(resources)),
      condition(variables).map((Condition) => ({ Condition })),
    )
    .map((parts) => Object.assign({}, ...parts) as Json);
}

export const bucketPolicy: fc.Arbitrary<Json> = fc
  .constantFrom("2012-10-17", "2008-10-17")
  .chain((Version) =>
    fc
      .array(bucketStatement(Version === "2012-10-17"), { minLength: 1, maxLength: 4 })
      .map((Statement) => ({ Version, Statement })),
  );

const organizationStatement = fc.record({
  effect: fc.constantFrom("Allow", "Allow", "Allow", "Deny"),
  actions: some([...ACTION_PATTERNS, "cwobject:*"]),
  resources: some(["*", "?*", BUCKET, ...RESOURCE_TAILS.map((tail) => `${BUCKET}/${tail}`)]).map(
    // Actions that are on no bucket need it.
    (resources) => [...resources, "*"],
  ),
  principals: some(["*", "*", "coreweave/alice", "coreweave/*", "role/Reader", "role/https://*"]),
  conditions: fc.oneof(fc.constant({}), condition(false)),
});

const bucketOnlyStatement = organizationStatement.map((statement) => ({
  ...statement,
  actions: statement.actions.filter((action) => action !== "cwobject:*").concat("s3:ListBucket"),
  resources: statement.resources.slice(0, -1),
}));

export const organizationPolicies: fc.Arbitrary<readonly Json[]> = fc
  .array(fc.oneof(organizationStatement, bucketOnlyStatement), { minLength: 1, maxLength: 4 })
  .map((statements) =>
    statements.map((statement, index) => ({
      version: "v1alpha1",
      name: `policy ${index}`,
      statements: [{ name: `statement ${index}`, ...statement }],
    })),
  );

const context = fc.record(
  Object.fromEntries(
    Object.entries(CONTEXT_VALUES).map(([key, values]) => [
      key,
      key === "s3:RequestObjectTagKeys"
        ? fc.subarray([...values])
        : fc.constantFrom(...values).map((value) => [value]),
    ]),
  ),
  { requiredKeys: [] },
) as fc.Arbitrary<Record<string, readonly string[]>>;

const attempt = fc.oneof(
  fc
    .tuple(
      fc.constantFrom("s3:GetObject", "s3:PutObject", "s3:DeleteObject"),
      fc.constantFrom(...KEYS),
    )
    .map(([action, key]) => ({ action, resource: `${BUCKET}/${key}` })),
  fc
    .constantFrom("s3:ListBucket", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:CreateBucket")
    .map((action) => ({ action, resource: BUCKET })),
  fc
    .constantFrom("s3:ListAllMyBuckets", "cwobject:CreateAccessKey")
    .map((action) => ({ action, resource: "*" })),
);

const absentOr = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 8 });

export const question: fc.Arbitrary<NaiveQuestion> = fc
  .record({
    principal: fc.constantFrom(...Object.values(PRINCIPALS)),
    attempt,
    context,
    organization: absentOr(organizationPolicies),
    owner: absentOr(organizationPolicies),
    policy: absentOr(bucketPolicy),
    ownerId: fc.constantFrom(ACME, ACME, OTHER),
    restrictPublic: fc.boolean(),
  })
  .map(({ attempt: { action, resource }, owner, policy, ownerId, restrictPublic, ...rest }) => ({
    ...rest,
    action,
    resource,
    bucket: resource === "*" ? undefined : { ownerId, owner, policy, restrictPublic },
  }));
