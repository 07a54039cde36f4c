import type { Services } from "#admin/operation.ts";
import { ControlError } from "#base/control-error.ts";
import type { Bucket } from "#object/bucket.ts";
import { bucketName } from "#object/name.ts";

const SHAPE = /^[a-z0-9-]{3,63}$/;

/** A bucket of the organization that the call is about. Fails: NotFound, of another's too. */
export async function ownBucket(
  { catalog, organizationId }: Pick<Services, "catalog" | "organizationId">,
  name: string,
): Promise<Bucket> {
  const bucket = SHAPE.test(name) ? await catalog.find(bucketName(name)) : undefined;
  if (bucket?.organizationId === organizationId) return bucket;
  throw new ControlError("NotFound", `bucket "${name}" not found`);
}
