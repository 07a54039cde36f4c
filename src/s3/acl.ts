import { S3Error } from "#base/error.ts";
import { child, children, childText, tag, wrap } from "#base/xml.ts";
import type { Bucket } from "#object/bucket.ts";
import { type ListOwner, ownerElement } from "#s3/listing.ts";
import { documentOf, type S3Request } from "#s3/request.ts";

/**
 * The only access control list there is: the owner may do everything. Access is given by policies.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
 */
export function aclElements(owner: ListOwner): string {
  const grantee = `<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">${tag("ID", owner.id)}${tag("DisplayName", owner.displayName)}</Grantee>`;
  const grant = wrap("Grant", grantee + tag("Permission", "FULL_CONTROL"));
  return ownerElement(owner) + wrap("AccessControlList", grant);
}

/** What a request says of who may do what, in a header or a document; nothing else can it say than the owner. */
interface SaidOfOwner {
  readonly isNothing: boolean;
  /** The id in the document. */
  readonly id: string | undefined;
}

/**
 * Who a document says has FULL_CONTROL.
 *
 * Observed: 2026-02-21, as others recorded AWS: a request that says nothing is MissingSecurityHeader, and a document
 * without an owner or a list MalformedACLError.
 * Fails: MalformedXML, MalformedACLError; AccessControlListNotSupported unless it is the owner alone.
 */
export function readOwnerDocument(request: S3Request): SaidOfOwner {
  if (request.document === "") {
    return { isNothing: request.headers["x-amz-acl"] === undefined, id: undefined };
  }
  const root = documentOf(request, "AccessControlPolicy");
  const owner = child(root, "Owner");
  const list = child(root, "AccessControlList");
  if (owner === undefined || list === undefined) throw new S3Error("MalformedACLError", {});
  const id = childText(owner, "ID");
  const grants = children(list, "Grant");
  const ownersOnly = grants.every((grant) => {
    const grantee = child(grant, "Grantee");
    const isOwner = grantee !== undefined && childText(grantee, "ID") === id;
    return isOwner && childText(grant, "Permission") === "FULL_CONTROL";
  });
  // Without a grant the owner would have nothing.
  if (!ownersOnly || grants.length === 0) throw new S3Error("AccessControlListNotSupported", {});
  return { isNothing: false, id };
}

/** Fails: MissingSecurityHeader; AccessControlListNotSupported when a document speaks of another owner. */
export function requireOwner({ isNothing, id }: SaidOfOwner, { ownerId }: Bucket): void {
  if (isNothing) throw new S3Error("MissingSecurityHeader", { MissingHeaderName: "x-amz-acl" });
  if (id !== undefined && id !== ownerId) throw new S3Error("AccessControlListNotSupported", {});
}
