import { z } from "zod";
import {
  accessKeyInfo,
  accessKeyInfoOf,
  newAccessKey,
  newAccessKeyOf,
} from "#admin/access-key-view.ts";
import { attributes, message, text, uint32 } from "#admin/message.ts";
import { type Operation, operation, type Services } from "#admin/operation.ts";
import { nextPageToken, pageFields, pageOf, type Source } from "#admin/page.ts";
import { ControlError } from "#base/control-error.ts";
import type { KeyPair } from "#catalog/access-key-form.ts";
import type { AccessKey } from "#catalog/access-keys.ts";
import { userPrincipal } from "#catalog/users.ts";

const made = {
  durationSeconds: uint32.describe("0: the key does not expire; at most 43200, 12 hours, else"),
  attributes: attributes
    .default({})
    .describe("at most 15, of any meaning; names are lower-case DNS labels"),
};

/** Spec: https://docs.coreweave.com/products/storage/object-storage/reference/object-storage-api-ref/cwobject/create-access-key */
const createAccessKeyFromJwt = operation({
  name: "CreateAccessKeyFromJWT",
  summary: "Make an access key of the caller's own. Its secret is shown this once.",
  method: "POST",
  path: "/v1/cwobject/access-key",
  needs: "cwobject:CreateAccessKey",
  input: message(made),
  output: newAccessKey,
  run: async ({ keys, caller }, input) => {
    if (caller.kind !== "principal") {
      const message =
        "the operator has no keys of its own: make one for a user with POST /v1/lode/user/{uid}/access-key";
      throw new ControlError("FailedPrecondition", message);
    }
    const { principal } = caller;
    return newAccessKeyOf(await keys.create({ ...input, principal, withSession: false }));
  },
});

const createUserAccessKey = operation({
  name: "CreateUserAccessKey",
  summary: "Make an access key for a user. Its secret is shown this once.",
  method: "POST",
  path: "/v1/lode/user/{uid}/access-key",
  needs: "cwobject:CreateUserAccessKey",
  input: message({
    uid: text,
    ...made,
    accessKeyId: text
      .optional()
      .describe("the operator's: of a pair that clients have already; goes with secretKey"),
    secretKey: text.optional().describe("the pair's"),
  }),
  output: newAccessKey,
  run: async (services, { uid, accessKeyId, secretKey, ...input }) => {
    const { keys, users, organizationId } = services;
    const pair = broughtPair(services, { accessKeyId, secretKey });
    const { value } = await users.get({ organizationId, uid });
    const principal = userPrincipal({ organizationId, uid }, value.groups);
    return newAccessKeyOf(await keys.create({ ...input, pair, principal, withSession: false }));
  },
});

/** Spec: https://docs.coreweave.com/products/storage/object-storage/reference/object-storage-api-ref/cwobject/list-access-keys */
const listAccessKeyInfo = operation({
  name: "ListAccessKeyInfo",
  summary: "List access keys, without their secrets.",
  method: "GET",
  path: "/v1/cwobject/access-key",
  needs: "cwobject:ListAccessKeyInfo",
  input: message({
    ...pageFields,
    status: z
      .enum(["ACCESS_KEY_STATUS_ACTIVE", "ACTIVE"])
      .optional()
      .describe("only keys that work"),
    principalName: text.optional().describe("only keys of this principal"),
  }),
  output: z.object({ info: z.array(accessKeyInfo), nextPageToken }),
  run: async ({ keys, clock, organizationId }, { status, principalName, ...wanted }) => {
    const source: Source<AccessKey> = async (ask) => {
      const { keys: items, next } = await keys.list(organizationId, { ...ask, principalName });
      return { items, next };
    };
    const keep = status && (({ status: its }: AccessKey) => its === "ACTIVE");
    const page = await pageOf(source, { ...wanted, keep }, clock);
    return { info: page.items.map(accessKeyInfoOf), nextPageToken: page.nextPageToken };
  },
});

/** Spec: https://docs.coreweave.com/products/storage/object-storage/reference/object-storage-api-ref/cwobject/get-access-key */
const getAccessKeyInfo = operation({
  name: "GetAccessKeyInfo",
  summary: "Tell about an access key, without its secret.",
  method: "GET",
  path: "/v1/cwobject/access-key/{accessKeyId}",
  needs: "cwobject:GetAccessKeyInfo",
  input: message({ accessKeyId: text }),
  output: z.object({ info: accessKeyInfo }),
  run: async ({ keys, organizationId }, { accessKeyId }) => ({
    info: accessKeyInfoOf(await keys.get(organizationId, accessKeyId)),
  }),
});

export const accessKey: readonly Operation[] = [
  createAccessKeyFromJwt,
  createUserAccessKey,
  getAccessKeyInfo,
  listAccessKeyInfo,
];

/**
 * Only who runs the server brings keys: others could take the id of somebody who has yet to come.
 *
 * Fails: InvalidArgument, PermissionDenied, AlreadyExists.
 */
function broughtPair(
  { caller, rootAccessKeyId }: Services,
  { accessKeyId, secretKey }: Partial<Record<keyof KeyPair, string | undefined>>,
): KeyPair | undefined {
  if (accessKeyId === undefined && secretKey === undefined) return undefined;
  if (caller.kind !== "operator") {
    const message = "accessKeyId, secretKey: only the server's operator brings keys";
    throw new ControlError("PermissionDenied", message);
  }
  if (accessKeyId === undefined || secretKey === undefined) {
    throw new ControlError("InvalidArgument", "accessKeyId and secretKey go together");
  }
  if (accessKeyId === rootAccessKeyId) {
    throw new ControlError("AlreadyExists", `"${accessKeyId}" is the root key`);
  }
  return { accessKeyId, secretKey };
}
