import { z } from "zod";
import { newAccessKey, newAccessKeyOf } from "#admin/access-key-view.ts";
import {
  attributes,
  empty,
  message,
  text,
  timestamp,
  timestampOf,
  uint32,
} from "#admin/message.ts";
import { type Operation, operation } from "#admin/operation.ts";
import { ControlError } from "#base/control-error.ts";
import { SESSION_SECONDS_MAX, type SessionKey } from "#catalog/session-keys.ts";

/** Of keys that SDKs fetch for themselves, and again before they end. */
const FETCHED_SECONDS = 900;

/** 0 is the longest there is: a role of elsewhere has no key that never ends. */
const durationSeconds = uint32
  .refine((seconds) => seconds <= SESSION_SECONDS_MAX, {
    error: `give at most ${SESSION_SECONDS_MAX} (12 hours), which is also what 0 means`,
  })
  .default(0);

const made = { durationSeconds, orgId: text, attributes: attributes.default({}) };

/** As the SDKs of AWS read it from whoever gives containers their credentials. */
const containerCredentials = z.object({
  AccessKeyId: text,
  SecretAccessKey: text,
  Token: text,
  Expiration: timestamp,
});

function containerCredentialsOf(key: SessionKey): z.input<typeof containerCredentials> {
  const { accessKeyId, secretKey, sessionToken, expiryMs } = key;
  return {
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretKey,
    Token: sessionToken,
    Expiration: timestampOf(expiryMs),
  };
}

/** Spec: https://docs.coreweave.com/products/storage/object-storage/reference/object-storage-api-ref/cwobject/create-access-key-from-saml */
const createAccessKeyFromSaml = operation({
  name: "CreateAccessKeyFromSAML",
  summary:
    "Make a temporary access key for the role that a SAML response names; policies must allow the role cwobject:CreateAccessKeySAML.",
  method: "POST",
  path: "/v1/cwobject/temporary-credentials/saml",
  needs: "nothing",
  input: message({ ...made, configId: text.optional(), samlResponse: text }),
  output: newAccessKey,
  run: async ({ federation, request: { lookup, identified } }, input) => {
    const { orgId: organizationId, configId: configurationId, samlResponse, ...ask } = input;
    const from = { organizationId, configurationId, response: samlResponse };
    return newAccessKeyOf(await federation.keyBySaml({ ...ask, ...from, lookup, identified }));
  },
});

/** Spec: https://docs.coreweave.com/products/storage/object-storage/reference/object-storage-api-ref/cwobject/create-access-key-from-oidc */
const createAccessKeyFromOidc = operation({
  name: "CreateAccessKeyFromOIDC",
  summary:
    "Make a temporary access key for the role that an OIDC token stands for; policies must allow the role cwobject:CreateAccessKeyOIDC.",
  method: "POST",
  path: "/v1/cwobject/temporary-credentials/oidc",
  needs: "nothing",
  input: message({ ...made, oidcToken: text }),
  output: newAccessKey,
  run: async ({ federation, request: { lookup, identified } }, input) => {
    const { orgId: organizationId, oidcToken: token, ...ask } = input;
    const from = { organizationId, token };
    return newAccessKeyOf(await federation.keyByOidc({ ...ask, ...from, lookup, identified }));
  },
});

/** Spec: https://docs.coreweave.com/products/storage/object-storage/reference/object-storage-api-ref/cwobject/create-access-key-from-container-credentials */
const createAccessKeyFromContainerCreds = operation({
  name: "CreateAccessKeyFromContainerCreds",
  summary:
    "Give an SDK a key of 15 minutes for the role that an OIDC token stands for. The token is the whole Authorization header.",
  method: "GET",
  path: "/v1/cwobject/temporary-credentials/oidc/{orgId}",
  needs: "nothing",
  input: message({ orgId: text }),
  output: containerCredentials,
  run: async ({ federation, request }, { orgId }) => {
    const { authorization = "", lookup, identified } = request;
    // An SDK whose user wrote "Bearer" all the same means the same.
    const token = authorization.replace(/^Bearer +/i, "").trim();
    const identity = await federation.identify(orgId, token);
    identified(identity.principal);
    const ask = { durationSeconds: FETCHED_SECONDS, lookup };
    return containerCredentialsOf(await federation.session(identity, ask));
  },
});

/** Spec: https://docs.coreweave.com/products/storage/object-storage/auth-access/manage-access-keys/about */
const createAccessKeyFromApiToken = operation({
  name: "CreateAccessKeyFromApiToken",
  summary: "Give an SDK a key of 15 minutes for the user whose API token it sends.",
  method: "GET",
  path: "/v1/cwobject/temporary-credentials/api-token",
  needs: "cwobject:CreateAccessKey",
  input: empty,
  output: containerCredentials,
  run: async ({ sessionKeys, caller }) => {
    if (caller.kind !== "principal") {
      const message = "the operator has no keys of its own: use the token of a user";
      throw new ControlError("FailedPrecondition", message);
    }
    const ask = { principal: caller.principal, durationSeconds: FETCHED_SECONDS };
    return containerCredentialsOf(await sessionKeys.create(ask));
  },
});

export const temporaryCredentials: readonly Operation[] = [
  createAccessKeyFromApiToken,
  createAccessKeyFromContainerCreds,
  createAccessKeyFromOidc,
  createAccessKeyFromSaml,
];
