import type { Command } from "#cli/command.ts";
import { bucketCommands } from "#cli/command/bucket.ts";
import { keyCommands } from "#cli/command/key.ts";
import { lifecycleCommands } from "#cli/command/lifecycle.ts";
import { organizationCommands } from "#cli/command/organization.ts";
import { policyCommands } from "#cli/command/policy.ts";
import { tokenCommands } from "#cli/command/token.ts";
import { userCommands } from "#cli/command/user.ts";
import { whoamiCommand } from "#cli/command/whoami.ts";

/** All commands that ask a server something. Help and shell completion are read off this table. */
export const COMMANDS: readonly Command[] = [
  ...bucketCommands,
  ...keyCommands,
  ...policyCommands,
  ...organizationCommands,
  ...userCommands,
  ...tokenCommands,
  ...lifecycleCommands,
  whoamiCommand,
];
