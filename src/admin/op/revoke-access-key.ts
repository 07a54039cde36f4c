import { empty, message, text } from "#admin/message.ts";
import { type Operation, operation } from "#admin/operation.ts";

/** Spec: https://docs.coreweave.com/products/storage/object-storage/reference/object-storage-api-ref/cwobject/revoke-an-access-key */
const revokeAccessKeyByAccessKey = operation({
  name: "RevokeAccessKeyByAccessKey",
  summary: "End an access key for good.",
  method: "POST",
  path: "/v1/cwobject/revoke-access-key/access-key",
  needs: "cwobject:RevokeAccessKeyByAccessKey",
  // CoreWeave's own workflow action sends accessKeyId, its documentation says accessKey.
  input: message(
    { accessKey: text },
    { accessKeyId: "accessKey", accessKeyID: "accessKey", access_key_id: "accessKey" },
  ),
  output: empty,
  run: async ({ keys, organizationId }, { accessKey }) => {
    await keys.revoke(organizationId, accessKey);
    return {};
  },
});

/** Spec: https://docs.coreweave.com/products/storage/object-storage/reference/object-storage-api-ref/cwobject/revoke-a-principals-access-keys */
const revokeAccessKeysByPrincipal = operation({
  name: "RevokeAccessKeysByPrincipal",
  summary: "End all access keys of a principal for good.",
  method: "POST",
  path: "/v1/cwobject/revoke-access-key/principal",
  needs: "cwobject:RevokeAccessKeysByPrincipal",
  input: message({ principalName: text.min(1) }),
  output: empty,
  run: async ({ keys, organizationId }, { principalName }) => {
    await keys.revokeOf(organizationId, principalName);
    return {};
  },
});

export const revokeAccessKey: readonly Operation[] = [
  revokeAccessKeyByAccessKey,
  revokeAccessKeysByPrincipal,
];
