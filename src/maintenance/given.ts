import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

/** The command line was wrong. The message says how to mend it. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export interface OfflineCommand {
  readonly help: string;
  /** Whether they take a value. */
  readonly options: Readonly<Record<string, { readonly type: "string" | "boolean" }>>;
  readonly run: (
    given: Given,
    progress: (what: string, done: number) => void,
  ) => Promise<CommandOutcome>;
}

export interface CommandOutcome {
  readonly text: string;
  readonly json: unknown;
  readonly isWell: boolean;
}

/** What a command was given. */
export class Given {
  readonly #values: Readonly<Record<string, string | boolean | undefined>>;
  readonly #environment: Readonly<Record<string, string | undefined>>;

  constructor(
    values: Readonly<Record<string, string | boolean | undefined>>,
    environment: Readonly<Record<string, string | undefined>>,
  ) {
    this.#values = values;
    this.#environment = environment;
  }

  is(option: string): boolean {
    return this.#values[option] === true;
  }

  text(option: string): string | undefined {
    const value = this.#values[option];
    return typeof value === "string" ? value : undefined;
  }

  /** An absolute path. Fails: UsageError when it is missing. */
  path(option: string): string {
    const value =
      this.text(option) ?? (option === "data" ? this.#environment["LODE_DATA"] : undefined);
    if (value === undefined || value === "") throw new UsageError(`--${option} DIR is missing.`);
    return resolve(value);
  }

  /** MiB a second, as bytes. Fails: UsageError. */
  rate(): number {
    const text = this.text("rate") ?? RATE_MIB;
    const rate = Number(text);
    if (/^\d{1,6}(?:\.\d{1,3})?$/.test(text) && rate > 0) return rate * 2 ** 20;
    throw new UsageError(`--rate "${text}": give MiB a second, as 100 or 2.5.`);
  }
}

const RATE_MIB = "200";

/** Fails: UsageError. */
export function readGiven(
  { options }: OfflineCommand,
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Given {
  try {
    const all = { ...options, json: { type: "boolean" } } as const;
    const { values } = parseArgs({ args: [...args], options: all, strict: true });
    const given = new Given(values as Record<string, string | boolean | undefined>, environment);
    // What a command needs is asked for before anything is touched.
    for (const option of PATHS) if (option in options) given.path(option);
    given.rate();
    return given;
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    const message = cause instanceof Error ? cause.message.split(". To specify")[0] : String(cause);
    throw new UsageError(`${message?.replace(/\.+$/, "")}.`);
  }
}

const PATHS = ["data", "from", "to"];

/** Fails: StorageError-free; UsageError when no server ever ran there. */
export function requireDataDirectory(path: string): void {
  if (existsSync(join(path, "format.json"))) return;
  throw new UsageError(
    `--data ${path}: this is no data directory. Name the one that "lode serve" uses.`,
  );
}
