import { assert } from "#base/assert.ts";
import { invalidArgument, S3Error } from "#base/error.ts";
import { child, childText, document, type Element, readXml } from "#base/xml.ts";
import { newBucketName } from "#object/name.ts";
import { bucketArn } from "#s3/bucket-arn.ts";
import { NEEDING_ACLS, OWNER_ENFORCED, ownershipNotOffered } from "#s3/object-ownership.ts";
import { operation } from "#s3/operation.ts";
import { empty } from "#s3/reply.ts";
import type { S3Request } from "#s3/request.ts";
import { readBucketTags, writeTagging } from "#s3/tags.ts";

const LOCATION = /^[A-Za-z0-9][A-Za-z0-9-]{0,62}$/;

/**
 * Makes a bucket of the caller, with the tags that it shall have; making the same one again succeeds.
 *
 * Differs: any well-formed LocationConstraint is taken as the bucket's region, unless the operator has
 * named zones: there is one place.
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
 * Fails: InvalidBucketName, BucketAlreadyExists, BucketAlreadyOwnedByYou, MalformedXML,
 * InvalidLocationConstraint, InvalidArgument, InvalidTag, BadRequest, InvalidBucketAclWithObjectOwnership,
 * NotImplemented.
 */
export const createBucket = operation({
  name: "CreateBucket",
  route: { method: "PUT", on: "bucket" },
  body: "document",

  parse: (request) => ({
    bucket: newBucketName(request.bucket ?? ""),
    ...readConfiguration(request),
    acl: requirePrivateAcl(request),
    lock: refuseObjectLock(request),
    ownership: requireOwnerEnforced(request),
  }),

  grants: ({ bucket, tags }) => {
    const create = { action: "s3:CreateBucket", resource: bucket } as const;
    if (tags !== true) return [create];
    return [create, { action: "s3:PutBucketTagging", resource: bucket }];
  },

  run: async ({ catalog, principal, region, strictLocation }, { bucket, location, tagging }) => {
    if (location === undefined && strictLocation) {
      const message = "LocationConstraint must be supplied: name the zone of the bucket.";
      throw new S3Error("InvalidLocationConstraint", { LocationConstraint: "" }, { message });
    }
    const { organizationId } = principal;
    assert(organizationId !== undefined, "who may create a bucket is of an organization");
    const zone = await catalog.zones.spelled(location ?? region);
    await catalog.create(bucket, { id: organizationId, region: zone }, { tagging });
  },

  render: (_, { bucket }) =>
    empty(200, { Location: `/${bucket}`, "x-amz-bucket-arn": bucketArn(bucket) }),
});

interface Configuration {
  readonly location?: string | undefined;
  /** Whether tags are spoken of, be it none. */
  readonly tags?: boolean;
  /** The text of the bucket's tagging document. */
  readonly tagging?: string | undefined;
}

function readConfiguration(request: S3Request): Configuration {
  if (request.document.trim() === "") return {};
  const root = readXml(request.document);
  if (root.name !== "CreateBucketConfiguration") throw new S3Error("MalformedXML", {});
  if (child(root, "Bucket") !== undefined || child(root, "Location") !== undefined) {
    const message = "Directory buckets are not implemented. Leave Bucket and Location out.";
    throw new S3Error("NotImplemented", { Operation: "DirectoryBucket" }, { message });
  }
  const tags = child(root, "Tags");
  const set = tags && readBucketTags(tags);
  const tagging = set && set.length > 0 ? document("Tagging", writeTagging(set)) : undefined;
  return { location: readLocation(root), tags: tags !== undefined, tagging };
}

function readLocation(root: Element): string | undefined {
  const location = childText(root, "LocationConstraint");
  if (location === undefined || location === "") return undefined;
  if (!LOCATION.test(location)) {
    throw new S3Error("InvalidLocationConstraint", { LocationConstraint: location });
  }
  return location;
}

function requirePrivateAcl(request: S3Request): void {
  const acl = request.headers["x-amz-acl"] ?? "private";
  const granted = Object.keys(request.headers).some((name) => name.startsWith("x-amz-grant-"));
  if (acl === "private" && !granted) return;
  const known = ["private", "public-read", "public-read-write", "authenticated-read"];
  if (!known.includes(acl)) throw invalidArgument("x-amz-acl", acl);
  const message =
    "ACLs are disabled: access is given by policies. Leave x-amz-acl and x-amz-grant-* out.";
  throw new S3Error("InvalidBucketAclWithObjectOwnership", {}, { message });
}

function requireOwnerEnforced(request: S3Request): void {
  const ownership = request.headers["x-amz-object-ownership"];
  if (ownership === undefined || ownership === OWNER_ENFORCED) return;
  if (!NEEDING_ACLS.includes(ownership)) {
    const message = `Invalid x-amz-object-ownership header: ${ownership}`;
    throw invalidArgument("x-amz-object-ownership", ownership, message);
  }
  throw ownershipNotOffered(ownership);
}

function refuseObjectLock(request: S3Request): void {
  if (request.headers["x-amz-bucket-object-lock-enabled"]?.toLowerCase() !== "true") return;
  const message = "Object Lock is not implemented.";
  throw new S3Error("NotImplemented", { Operation: "ObjectLock" }, { message });
}
