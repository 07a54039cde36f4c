import { didYouMean } from "#access/nearest.ts";
import { type Matches, matcherOf, tokensOf } from "#access/pattern.ts";
import type { Place } from "#access/place.ts";
import { PolicyError, quote } from "#access/policy-error.ts";

/** What an action is done to. `none`: neither bucket nor object; its resource is `*`. */
export type ActionTarget = "object" | "bucket" | "none";

/**
 * The S3 actions of AWS and CoreWeave that a policy may name, whether or not we offer what they
 * allow: a policy that was written for AWS must not be refused for the part we lack.
 *
 * Spec: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 */
const S3: Readonly<Record<ActionTarget, string>> = {
  object: `AbortMultipartUpload BypassGovernanceRetention DeleteObject DeleteObjectTagging
    DeleteObjectVersion DeleteObjectVersionTagging GetObject GetObjectAcl GetObjectAttributes
    GetObjectLegalHold GetObjectRetention GetObjectTagging GetObjectTorrent GetObjectVersion
    GetObjectVersionAcl GetObjectVersionAttributes GetObjectVersionForReplication
    GetObjectVersionTagging GetObjectVersionTorrent InitiateReplication ListMultipartUploadParts
    ObjectOwnerOverrideToBucketOwner PutObject PutObjectAcl PutObjectLegalHold PutObjectRetention
    PutObjectTagging PutObjectVersionAcl PutObjectVersionTagging ReplicateDelete ReplicateObject
    ReplicateTags RestoreObject`,
  bucket: `CreateBucket CreateSession DeleteBucket DeleteBucketPolicy DeleteBucketTagging
    DeleteBucketWebsite DeleteLifecycleConfiguration GetAccelerateConfiguration
    GetAnalyticsConfiguration GetBucketAcl GetBucketCORS GetBucketLocation GetBucketLogging
    GetBucketNotification GetBucketObjectLockConfiguration GetBucketOwnershipControls
    GetBucketPolicy GetBucketPolicyStatus GetBucketPublicAccessBlock GetBucketRequestPayment
    GetBucketTagging GetBucketVersioning GetBucketWebsite GetEncryptionConfiguration
    GetIntelligentTieringConfiguration GetInventoryConfiguration GetLifecycleConfiguration
    GetMetricsConfiguration GetReplicationConfiguration ListBucket ListBucketMultipartUploads
    ListBucketVersions PutAccelerateConfiguration PutAnalyticsConfiguration PutBucketAcl
    PutBucketCORS PutBucketLogging PutBucketNotification PutBucketObjectLockConfiguration
    PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock PutBucketRequestPayment
    PutBucketTagging PutBucketVersioning PutBucketWebsite PutEncryptionConfiguration
    PutIntelligentTieringConfiguration PutInventoryConfiguration PutLifecycleConfiguration
    PutMetricsConfiguration PutReplicationConfiguration`,
  none: "ListAllMyBuckets",
};

/** What the control API asks for; decided by organization policies alone. Names are CoreWeave's. */
const CONTROL = `CreateAccessKey CreateAccessKeyOIDC CreateAccessKeySAML DeleteAccessPolicy
  EnsureAccessPolicy GetAccessKeyInfo GetBucketInfo ListAccessKeyInfo ListAccessPolicy ListBucketInfo
  RevokeAccessKeyByAccessKey RevokeAccessKeysByPrincipal SetBucketSettings SetOrganizationSettings
  UpdateAccessKeyStatus`;

/** The same, of what CoreWeave's API has not. */
const OWN_CONTROL = `CreateApiToken CreateFederation CreateUser CreateUserAccessKey DeleteFederation
  DeleteUser ExplainAccess GetOrganizationSettings GetRateLimits GetUsage ListApiTokens
  ListFederations ListQuotas ListUsers RevokeApiToken UpdateFederation UpdateUser`;

/** Operations of the API that are no actions, and what they ask for. */
const OPERATIONS: Readonly<Record<string, string>> = {
  CompleteMultipartUpload: "s3:PutObject",
  CopyObject: 's3:GetObject" on the source and "s3:PutObject',
  CreateMultipartUpload: "s3:PutObject",
  DeleteBucketCors: "s3:PutBucketCORS",
  DeleteBucketLifecycle: "s3:DeleteLifecycleConfiguration",
  DeleteObjects: "s3:DeleteObject",
  DeletePublicAccessBlock: "s3:PutBucketPublicAccessBlock",
  GetBucketEncryption: "s3:GetEncryptionConfiguration",
  GetBucketLifecycle: "s3:GetLifecycleConfiguration",
  GetBucketLifecycleConfiguration: "s3:GetLifecycleConfiguration",
  GetBucketReplication: "s3:GetReplicationConfiguration",
  GetPublicAccessBlock: "s3:GetBucketPublicAccessBlock",
  HeadBucket: "s3:ListBucket",
  HeadObject: "s3:GetObject",
  ListBuckets: "s3:ListAllMyBuckets",
  ListMultipartUploads: "s3:ListBucketMultipartUploads",
  ListObjectVersions: "s3:ListBucket",
  ListObjects: "s3:ListBucket",
  ListObjectsV2: "s3:ListBucket",
  ListParts: "s3:ListMultipartUploadParts",
  PutBucketEncryption: "s3:PutEncryptionConfiguration",
  PutBucketLifecycle: "s3:PutLifecycleConfiguration",
  PutBucketLifecycleConfiguration: "s3:PutLifecycleConfiguration",
  PutPublicAccessBlock: "s3:PutBucketPublicAccessBlock",
  RenameObject: 's3:DeleteObject" on the source and "s3:PutObject',
  SelectObjectContent: "s3:GetObject",
  UploadPart: "s3:PutObject",
  UploadPartCopy: 's3:GetObject" on the source and "s3:PutObject',
};

/** All actions there are, and what each is done to. */
export const ACTIONS: ReadonlyMap<string, ActionTarget> = new Map([
  ...named("s3", S3.object, "object"),
  ...named("s3", S3.bucket, "bucket"),
  ...named("s3", S3.none, "none"),
  ...named("cwobject", CONTROL, "none"),
  ...named("cwobject", OWN_CONTROL, "none"),
]);

function named(
  service: string,
  names: string,
  target: ActionTarget,
): readonly (readonly [string, ActionTarget])[] {
  return names.split(/\s+/).map((name) => [`${service}:${name}`, target]);
}

/** What an entry of an action list stands for. */
export interface ActionPattern {
  readonly place: Place<string>;
  readonly matches: Matches;
  /** The known actions that it stands for; never empty. */
  readonly known: readonly string[];
}

export interface ActionReading {
  /** As in `["s3"]`; an entry must begin with one of these, or be `*`. */
  readonly services: readonly string[];
  /** AWS does not tell `s3:getobject` from `s3:GetObject`. */
  readonly ignoreCase: boolean;
}

/** Fails: PolicyError when the entry stands for no action there is. */
export function readAction(place: Place<string>, reading: ActionReading): ActionPattern {
  const { path, value } = place;
  const { services, ignoreCase } = reading;
  const service = value.split(":", 1)[0] ?? "";
  const prefixes = services.map((each) => `${each}:`).join(" or ");
  if (value !== "*" && !services.includes(ignoreCase ? service.toLowerCase() : service)) {
    const problem = `${quote(value)} is an action of another service.`;
    throw new PolicyError(path, `${INVALID}: ${problem} Actions begin with ${prefixes}`);
  }
  const fold = (text: string) => (ignoreCase ? text.toLowerCase() : text);
  const test = matcherOf(tokensOf(fold(value)));
  const matches: Matches = (action) => test(fold(action));
  const all = [...ACTIONS.keys()].filter((action) =>
    services.includes(action.split(":", 1)[0] ?? ""),
  );
  const known = all.filter(matches);
  if (known.length === 0) throw new PolicyError(path, `${INVALID}: ${unknown(value, all)}`);
  return { place, matches, known };
}

const INVALID = "Policy has invalid action";

function unknown(action: string, all: readonly string[]): string {
  const needed = OPERATIONS[action.slice("s3:".length)];
  if (needed !== undefined) {
    return `${quote(action)} is an operation, which asks for "${needed}". Write that.`;
  }
  return `${quote(action)} is no action.${didYouMean(action, all)}`;
}
