import type { Command, Option } from "#cli/command.ts";
import { COMMON } from "#cli/given.ts";

const INTRODUCTION = "lode: self-hosted, S3-compatible object storage";

const WHERE = `These ask the control API of a server, at --admin-url or LODE_ADMIN_URL (http://127.0.0.1:9001 when neither is
set), with the token of LODE_ADMIN_TOKEN or --token. Without one, and without another server, they use the operator's
of the data directory: data/admin-token here, or in LODE_DATA.

"lode COMMAND --help" tells more; --json prints what the server answered.
Exit codes: 0 done, 1 refused or failed, 2 wrong usage.
`;

/** A command of this program that asks no server. */
export interface LocalCommand {
  readonly usage: string;
  readonly summary: string;
}

export const LOCAL_COMMANDS: readonly LocalCommand[] = [
  { usage: "serve [settings]", summary: "serve S3 (lode serve --help lists the settings)" },
  { usage: "check --data DIR", summary: "look whether all that is stored fits together; --repair" },
  { usage: "backup --data DIR --to DIR", summary: "copy a data directory, served or not" },
  { usage: "restore --from DIR --data DIR", summary: "make a data directory of a backup" },
  { usage: "prove --endpoint URL", summary: "hold any S3 server to what it promises" },
  { usage: "completion SHELL", summary: "print what makes bash, zsh or fish complete commands" },
  { usage: "version", summary: "print the version" },
];

/** What `lode help` prints. */
export function overview(commands: readonly Command[]): string {
  const local = LOCAL_COMMANDS.map(({ usage, summary }) => line(`lode ${usage}`, summary));
  const asking = commands.map((command) => line(usageOf(command), command.summary));
  return `${INTRODUCTION}\n\n${local.join("\n")}\n\n${asking.join("\n")}\n\n${WHERE}`;
}

/** What `lode key --help` prints: the commands that begin with these words. */
export function groupHelp(commands: readonly Command[]): string {
  return `${commands.map((command) => line(usageOf(command), command.summary)).join("\n")}\n`;
}

/** What `lode key create --help` prints. */
export function commandHelp(command: Command): string {
  const own = Object.entries(command.options ?? {}).map(optionLine);
  const common = Object.entries(COMMON).map(optionLine);
  const more = command.more === undefined ? [] : [command.more, ""];
  return [
    `${usageOf(command)}${own.length > 0 ? " [options]" : ""}`,
    "",
    `${command.summary.slice(0, 1).toUpperCase()}${command.summary.slice(1)}.`,
    "",
    ...more,
    ...(own.length > 0 ? [...own, ""] : []),
    ...common,
    "",
  ].join("\n");
}

function usageOf({ name, arguments: wanted = [] }: Command): string {
  const words = wanted.map(({ name, optional }) => (optional === true ? `[${name}]` : name));
  return ["lode", name, ...words].join(" ");
}

function optionLine([name, { value, summary, repeatable }]: readonly [string, Option]): string {
  const left = value === undefined ? `--${name}` : `--${name} ${value}`;
  return line(left, `${summary}${repeatable === true ? "; can be repeated" : ""}`);
}

function line(left: string, right: string): string {
  return `  ${left.padEnd(30)} ${right}`;
}
