import { type BucketAccess, type Decision, decide, type Question } from "#access/decide.ts";
import type { Grant } from "#access/grant.ts";
import type { Principal } from "#access/principal.ts";
import type { Rules } from "#access/rules.ts";
import { S3Error } from "#base/error.ts";
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
export async function judge(
  evidence: Evidence,
  attempted: Attempted,
): Promise<readonly Decision[]> {
  const { principal, grants, request, operation } = attempted;
  const { organizationId } = principal;
  const { findStanding, findBucket } = evidence;
  const organization =
    organizationId === undefined ? undefined : (await findStanding(organizationId)).rules;
  const decisions: Decision[] = [];
  for (const { action, resource, versionId } of grants) {
    const name = bucketIn(resource);
    const found = name === undefined ? undefined : await findBucket(bucketName(name));
    const isOwn = found?.bucket.organizationId === organizationId;
    const owner =
      found && (isOwn ? organization : (await findStanding(found.bucket.organizationId)).rules);
    const bucket = found && accessTo(found, owner);
    const wantsTags = [organization, owner, bucket?.policy?.rules].some((rules) =>
      rules?.asksForObjectTags(action),
    );
    const objectTags =
      wantsTags && found !== undefined
        ? await tagsOf(evidence, found.bucket, { resource, versionId })
        : undefined;
    const lookup = conditionValues({ request, operation, versionId, objectTags });
    const question: Question = { principal, action, resource, organization, bucket, lookup };
    decisions.push(decide(question));
  }
  return decisions;
}

function accessTo({ bucket, settings }: FoundBucket, owner: Rules | undefined): BucketAccess {
  const { policy, restrictPublic } = settings;
  return { ownerId: bucket.organizationId, owner, policy, restrictPublic };
}

/** Tags of what is not there are none. */
async function tagsOf(
  { engineOf }: Evidence,
  bucket: Bucket,
  { resource, versionId }: { readonly resource: string; readonly versionId: string | undefined },
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
