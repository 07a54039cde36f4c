import type { Api } from "#cli/api.ts";
import type { Given } from "#cli/given.ts";

/** What a command prints. */
export interface Shown {
  /** With `--json`: what the server answered. */
  readonly json: unknown;
  /** For people; ends without a line break. */
  readonly text: string;
}

interface Argument {
  /** As help shows it, in upper case. */
  readonly name: string;
  readonly optional?: true;
}

export interface Option {
  /** As help shows its value; absent for a switch. */
  readonly value?: string;
  readonly summary: string;
  readonly repeatable?: true;
}

/** One command. Help, the reading of arguments and shell completion follow from it. */
export interface Command {
  /** As `key create`. */
  readonly name: string;
  readonly summary: string;
  readonly arguments?: readonly Argument[];
  readonly options?: Readonly<Record<string, Option>>;
  /** What else there is to know, and an example. */
  readonly more?: string;
  readonly run: (given: Given, world: World) => Promise<Shown>;
}

/** What a command may touch. */
export interface World {
  readonly api: Api;
  /** Of a file, or of standard input for "-". Fails: UsageError. */
  readonly readFile: (path: string) => string;
}
