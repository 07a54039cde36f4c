import { keepAlive } from "#base/clock.ts";
import { StorageError } from "#base/error.ts";
import { BACKUP } from "#maintenance/backup-command.ts";
import { CHECK } from "#maintenance/check-command.ts";
import { type OfflineCommand, readGiven, UsageError } from "#maintenance/given.ts";
import { RESTORE } from "#maintenance/restore-command.ts";

const COMMANDS: Readonly<Record<"check" | "backup" | "restore", OfflineCommand>> = {
  check: CHECK,
  backup: BACKUP,
  restore: RESTORE,
};

/**
 * Runs a command that opens data directories itself and asks no server. Resolves to the exit code: 0 done
 * and nothing wrong, 1 something is wrong, 2 wrong usage.
 */
export async function runMaintenance(
  name: keyof typeof COMMANDS,
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<0 | 1 | 2> {
  const command = COMMANDS[name];
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(command.help);
    return 0;
  }
  // What rests to keep to a rate must not be taken for what has ended.
  using _alive = keepAlive();
  try {
    const given = readGiven(command, args, environment);
    const { text, json, isWell } = await command.run(given, progressTo(process.stderr));
    process.stdout.write(given.is("json") ? `${JSON.stringify(json, undefined, 2)}\n` : text);
    return isWell ? 0 : 1;
  } catch (cause) {
    if (cause instanceof StorageError && cause.kind !== "conflict") {
      process.stderr.write(`lode: ${cause.message}\n`);
      return 1;
    }
    if (!(cause instanceof UsageError)) throw cause;
    process.stderr.write(`lode: ${cause.message} "lode ${name} --help" tells how it is used.\n`);
    return 2;
  }
}

function progressTo(stream: NodeJS.WriteStream): (what: string, done: number) => void {
  return (what, done) => {
    stream.write(done === 0 ? `${what} …\n` : `${what} … ${done.toLocaleString("en-US")}\n`);
  };
}
