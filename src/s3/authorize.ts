import { type BucketAccess, type Decision, decide, type Question } from "#access/decide.ts";
import type { Grant } from "#access/grant.ts";
import type { Principal } from "#access/principal.ts";
import { S3Error } from "#base/error.ts";
import type { AccessPolicies } from "#catalog/access-policies.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { Tag } from "#object/attributes.ts";
import type { Bucket } from "#object/bucket.ts";
import type { Engine } from "#object/engine.ts";
import { type BucketName, bucketName, objectKey } from "#object/name.ts";
import { conditionValues } from "#s3/condition-values.ts";
import type { S3Request } from "#s3/request.ts";

/** What decisions are made from. */
export interface Judge {
  readonly policies: AccessPolicies;
  readonly catalog: Catalog;
  /** undefined when there is no such bucket. */
  readonly findBucket: (name: BucketName) => Promise<Bucket | undefined>;
  readonly engineOf: (bucket: Bucket) => Engine;
}

export interface Attempted {
  readonly principal: Principal;
  readonly grants: readonly [Grant, ...Grant[]];
  readonly request: S3Request;
  readonly operation: string;
}

/** One decision for each grant, in their order. */
export async function judge(judge: Judge, attempted: Attempted): Promise<readonly Decision[]> {
  const { principal, grants } = attempted;
  const organization =
    principal.organizationId === undefined
      ? undefined
      : await judge.policies.rules(principal.organizationId);
  const access = new Map<string, Known | undefined>();
  const decisions: Decision[] = [];
  for (const { action, resource, versionId = attempted.request.query.get("versionId") } of grants) {
    const name = bucketIn(resource);
    if (name !== undefined && !access.has(name)) access.set(name, await known(judge, name));
    const bucket = name === undefined ? undefined : access.get(name);
    const rules = [organization, bucket?.access.owner, bucket?.access.policy?.rules];
    const wantsTags = rules.some((each) => each?.asksForObjectTags(action));
    const objectTags =
      wantsTags && bucket !== undefined
        ? await tagsOf(judge, bucket.bucket, { resource, versionId })
        : undefined;
    const { request, operation } = attempted;
    const question: Question = {
      principal,
      action,
      resource,
      organization,
      bucket: bucket?.access,
      lookup: conditionValues({ request, operation, versionId, objectTags }),
    };
    decisions.push(decide(question));
  }
  return decisions;
}

interface Known {
  readonly bucket: Bucket;
  readonly access: BucketAccess;
}

async function known(
  { policies, catalog, findBucket }: Judge,
  name: string,
): Promise<Known | undefined> {
  const bucket = await findBucket(bucketName(name));
  if (bucket === undefined) return undefined;
  const { policy, restrictPublic } = await catalog.settings(bucket);
  const owner = await policies.rules(bucket.organizationId);
  return { bucket, access: { ownerId: bucket.organizationId, owner, policy, restrictPublic } };
}

/** Tags of what is not there are none. */
async function tagsOf(
  { engineOf }: Judge,
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
