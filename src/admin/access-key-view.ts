import { z } from "zod";
import { attributes, text, timestamp, timestampOf } from "#admin/message.ts";
import type { AccessKey, MadeAccessKey } from "#catalog/access-keys.ts";

/** Names are CoreWeave's; `creationTime` is ours. */
export const accessKeyInfo = z.object({
  accessKeyId: text,
  principalName: text,
  orgId: text,
  expiry: timestamp.optional().describe("not there when the key does not expire"),
  status: z.enum(["ACTIVE", "EXPIRED", "FULL_SUSPENDED", "DELETED"]),
  attributes,
  creationTime: timestamp,
});

export function accessKeyInfoOf(key: AccessKey): z.input<typeof accessKeyInfo> {
  const { accessKeyId, principalName, organizationId, status } = key;
  return {
    ...{ accessKeyId, principalName, orgId: organizationId, status },
    expiry: expiryOf(key),
    attributes: { ...key.attributes },
    creationTime: timestampOf(key.createdMs),
  };
}

/** The only time that the secret is shown. */
export const newAccessKey = z.object({
  accessKeyId: text,
  secretKey: text,
  principalName: text,
  expiry: timestamp.optional(),
  attributes,
});

export function newAccessKeyOf(key: MadeAccessKey): z.input<typeof newAccessKey> {
  const { accessKeyId, secretKey, principalName } = key;
  const expiry = expiryOf(key);
  return { accessKeyId, secretKey, principalName, expiry, attributes: { ...key.attributes } };
}

function expiryOf({ expiryMs }: AccessKey): string | undefined {
  return expiryMs === undefined ? undefined : timestampOf(expiryMs);
}
