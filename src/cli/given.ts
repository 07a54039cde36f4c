import { parseArgs } from "node:util";
import type { Command, Option } from "#cli/command.ts";
import { UsageError } from "#cli/failure.ts";

/** Options that every command has. */
export const COMMON: Readonly<Record<string, Option>> = {
  org: { value: "ID", summary: "the operator's: of this organization, not of the first" },
  json: { summary: "print what the server answered, as JSON" },
  "admin-url": { value: "URL", summary: "where the control API is [LODE_ADMIN_URL]" },
  token: { value: "TOKEN", summary: "better in the environment [LODE_ADMIN_TOKEN]" },
  help: { summary: "print this" },
};

type Value = string | boolean | readonly (string | boolean)[] | undefined;

/** Arguments and options as they were given to a command. */
export class Given {
  readonly #arguments: ReadonlyMap<string, string>;
  readonly #options: Readonly<Record<string, Value>>;

  constructor(
    argumentsGiven: ReadonlyMap<string, string>,
    options: Readonly<Record<string, Value>>,
  ) {
    this.#arguments = argumentsGiven;
    this.#options = options;
  }

  /** One that the command cannot do without, so that it is there. */
  argument(name: string): string {
    return this.#arguments.get(name) ?? "";
  }

  optionalArgument(name: string): string | undefined {
    return this.#arguments.get(name);
  }

  text(option: string): string | undefined {
    const value = this.#options[option];
    return typeof value === "string" ? value : undefined;
  }

  /** Fails: UsageError when it is not there. */
  requiredText(option: string): string {
    const value = this.text(option);
    if (value === undefined) throw new UsageError(`--${option} is missing.`);
    return value;
  }

  /** undefined when the option does not stand there at all. */
  texts(option: string): readonly string[] | undefined {
    const value = this.#options[option];
    if (!Array.isArray(value)) return undefined;
    return value.filter((each): each is string => typeof each === "string");
  }

  is(option: string): boolean {
    return this.#options[option] === true;
  }
}

/** Fails: UsageError. */
export function readGiven(command: Command, args: readonly string[]): Given {
  const known = { ...command.options, ...COMMON };
  const options = Object.fromEntries(
    Object.entries(known).map(([name, { value, repeatable }]) => [
      name,
      {
        type: value === undefined ? ("boolean" as const) : ("string" as const),
        multiple: repeatable === true,
      },
    ]),
  );
  const { values, positionals } = parse(args, options);
  const wanted = command.arguments ?? [];
  const required = wanted.filter(({ optional }) => optional !== true);
  const missing = required[positionals.length];
  if (missing !== undefined) throw new UsageError(`${missing.name} is missing.`);
  if (positionals.length > wanted.length) {
    throw new UsageError(`"${positionals[wanted.length]}" is one argument too many.`);
  }
  const named = positionals.map((value, at): [string, string] => [wanted[at]?.name ?? "", value]);
  return new Given(new Map(named), values as Readonly<Record<string, Value>>);
}

function parse(args: readonly string[], options: Parameters<typeof parseArgs>[0] & object) {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true } as object as {
      readonly args: readonly string[];
    });
  } catch (cause) {
    const whole = cause instanceof Error ? cause.message : String(cause);
    const message = whole.split(/\n|\. To specify/, 1)[0];
    throw new UsageError(`${message?.replace(/\.+$/, "")}.`);
  }
}
