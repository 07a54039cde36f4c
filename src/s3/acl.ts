import { tag, wrap } from "#base/xml.ts";
import { type ListOwner, ownerElement } from "#s3/listing.ts";

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
