import { isWide, readAddressRange } from "#access/address-range.ts";
import type { Condition } from "#access/condition.ts";
import type { Statement } from "#access/statement.ts";

/** Keys that tell who asks, in a way that no stranger can choose for himself. */
const IDENTITY = /^(?:aws:PrincipalArn|aws:PrincipalOrgID|cw:PrincipalOrgID|iam:.*:groups)$/;

/**
 * Whether a statement of a bucket policy lets in people whom it does not name: it allows everybody,
 * and no condition holds them to fixed organizations, principals, groups or narrow networks.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
 */
export function isPublicStatement({ effect, everyone, conditions }: Statement): boolean {
  return effect === "Allow" && everyone && !conditions.some(keepsStrangersOut);
}

function keepsStrangersOut({ key, narrows, values }: Condition): boolean {
  if (!narrows) return false;
  if (IDENTITY.test(key.name)) return true;
  return key.name === "aws:SourceIp" && values.every(isNarrow);
}

function isNarrow(text: string): boolean {
  const range = readAddressRange(text);
  return range !== undefined && !isWide(range);
}
