import { bucketCommands } from "#cli/command/bucket.ts";
import { federationCommands } from "#cli/command/federation.ts";
import { keyCommands } from "#cli/command/key.ts";
import { lifecycleCommands } from "#cli/command/lifecycle.ts";
import { organizationCommands } from "#cli/command/organization.ts";
import { policyCommands } from "#cli/command/policy.ts";
import { quotaCommands } from "#cli/command/quota.ts";
import { rateLimitCommands } from "#cli/command/rate-limit.ts";
import { scrubCommands } from "#cli/command/scrub.ts";
import { tokenCommands } from "#cli/command/token.ts";
import { usageCommands } from "#cli/command/usage.ts";
import { userCommands } from "#cli/command/user.ts";
import { volumeCommands } from "#cli/command/volume.ts";
import { whoamiCommand } from "#cli/command/whoami.ts";
import { zoneCommands } from "#cli/command/zone.ts";
import type { Command } from "#cli/command.ts";

/** All commands that ask a server something. Help and shell completion are read off this table. */
export const COMMANDS: readonly Command[] = [
  ...bucketCommands,
  ...keyCommands,
  ...policyCommands,
  ...organizationCommands,
  ...userCommands,
  ...tokenCommands,
  ...federationCommands,
  ...lifecycleCommands,
  ...quotaCommands,
  ...rateLimitCommands,
  ...usageCommands,
  ...scrubCommands,
  ...volumeCommands,
  ...zoneCommands,
  whoamiCommand,
];
