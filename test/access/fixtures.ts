/** Organizations, policies, principals and requests that the decision table is made of. */
import type { Json, NaivePrincipal } from "#test/access/naive-question.ts";

/** The organization that owns the bucket `data`, and another. */
export const ACME = "ab1cd2";
export const OTHER = "ef3ab4";

/** A policy variable, as `variable("aws:username")`. */
export const variable = (inner: string) => `$\{${inner}}`;

const everything = { actions: ["s3:*", "cwobject:*"], resources: ["*"], principals: ["*"] };
const allow = (name: string, more: Json = {}) => ({
  name,
  effect: "Allow",
  ...everything,
  ...more,
});
const deny = (name: string, more: Json) => ({ name, effect: "Deny", ...everything, ...more });
const organization = (name: string, ...statements: readonly Json[]) => ({
  version: "v1alpha1",
  name,
  statements,
});

/** Each is all policies of one organization. */
export const ORGANIZATIONS: Readonly<Record<string, readonly Json[] | undefined>> = {
  none: undefined,
  empty: [],
  all: [organization("all", allow("everything"))],
  readers: [
    organization(
      "readers",
      allow("alice and readers read", {
        actions: ["s3:Get*", "s3:ListBucket"],
        resources: ["data", "data/*"],
        principals: ["coreweave/alice", "role/Reader"],
      }),
    ),
  ],
  "all but deletes": [
    organization("all", allow("everything")),
    organization(
      "keep",
      deny("nobody deletes what is kept", {
        actions: ["s3:Delete*"],
        resources: ["data/keep/*"],
      }),
    ),
  ],
  "office hours": [
    organization(
      "office",
      allow("everything"),
      deny("from outside", { conditions: { NotIpAddress: { "aws:SourceIp": "10.0.0.0/8" } } }),
    ),
  ],
  ci: [
    organization(
      "ci",
      allow("repositories of acme", {
        actions: ["s3:PutObject", "s3:GetObject"],
        resources: ["data/ci/*"],
        principals: ["role/https://token.example.com:repo:acme/*"],
      }),
      allow("keys", { actions: ["cwobject:CreateAccessKey"], principals: ["role/*"] }),
    ),
  ],
  rename: [
    {
      version: "v1alpha1",
      name: "allow-rename-object-within-bucket",
      Statement: [
        {
          name: "AllowRenameObjectWithinBucket",
          effect: "Allow",
          principals: ["*"],
          actions: ["s3:PutObject", "s3:DeleteObject"],
          resources: ["data/*"],
          conditions: { StringEquals: { "cw:PrincipalOrgID": [ACME] } },
        },
      ],
    },
  ],
  "deny alice": [
    organization(
      "alice",
      allow("everything"),
      deny("not alice", { principals: ["coreweave/alice"], actions: ["s3:PutObject"] }),
    ),
  ],
};

const HERE = ["arn:aws:s3:::data", "arn:aws:s3:::data/*"];
const bucket = (...statements: readonly Json[]) => ({
  Version: "2012-10-17",
  Statement: statements,
});
const grant = (sid: string, more: Json = {}) => ({
  Sid: sid,
  Effect: "Allow",
  Principal: "*",
  Action: "s3:*",
  Resource: HERE,
  ...more,
});
const refusal = (sid: string, more: Json = {}) => ({ ...grant(sid, more), Effect: "Deny" });
const ofAcme = { StringEquals: { "cw:PrincipalOrgID": [ACME] } };

export const BUCKET_POLICIES: Readonly<Record<string, Json | undefined>> = {
  none: undefined,
  open: bucket(grant("everybody")),
  "public read": bucket(grant("read", { Action: "s3:GetObject", Resource: "arn:aws:s3:::data/*" })),
  "own organization": bucket(grant("own", { Principal: { CW: "*" }, Condition: ofAcme })),
  "two organizations": bucket(
    grant("both", {
      Principal: { AWS: "*" },
      Action: ["s3:GetObject", "s3:ListBucket"],
      Condition: { StringEquals: { "cw:PrincipalOrgID": [ACME, OTHER] } },
    }),
  ),
  "eve alone": bucket(
    grant("eve", { Principal: { AWS: [`arn:aws:iam::${OTHER}:coreweave/eve`] } }),
  ),
  "whole other": bucket(grant("other", { Principal: { CW: `arn:aws:iam::${OTHER}:*` } })),
  "alice must not delete": bucket(
    grant("own", { Condition: ofAcme }),
    refusal("alice", {
      Principal: { CW: `arn:aws:iam::${ACME}:coreweave/alice` },
      Action: ["s3:DeleteObject", "s3:DeleteObjectVersion"],
    }),
  ),
  "deny all": bucket(refusal("nobody")),
  "not public": bucket(
    grant("own", { Condition: ofAcme }),
    refusal("others", { Principal: undefined, NotPrincipal: { AWS: `arn:aws:iam::${ACME}:root` } }),
  ),
  "reads only": bucket(
    grant("own", { Condition: ofAcme }),
    refusal("writes", { Action: undefined, NotAction: ["s3:Get*", "s3:List*"] }),
  ),
  "one folder": bucket(
    grant("own", { Condition: ofAcme }),
    refusal("elsewhere", {
      Resource: undefined,
      NotResource: ["arn:aws:s3:::data", "arn:aws:s3:::data/shared/*"],
    }),
  ),
  home: bucket(
    grant("home", {
      Action: ["s3:GetObject", "s3:PutObject"],
      Resource: `arn:aws:s3:::data/home/${variable("aws:username")}/*`,
      Principal: { CW: `arn:aws:iam::${ACME}:*` },
    }),
    grant("list", {
      Action: "s3:ListBucket",
      Resource: "arn:aws:s3:::data",
      Condition: { StringLike: { "s3:prefix": ["", `home/${variable("aws:username")}/*`] } },
    }),
  ),
  groups: bucket(
    grant("ml", {
      Condition: { "ForAnyValue:StringEquals": { [`iam:${ACME}:groups`]: ["ml", "ops"] } },
    }),
    refusal("interns", {
      Action: "s3:PutObject",
      Condition: { StringEquals: { [`iam:${ACME}:groups`]: "interns" } },
    }),
  ),
  tags: bucket(
    grant("own", { Condition: ofAcme }),
    refusal("secret", {
      Action: "s3:GetObject",
      Resource: "arn:aws:s3:::data/*",
      Condition: { StringNotEquals: { "s3:ExistingObjectTag/level": "open" } },
    }),
  ),
  "safe writes": bucket(
    grant("own", { Condition: ofAcme }),
    refusal("plain", { Condition: { Bool: { "aws:SecureTransport": "false" } } }),
    refusal("unconditional", {
      Action: "s3:PutObject",
      Condition: {
        Null: { "s3:if-none-match": "true" },
        Bool: { "s3:ObjectCreationOperation": true },
      },
    }),
    refusal("large pages", {
      Action: "s3:ListBucket",
      Resource: "arn:aws:s3:::data",
      Condition: { NumericGreaterThan: { "s3:max-keys": 100 } },
    }),
  ),
  "until 2030": {
    Version: "2008-10-17",
    Statement: grant("", {
      Condition: {
        DateLessThan: { "aws:CurrentTime": "2030-01-01T00:00:00Z" },
        ArnLike: { "aws:PrincipalArn": `arn:aws:iam::${ACME}:*/*` },
      },
    }),
  },
  "audit writer": bucket(
    grant("own", { Condition: ofAcme }),
    grant("audit", {
      Principal: { AWS: "arn:aws:iam::coreweave:static/audit-logs" },
      Action: "s3:PutObject",
      Resource: "arn:aws:s3:::data/audit/*",
    }),
  ),
  "saml role": bucket(
    grant("role", {
      Principal: { AWS: `arn:aws:iam::${ACME}:saml/Reader` },
      Action: "s3:getobject",
    }),
  ),
};

const user = (organizationId: string, uid: string, groups: readonly string[] = []) =>
  ({ kind: "user", organizationId, name: `coreweave/${uid}`, groups }) as const;

export const PRINCIPALS: Readonly<Record<string, NaivePrincipal>> = {
  alice: user(ACME, "alice", ["ml"]),
  bob: user(ACME, "bob", ["ml", "interns"]),
  reader: { kind: "role", organizationId: ACME, name: "role/Reader", groups: [] },
  ci: {
    kind: "role",
    organizationId: ACME,
    name: "role/https://token.example.com:repo:acme/app:ref:refs/heads/main",
    groups: [],
  },
  eve: user(OTHER, "eve", ["ml"]),
  "other alice": user(OTHER, "alice"),
  audit: { kind: "service", organizationId: "coreweave", name: "static/audit-logs", groups: [] },
  anonymous: { kind: "anonymous", organizationId: undefined, name: "anonymous", groups: [] },
};

export const CONTEXTS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  plain: {},
  inside: {
    "aws:SourceIp": ["::ffff:10.1.2.3"],
    "aws:SecureTransport": ["true"],
    "aws:CurrentTime": ["2026-05-01T12:00:00Z"],
    "s3:prefix": ["home/alice/x"],
    "s3:max-keys": ["100"],
    "s3:ExistingObjectTag/level": ["open"],
    "s3:if-none-match": ["*"],
    "s3:ObjectCreationOperation": ["true"],
  },
  outside: {
    "aws:SourceIp": ["203.0.113.9"],
    "aws:SecureTransport": ["false"],
    "aws:CurrentTime": ["2031-05-01T12:00:00Z"],
    "s3:prefix": ["home/bob/"],
    "s3:max-keys": ["1000"],
    "s3:ExistingObjectTag/level": ["secret"],
    "s3:ObjectCreationOperation": ["true"],
  },
};

/** An action and what it is done to. */
export const ATTEMPTS: readonly (readonly [action: string, resource: string])[] = [
  ["s3:GetObject", "data/shared/a"],
  ["s3:GetObject", "data/home/alice/x"],
  ["s3:PutObject", "data/audit/log"],
  ["s3:PutObject", "data/ci/build"],
  ["s3:DeleteObject", "data/keep/x"],
  ["s3:ListBucket", "data"],
  ["s3:PutBucketPolicy", "data"],
  ["s3:GetBucketPolicy", "data"],
  ["s3:DeleteBucketPolicy", "data"],
  ["s3:CreateBucket", "data"],
  ["s3:ListAllMyBuckets", "*"],
  ["cwobject:CreateAccessKey", "*"],
];
