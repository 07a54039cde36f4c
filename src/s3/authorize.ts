import { type BucketAccess, type Decision, decide } from "#access/decide.ts";
import type { Grant } from "#access/grant.ts";
import type { Principal } from "#access/principal.ts";
import type { Rules } from "#access/rules.ts";
import { S3Error } from "#base/error.ts";
import { after, afterEach, type Soon } from "#base/soon.ts";
import type { FindBucket, FindStanding, FoundBucket } from "#catalog/known.ts";
import type { Tag } from "#object/attributes.ts";
import type { Bucket } from "#object/bucket.ts";
import type { Engine } from "#object/engine.ts";
import { bucketName, objectKey } from "#object/name.ts";
import { conditionValues } from "#s3/condition-values.ts";
import type { S3Request } from "#s3/request.ts";

/** What decisions are made from. */
export interface Evidence {
  readonly findStanding: FindStanding;
  readonly findBucket: FindBucket;
  readonly engineOf: (bucket: Bucket) => Engine;
}

export interface Attempted {
  readonly principal: Principal;
  readonly grants: readonly [Grant, ...Grant[]];
  readonly request: S3Request;
  readonly operation: string;
}

/** One decision for each grant, in their order. */
export function judge(evidence: Evidence, attempted: Attempted): Soon<readonly Decision[]> {
  const { grants, principal } = attempted;
  return after(rulesOf(evidence, principal.organizationId), (organization) => {
    const asked = { ...attempted, organization };
    return afterEach(grants, (grant) => judgeOne(evidence, asked, grant));
  });
}

interface Asked extends Omit<Attempted, "grants"> {
  /** Of the caller's organization. */
  readonly organization: Rules | undefined;
}

function judgeOne(evidence: Evidence, asked: Asked, grant: Grant): Soon<Decision> {
  const { principal, organization, request, operation } = asked;
  const { action, resource, versionId } = grant;
  return after(reach(evidence, asked, resource), (reached) => {
    const bucket = reached?.access;
    const wantsTags = [organization, bucket?.owner, bucket?.policy?.rules].some((rules) =>
      rules?.asksForObjectTags(action),
    );
    const tags = wantsTags && reached ? tagsOf(evidence, reached.bucket, grant) : undefined;
    return after(tags, (objectTags) => {
      const lookup = conditionValues({ request, operation, versionId, objectTags });
      return decide({ principal, action, resource, organization, bucket, lookup });
    });
  });
}

interface Reached {
  readonly bucket: Bucket;
  readonly access: BucketAccess;
}

/** The bucket that a grant is about; undefined when it is about none, or none that there is. */
function reach(
  evidence: Evidence,
  { principal, organization }: Asked,
  resource: string,
): Soon<Reached | undefined> {
  const name = bucketIn(resource);
  if (name === undefined) return undefined;
  return after(evidence.findBucket(bucketName(name)), (found) => {
    if (found === undefined) return undefined;
    const { organizationId } = found.bucket;
    const isOwn = organizationId === principal.organizationId;
    const owner = isOwn ? organization : rulesOf(evidence, organizationId);
    return after(owner, (rules) => ({ bucket: found.bucket, access: accessTo(found, rules) }));
  });
}

function rulesOf(
  { findStanding }: Evidence,
  organizationId: string | undefined,
): Soon<Rules | undefined> {
  if (organizationId === undefined) return undefined;
  return after(findStanding(organizationId), ({ rules }) => rules);
}

function accessTo({ bucket, settings }: FoundBucket, owner: Rules | undefined): BucketAccess {
  const { policy, restrictPublic } = settings;
  return { ownerId: bucket.organizationId, owner, policy, restrictPublic };
}

/** Tags of what is not there are none. */
async function tagsOf(
  { engineOf }: Evidence,
  bucket: Bucket,
  { resource, versionId }: Grant,
): Promise<readonly Tag[] | undefined> {
  const slash = resource.indexOf("/");
  if (slash < 0) return undefined;
  const key = objectKey(resource.slice(slash + 1));
  const name = { bucket, key, ...(versionId === undefined ? {} : { versionId }) };
  try {
    return (await engineOf(bucket).head(name)).attributes.tags;
  } catch (cause) {
    if (cause instanceof S3Error && cause.status < 500) return undefined;
    throw cause;
  }
}

function bucketIn(resource: string): string | undefined {
  if (resource === "*") return undefined;
  const slash = resource.indexOf("/");
  return slash < 0 ? resource : resource.slice(0, slash);
}
