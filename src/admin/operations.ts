import { accessKey } from "#admin/op/access-key.ts";
import { accessKeyStatus } from "#admin/op/access-key-status.ts";
import { accessPolicy } from "#admin/op/access-policy.ts";
import { apiToken } from "#admin/op/api-token.ts";
import { authCanI } from "#admin/op/auth-can-i.ts";
import { bucketInfoOperations } from "#admin/op/bucket-info.ts";
import { setBucketSettings } from "#admin/op/bucket-settings.ts";
import { explainAccess } from "#admin/op/explain-access.ts";
import { lifecyclePreview } from "#admin/op/lifecycle-preview.ts";
import { oidcConfiguration } from "#admin/op/oidc-configuration.ts";
import { organization } from "#admin/op/organization.ts";
import { organizationSettings } from "#admin/op/organization-settings.ts";
import { quotaOperations } from "#admin/op/quota.ts";
import { rateLimitOperations } from "#admin/op/rate-limits.ts";
import { revokeAccessKey } from "#admin/op/revoke-access-key.ts";
import { samlConfiguration } from "#admin/op/saml-configuration.ts";
import { scrubOperations } from "#admin/op/scrub.ts";
import { temporaryCredentials } from "#admin/op/temporary-credentials.ts";
import { usageOperations } from "#admin/op/usage.ts";
import { user } from "#admin/op/user.ts";
import { volumeOperations } from "#admin/op/volume.ts";
import { whoAmI } from "#admin/op/whoami.ts";
import { zone } from "#admin/op/zone.ts";
import type { Operation } from "#admin/operation.ts";

/**
 * The control API, all of it. Routing, the OpenAPI document, docs/control-api.md and the test that
 * every operation refuses strangers are read off this table.
 */
export const OPERATIONS: readonly Operation[] = [
  ...accessKey,
  ...accessKeyStatus,
  ...accessPolicy,
  ...apiToken,
  authCanI,
  ...bucketInfoOperations,
  explainAccess,
  lifecyclePreview,
  ...oidcConfiguration,
  ...organization,
  ...organizationSettings,
  ...quotaOperations,
  ...rateLimitOperations,
  ...revokeAccessKey,
  setBucketSettings,
  ...samlConfiguration,
  ...scrubOperations,
  ...temporaryCredentials,
  ...usageOperations,
  ...user,
  ...volumeOperations,
  whoAmI,
  ...zone,
];
