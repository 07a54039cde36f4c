import { S3Error } from "#base/error.ts";
import type { Known } from "#catalog/known.ts";
import { roomIn } from "#catalog/organization-limits.ts";
import type { Bucket } from "#object/bucket.ts";
import type { Engine } from "#object/engine.ts";
import type { BucketName } from "#object/name.ts";
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
  const open = async (name: BucketName, as?: "source"): Promise<OpenBucket> => {
    const found = await known.findBucket(name);
    if (found === undefined) throw new S3Error("NoSuchBucket", { BucketName: name });
    const { bucket } = found;
    const expected = headers[as === undefined ? OWNER : SOURCE_OWNER];
    if (
      expected !== undefined &&
      expected !== bucket.ownerId &&
      expected !== bucket.organizationId
    ) {
      throw new S3Error("AccessDenied", {});
    }
    const { limits } = await known.findStanding(bucket.organizationId);
    const room = roomIn(bucket, limits, found.settings.control.capacityCapBytes);
    return { ...found, engine: front.engineOf(bucket), room };
  };
  return {
    catalog,
    principal,
    region,
    strictLocation,
    lifecycleDayMs,
    isAllowed,
    startSession,
    open,
  };
}
