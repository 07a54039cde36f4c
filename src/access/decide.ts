import { ACTIONS } from "#access/actions.ts";
import type { BucketPolicy } from "#access/bucket-policy.ts";
import { firstApplying, type Rules } from "#access/rules.ts";
import type { Attempt, StatementName } from "#access/statement.ts";

/** An attempt, with the policies that decide it. */
export interface Question extends Attempt {
  /** All policies of the principal's own organization; undefined when it has none. */
  readonly organization: Rules | undefined;
  /**
   * The bucket that the resource names; undefined when it names none, or one that is not there. Then
   * the organization decides alone.
   */
  readonly bucket: BucketAccess | undefined;
}

/** What a bucket says about who may touch it. */
export interface BucketAccess {
  /** The organization that owns it. */
  readonly ownerId: string;
  /** All policies of that organization, of which those about everybody hold for strangers too. */
  readonly owner: Rules | undefined;
  readonly policy: BucketPolicy | undefined;
  /** The switch RestrictPublicBuckets of its public access block. */
  readonly restrictPublic: boolean;
}

export type Reason =
  | "organization-without-policy"
  | "organization-denies"
  | "organization-silent"
  | "organization-allows"
  | "owner-denies"
  | "owner-only"
  | "public-access-blocked"
  | "bucket-denies"
  | "bucket-silent"
  | "bucket-without-policy"
  | "bucket-allows";

export interface Decision {
  readonly allowed: boolean;
  readonly reason: Reason;
  /** The statement that decided; undefined when it was the silence of all of them. */
  readonly by: StatementName | undefined;
}

/**
 * Organization policies first: without any, with a Deny or without an Allow there is no access. Then
 * the bucket's: without one its own organization gets in; with one only whom it allows, and a Deny
 * wins. Principals of elsewhere need their own organization and an Allow of the bucket policy;
 * services and the anonymous have no organization, and need the Allow.
 *
 * Unverified: whether CoreWeave holds principals of elsewhere to what the owner's organization denies
 * to `*`. We do.
 * Differs: AWS lets an Allow of the bucket policy stand for one of the identity's own policies.
 * Spec: https://docs.coreweave.com/products/storage/object-storage/auth-access/policies
 */
export function decide(question: Question): Decision {
  const organization = decideByOrganization(question);
  if (!organization.allowed) return organization;
  const { action, bucket } = question;
  if (bucket === undefined || isOrganizationAlone(action)) {
    // Nobody answers for who is of no organization.
    return hasOrganization(question) ? organization : deny("organization-silent");
  }
  const own = isOwn(question, bucket);
  if (OWNER_ONLY.has(action)) {
    if (!own) return deny("owner-only");
    // Nobody can lock the owner out of mending the policy.
    if (action === "s3:PutBucketPolicy") return organization;
  }
  return own ? decideByBucket(question, bucket, organization) : decideForStranger(question, bucket);
}

/** Who may write the bucket policy decides over the bucket, so no stranger ever may. */
const OWNER_ONLY: ReadonlySet<string> = new Set(["s3:PutBucketPolicy", "s3:DeleteBucketPolicy"]);

/** Actions on no bucket, or on one that is yet to be. */
function isOrganizationAlone(action: string): boolean {
  return (
    action === "s3:CreateBucket" || ACTIONS.get(action) === "none" || !action.startsWith("s3:")
  );
}

function hasOrganization({ principal }: Question): boolean {
  return principal.kind === "user" || principal.kind === "role";
}

function isOwn({ principal }: Question, { ownerId }: BucketAccess): boolean {
  return (
    (principal.kind === "user" || principal.kind === "role") && principal.organizationId === ownerId
  );
}

function decideByOrganization(question: Question): Decision {
  // For a service or the anonymous no organization speaks, neither for nor against.
  if (!hasOrganization(question)) return allow("organization-allows", undefined);
  const { organization } = question;
  if (organization === undefined || organization.isEmpty)
    return deny("organization-without-policy");
  const { denies, allows } = organization.about(question);
  const denying = firstApplying(denies, question);
  if (denying !== undefined) return deny("organization-denies", denying.name);
  const allowing = firstApplying(allows, question);
  if (allowing === undefined) return deny("organization-silent");
  return allow("organization-allows", allowing.name);
}

function decideForStranger(question: Question, bucket: BucketAccess): Decision {
  // Names of one organization mean nobody of another.
  const { deniesToAll = [] } = bucket.owner?.about(question) ?? {};
  const denying = firstApplying(deniesToAll, question);
  if (denying !== undefined) return deny("owner-denies", denying.name);
  const { policy, restrictPublic } = bucket;
  if (policy === undefined) return deny("bucket-without-policy");
  if (restrictPublic && policy.isPublic && question.principal.kind !== "service") {
    return deny("public-access-blocked");
  }
  return decideByPolicy(question, policy);
}

function decideByBucket(
  question: Question,
  { policy }: BucketAccess,
  organization: Decision,
): Decision {
  return policy === undefined ? organization : decideByPolicy(question, policy);
}

function decideByPolicy(question: Question, { rules }: BucketPolicy): Decision {
  const { denies, allows } = rules.about(question);
  const denying = firstApplying(denies, question);
  if (denying !== undefined) return deny("bucket-denies", denying.name);
  const allowing = firstApplying(allows, question);
  if (allowing === undefined) return deny("bucket-silent");
  return allow("bucket-allows", allowing.name);
}

function allow(reason: Reason, by: StatementName | undefined): Decision {
  return { allowed: true, reason, by };
}

function deny(reason: Reason, by?: StatementName): Decision {
  return { allowed: false, reason, by };
}
