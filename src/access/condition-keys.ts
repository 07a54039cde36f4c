import { didYouMean } from "#access/nearest.ts";
import type { Place } from "#access/place.ts";
import { PolicyError, quote } from "#access/policy-error.ts";
import { type Principal, principalArn, userName } from "#access/principal.ts";

/** What the values of a key are; "text" may be anything, a number among others. */
export type ValueKind = "text" | "number" | "moment" | "boolean" | "address" | "arn";

/** Something about a request that a condition may look at. */
export interface ConditionKey {
  /** As we spell it, however the policy does; what a lookup is asked for. */
  readonly name: string;
  readonly kind: ValueKind;
  /** Given when the principal tells the values, and not the request. */
  readonly of?: (principal: Principal) => readonly string[] | undefined;
}

/** The values of a key in a request; undefined or empty when it has none. */
export type Lookup = (key: string) => readonly string[] | undefined;

const organizationOf = ({ organizationId }: Principal) => one(organizationId);

/**
 * Spec: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html and
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 */
const KEYS: readonly ConditionKey[] = [
  { name: "aws:CurrentTime", kind: "moment" },
  { name: "aws:EpochTime", kind: "moment" },
  { name: "aws:PrincipalArn", kind: "arn", of: (principal) => one(principalArn(principal)) },
  { name: "aws:PrincipalOrgID", kind: "text", of: organizationOf },
  { name: "aws:Referer", kind: "text" },
  { name: "aws:SecureTransport", kind: "boolean" },
  { name: "aws:SourceIp", kind: "address" },
  { name: "aws:UserAgent", kind: "text" },
  { name: "aws:username", kind: "text", of: (principal) => one(userName(principal)) },
  { name: "cw:PrincipalOrgID", kind: "text", of: organizationOf },
  { name: "s3:authType", kind: "text" },
  { name: "s3:delimiter", kind: "text" },
  { name: "s3:if-match", kind: "text" },
  { name: "s3:if-none-match", kind: "text" },
  { name: "s3:LocationConstraint", kind: "text" },
  { name: "s3:max-keys", kind: "number" },
  { name: "s3:ObjectCreationOperation", kind: "boolean" },
  { name: "s3:prefix", kind: "text" },
  { name: "s3:RequestObjectTagKeys", kind: "text" },
  { name: "s3:signatureAge", kind: "number" },
  { name: "s3:signatureversion", kind: "text" },
  { name: "s3:VersionId", kind: "text" },
  ...[
    "acl",
    "content-sha256",
    "copy-source",
    "grant-full-control",
    "grant-read",
    "grant-read-acp",
    "grant-write",
    "grant-write-acp",
    "metadata-directive",
    "object-ownership",
    "server-side-encryption",
    "server-side-encryption-aws-kms-key-id",
    "server-side-encryption-customer-algorithm",
    "storage-class",
    "website-redirect-location",
  ].map((header) => ({ name: `s3:x-amz-${header}`, kind: "text" }) as const),
  // A partner's; CoreWeave's documentation has it in a policy for that partner's service.
  { name: "wandb:OrgID", kind: "text" },
];

const KNOWN = new Map(KEYS.map((key) => [key.name.toLowerCase(), key]));
const EXISTING_TAG = "s3:ExistingObjectTag/";
const REQUEST_TAG = "s3:RequestObjectTag/";
const TAG_CHARS_MAX = 128;
const GROUPS = /^iam:([A-Za-z0-9-]{1,64}):groups$/i;

/**
 * Names of keys are the same in upper and lower case, except for what is a tag's or ours.
 *
 * Unverified: whether AWS tells tag keys of objects apart by case here, as S3 itself does. We do.
 * Fails: PolicyError for a key that is not known.
 */
export function readConditionKey(text: string, place: Place): ConditionKey {
  const known = KNOWN.get(text.toLowerCase()) ?? tagKey(text) ?? groupsKey(text);
  if (known !== undefined) return known;
  const names = [...KEYS.map(({ name }) => name), `${EXISTING_TAG}<tag>`, `${REQUEST_TAG}<tag>`];
  const problem = `Policy has an invalid condition key: ${quote(text)} is not known.`;
  throw new PolicyError(place.path, problem + (groupsMend(text) || didYouMean(text, names)));
}

function tagKey(text: string): ConditionKey | undefined {
  for (const family of [EXISTING_TAG, REQUEST_TAG]) {
    if (!text.toLowerCase().startsWith(family.toLowerCase())) continue;
    const tag = text.slice(family.length);
    if (tag === "" || tag.length > TAG_CHARS_MAX) return undefined;
    return { name: family + tag, kind: "text" };
  }
  return undefined;
}

function groupsKey(text: string): ConditionKey | undefined {
  const organization = GROUPS.exec(text)?.[1];
  if (organization === undefined) return undefined;
  return {
    name: `iam:${organization}:groups`,
    kind: "text",
    // Groups of one organization say nothing about another's.
    of: ({ organizationId, groups }) => (organizationId === organization ? groups : undefined),
  };
}

function groupsMend(text: string): string {
  return text.toLowerCase().startsWith("iam:")
    ? " Write iam:<organization id>:groups, as iam:ab1cd2:groups."
    : "";
}

/** Whether the values are tags that the object already has, for which it must be looked up. */
export function isExistingTag({ name }: ConditionKey): boolean {
  return name.startsWith(EXISTING_TAG);
}

function one(value: string | undefined): readonly string[] | undefined {
  return value === undefined ? undefined : [value];
}
