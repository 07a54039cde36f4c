import { readFileSync } from "node:fs";
import { Api } from "#cli/api.ts";
import type { Command } from "#cli/command.ts";
import { COMMANDS } from "#cli/commands.ts";
import { completion } from "#cli/completion.ts";
import { connectionOf, type Environment } from "#cli/connection.ts";
import { CallError, UsageError } from "#cli/failure.ts";
import { COMMON, readGiven } from "#cli/given.ts";
import { commandHelp, groupHelp, overview } from "#cli/help.ts";

/** How a command ended. */
export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: 0 | 1 | 2;
}

/** Runs what follows `lode` on the command line. */
export async function runCli(args: readonly string[], environment: Environment): Promise<Ended> {
  try {
    return { stdout: await outputOf(args, environment), stderr: "", exitCode: 0 };
  } catch (cause) {
    if (!(cause instanceof UsageError) && !(cause instanceof CallError)) throw cause;
    const exitCode = cause instanceof UsageError ? 2 : 1;
    return { stdout: "", stderr: `lode: ${cause.message}\n`, exitCode };
  }
}

async function outputOf(given: readonly string[], environment: Environment): Promise<string> {
  const args = commandFirst(given);
  const [first, ...rest] = args;
  if (first === undefined || first === "--help" || first === "-h") return overview(COMMANDS);
  if (first === "help") return rest.length === 0 ? overview(COMMANDS) : helpOf(rest);
  if (first === "completion") return completion(rest[0], COMMANDS);
  const wantsHelp = args.includes("--help") || args.includes("-h");
  const command = COMMANDS.find(({ name }) => startsWith(args, name.split(" ")));
  if (wantsHelp) return helpOf(args.filter((arg) => !arg.startsWith("-")));
  if (command === undefined) throw unknown(args);
  return await run(command, args.slice(command.name.split(" ").length), environment);
}

/** Options that every command has may stand before it too. */
function commandFirst(args: readonly string[]): readonly string[] {
  let at = 0;
  while (args[at]?.startsWith("--")) {
    const { value } = COMMON[args[at]?.slice(2) ?? ""] ?? {};
    at += value === undefined ? 1 : 2;
  }
  return at >= args.length ? args : [...args.slice(at), ...args.slice(0, at)];
}

async function run(
  command: Command,
  args: readonly string[],
  environment: Environment,
): Promise<string> {
  const given = usageOf(command, () => readGiven(command, args));
  const api = new Api(connectionOf(given, environment));
  const { json, text } = await command.run(given, { api, readFile });
  return given.is("json") ? `${JSON.stringify(json, undefined, 2)}\n` : `${text}\n`;
}

/** Says of a wrong command line where help is. */
function usageOf<T>({ name }: Command, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    throw new UsageError(`${cause.message} "lode ${name} --help" tells how it is used.`);
  }
}

/** Fails: UsageError. */
function helpOf(words: readonly string[]): string {
  const command = COMMANDS.find(({ name }) => startsWith(words, name.split(" ")));
  if (command !== undefined) return commandHelp(command);
  const group = COMMANDS.filter(({ name }) => startsWith(name.split(" "), words.slice(0, 1)));
  if (group.length === 0) throw unknown(words);
  return groupHelp(group);
}

function startsWith(words: readonly string[], beginning: readonly string[]): boolean {
  return beginning.every((word, at) => words[at] === word);
}

function unknown([first = "", second = ""]: readonly string[]): UsageError {
  const group = COMMANDS.filter(({ name }) => name.split(" ", 1)[0] === first);
  if (group.length === 0) {
    return new UsageError(`there is no command "${first}". "lode help" lists them.`);
  }
  const known = group.map(({ name }) => name.slice(first.length + 1)).join(", ");
  const said =
    second === "" || second.startsWith("-") ? "" : `there is no "lode ${first} ${second}". `;
  return new UsageError(`${said}Say lode ${first} and one of: ${known}.`);
}

const STANDARD_INPUT = 0;

function readFile(path: string): string {
  try {
    return readFileSync(path === "-" ? STANDARD_INPUT : path, "utf8");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`${path}: it cannot be read (${why}).`);
  }
}
