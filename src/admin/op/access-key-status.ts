import { z } from "zod";
import { empty, message, text } from "#admin/message.ts";
import { type Operation, operation } from "#admin/operation.ts";

const status = z
  .enum(["ACCESS_KEY_STATUS_ACTIVE", "ACCESS_KEY_STATUS_SUSPENDED", "ACTIVE", "SUSPENDED"])
  .transform((name) => (name.endsWith("SUSPENDED") ? "suspended" : "active"));

/** Spec: https://docs.coreweave.com/products/storage/object-storage/reference/object-storage-api-ref/cwobject/update-access-key-status */
const updateAccessKeyStatus = operation({
  name: "UpdateAccessKeyStatus",
  summary: "Suspend all access keys of a principal, or let them work again.",
  method: "PUT",
  path: "/v1/cwobject/access-key-status",
  needs: "cwobject:UpdateAccessKeyStatus",
  input: message({ principalName: text.min(1), status }),
  output: empty,
  run: async ({ keys, organizationId }, { principalName, status }) => {
    await keys.setSuspendedOf(organizationId, principalName, status === "suspended");
    return {};
  },
});

const setAccessKeyStatus = operation({
  name: "SetAccessKeyStatus",
  summary: "Suspend one access key, or let it work again.",
  method: "PUT",
  path: "/v1/lode/access-key-status/{accessKeyId}",
  needs: "cwobject:UpdateAccessKeyStatus",
  input: message({ accessKeyId: text, status }),
  output: empty,
  run: async ({ keys, organizationId }, { accessKeyId, status }) => {
    await keys.setSuspended(organizationId, accessKeyId, status === "suspended");
    return {};
  },
});

export const accessKeyStatus: readonly Operation[] = [setAccessKeyStatus, updateAccessKeyStatus];
