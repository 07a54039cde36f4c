import { S3Error } from "#base/error.ts";
import { after, type Soon } from "#base/soon.ts";
import type { FoundBucket, Known } from "#catalog/known.ts";
import { roomIn } from "#catalog/organization-limits.ts";
import type { Bucket } from "#object/bucket.ts";
import type { Engine } from "#object/engine.ts";
import type { Authenticated } from "#s3/authenticate.ts";
import type { OpenBucket, Services } from "#s3/operation.ts";
import type { FramedRequest } from "#s3/request.ts";

interface ServiceParts
  extends Pick<Services, "catalog" | "region" | "strictLocation" | "lifecycleDayMs"> {
  readonly engineOf: (bucket: Bucket) => Engine;
}

/** A request that policies let through. */
export interface Allowed {
  readonly framed: FramedRequest;
  readonly authenticated: Authenticated;
  readonly known: Known;
  readonly isAllowed: (grant: number) => boolean;
}

const OWNER = "x-amz-expected-bucket-owner";
const SOURCE_OWNER = "x-amz-source-expected-bucket-owner";

/** What the operation of a request may touch. */
export function servicesOf(front: ServiceParts, allowed: Allowed): Services {
  const { framed, authenticated, known, isAllowed } = allowed;
  const { principal, startSession } = authenticated;
  const { catalog, region, strictLocation, lifecycleDayMs } = front;
  const { headers } = framed;
  return {
    catalog,
    principal,
    region,
    strictLocation,
    lifecycleDayMs,
    isAllowed,
    startSession,
    open: (name, as) =>
      after(known.findBucket(name), (found) => {
        if (found === undefined) throw new S3Error("NoSuchBucket", { BucketName: name });
        requireOwner(found.bucket, headers[as === undefined ? OWNER : SOURCE_OWNER]);
        return opened(found, front, known);
      }),
  };
}

/** Fails: AccessDenied. */
function requireOwner({ ownerId, organizationId }: Bucket, expected: string | undefined): void {
  if (expected === undefined || expected === ownerId || expected === organizationId) return;
  throw new S3Error("AccessDenied", {});
}

function opened(
  found: FoundBucket,
  { engineOf }: ServiceParts,
  { findStanding }: Known,
): Soon<OpenBucket> {
  const { bucket, settings } = found;
  return after(findStanding(bucket.organizationId), ({ limits }) => {
    const room = roomIn(bucket, limits, settings.control.capacityCapBytes);
    return { ...found, engine: engineOf(bucket), room };
  });
}
