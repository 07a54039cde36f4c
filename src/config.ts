import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { isLoopback } from "#base/loopback.ts";
import { SETTINGS, type Setting, settingNames } from "#settings.ts";

/** A setting that cannot be used. The message names it and the mend. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Config {
  readonly data: string;
  readonly listen: Address;
  readonly adminListen: Address;
  readonly baseDomains: readonly string[];
  readonly addressing: "both" | "virtual";
  readonly region: string;
  readonly strictLocation: boolean;
  readonly workers: number;
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  readonly tlsMin: "1.2" | "1.3";
  /** Serve without TLS where others than this machine can reach it. */
  readonly plainHttp: boolean;
  readonly rootAccessKeyId: string | undefined;
  readonly rootSecretAccessKey: string | undefined;
  /** The operator's, for the control API; undefined: in the data directory. */
  readonly adminToken: string | undefined;
  /** Where the master keys are; undefined: in the data directory. */
  readonly masterKeyFile: string | undefined;
  /** How long audit records are gathered before they are delivered together. */
  readonly auditBatchSeconds: number;
  readonly garbageGraceSeconds: number;
  /** How long a day of a lifecycle rule lasts. */
  readonly lifecycleDaySeconds: number;
  /** How often all that is stored is read again; 0: only when somebody asks. */
  readonly scrubIntervalDays: number;
  readonly scrubMibPerSecond: number;
  readonly accessLog: boolean;
  readonly logFormat: "auto" | "json" | "text";
}

type Name = keyof Config;
type Texts = Readonly<Record<Name, string>>;

/**
 * Flags stand above environment variables, those above the config file (JSON, keys as the flags).
 * Fails: ConfigError.
 */
export function readConfig(args: readonly string[], environment: NodeJS.ProcessEnv): Config {
  const flags = readFlags(args);
  const file = readFile(flags.get("config") ?? environment["LODE_CONFIG"]);
  const texts = Object.fromEntries(
    settingNames().map((name) => {
      const { flag, env, fallback } = SETTINGS[name];
      const { secret }: Setting = SETTINGS[name];
      // A variable that is there and empty is how scripts and containers leave a secret out.
      const set = secret === true && environment[env] === "" ? undefined : environment[env];
      return [name, flags.get(flag) ?? set ?? file.get(flag) ?? fallback];
    }),
  ) as Texts;
  return check(texts);
}

const BOOLEANS = ["strict-location", "plain-http", "access-log"];

function readFlags(args: readonly string[]): Map<string, string> {
  const known = settingNames()
    .map((name): Setting => SETTINGS[name])
    .filter(({ secret }) => secret !== true);
  const options = Object.fromEntries([
    ["config", { type: "string" as const }],
    ...known.map(({ flag, repeatable }) => [
      flag,
      { type: "string" as const, multiple: repeatable === true },
    ]),
  ]);
  const flags = new Map<string, string>();
  try {
    // `--strict-location` alone means true.
    const spelled = args.map((arg, at) => {
      const alone = BOOLEANS.includes(arg.slice(2)) && !/^(?:true|false)$/.test(args[at + 1] ?? "");
      return alone ? `${arg}=true` : arg;
    });
    const { values } = parseArgs({ args: spelled, options, strict: true, allowPositionals: false });
    for (const [name, value] of Object.entries(values)) {
      if (value !== undefined)
        flags.set(name, Array.isArray(value) ? value.join(",") : String(value));
    }
  } catch (cause) {
    const message = cause instanceof Error ? cause.message.split(". To specify")[0] : String(cause);
    throw new ConfigError(
      `${message?.replace(/\.+$/, "")}. "lode serve --help" lists the settings.`,
    );
  }
  return flags;
}

function readFile(path: string | undefined): Map<string, string> {
  if (path === undefined || path === "") return new Map();
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new ConfigError(
      `--config ${path}: ${cause instanceof Error ? cause.message : cause}. It must be a JSON object.`,
    );
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new ConfigError(
      `--config ${path}: it must be a JSON object, as {"listen": "0.0.0.0:9000"}.`,
    );
  }
  const known = settingNames().map((name) => SETTINGS[name].flag as string);
  const entries = Object.entries(json).map(([key, value]): [string, string] => {
    if (!known.includes(key)) {
      throw new ConfigError(
        `--config ${path}: there is no setting "${key}". Known: ${known.join(", ")}.`,
      );
    }
    return [key, Array.isArray(value) ? value.join(",") : String(value)];
  });
  return new Map(entries);
}

function check(texts: Texts): Config {
  const [tlsCert, tlsKey] = [optional(texts.tlsCert), optional(texts.tlsKey)];
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new ConfigError("--tls-cert and --tls-key go together: give both files, or neither.");
  }
  const [id, secret] = [optional(texts.rootAccessKeyId), optional(texts.rootSecretAccessKey)];
  if ((id === undefined) !== (secret === undefined)) {
    throw new ConfigError(
      "LODE_ROOT_ACCESS_KEY_ID and LODE_ROOT_SECRET_ACCESS_KEY go together: set both, or neither.",
    );
  }
  const plainHttp = oneOf("plainHttp", texts.plainHttp, ["true", "false"]) === "true";
  const readAddress = tlsCert === undefined && !plainHttp ? loopbackAddress : address;
  const adminToken = optional(texts.adminToken);
  return {
    data: directory(texts.data),
    listen: readAddress("listen", texts.listen),
    adminListen: readAddress("adminListen", texts.adminListen),
    baseDomains: domains(texts.baseDomains),
    addressing: oneOf("addressing", texts.addressing, ["both", "virtual"]),
    region: matching("region", texts.region, /^[A-Za-z0-9][A-Za-z0-9-]{0,62}$/),
    strictLocation: oneOf("strictLocation", texts.strictLocation, ["true", "false"]) === "true",
    workers:
      texts.workers === ""
        ? Math.min(availableParallelism(), 64)
        : count("workers", texts.workers, 1, 64),
    tlsCert,
    tlsKey,
    plainHttp,
    tlsMin: oneOf("tlsMin", texts.tlsMin, ["1.2", "1.3"]),
    rootAccessKeyId: id === undefined ? undefined : matching("rootAccessKeyId", id, /^\w{3,128}$/),
    rootSecretAccessKey:
      secret === undefined ? undefined : matching("rootSecretAccessKey", secret, /^\S{8,128}$/),
    adminToken:
      adminToken === undefined
        ? undefined
        : matching("adminToken", adminToken, /^[\x21-\x7e]{16,512}$/),
    masterKeyFile: optional(texts.masterKeyFile),
    auditBatchSeconds: count("auditBatchSeconds", texts.auditBatchSeconds, 1, 86_400),
    garbageGraceSeconds: count("garbageGraceSeconds", texts.garbageGraceSeconds, 0, 31_536_000),
    lifecycleDaySeconds: count("lifecycleDaySeconds", texts.lifecycleDaySeconds, 1, 86_400),
    scrubIntervalDays:
      texts.scrubIntervalDays === "off"
        ? 0
        : count("scrubIntervalDays", texts.scrubIntervalDays, 0, 3_650),
    scrubMibPerSecond: count("scrubMibPerSecond", texts.scrubMibPerSecond, 1, 100_000),
    accessLog: oneOf("accessLog", texts.accessLog, ["true", "false"]) === "true",
    logFormat: oneOf("logFormat", texts.logFormat, ["auto", "json", "text"]),
  };
}

/** Nothing would mean the working directory, which is never what was meant. */
function directory(text: string): string {
  if (text.trim() === "") throw bad("data", text, "name a directory.");
  return resolve(text);
}

function domains(text: string): readonly string[] {
  const given = text.split(",").map((name) => name.trim().toLowerCase().replace(/^\./, ""));
  return [...new Set([...given.filter((name) => name !== ""), "localhost"])];
}

function optional(text: string): string | undefined {
  return text === "" ? undefined : text;
}

function bad(name: Name, text: string, mend: string): ConfigError {
  const { flag, env } = SETTINGS[name];
  const setting: Setting = SETTINGS[name];
  const shown = setting.secret === true ? env : `--${flag} ${JSON.stringify(text)}`;
  return new ConfigError(`${shown}: ${mend}`);
}

function address(name: Name, text: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) throw bad(name, text, "give HOST:PORT, as 127.0.0.1:9000.");
  return { host: match[1] ?? (match[2] || "0.0.0.0"), port };
}

/** Fails: ConfigError: what goes over a network in the clear can be read and replayed there. */
function loopbackAddress(name: Name, text: string): Address {
  const read = address(name, text);
  if (isLoopback(read.host)) return read;
  const mend =
    "other machines could reach it without TLS. Give --tls-cert and --tls-key, or --plain-http true where a proxy or a private network protects it.";
  throw bad(name, text, mend);
}

function oneOf<const T extends string>(name: Name, text: string, values: readonly T[]): T {
  const value = values.find((known) => known === text);
  if (value === undefined) throw bad(name, text, `give one of ${values.join(", ")}.`);
  return value;
}

function matching(name: Name, text: string, shape: RegExp): string {
  if (shape.test(text)) return text;
  throw bad(name, text, `it must match ${shape.source}.`);
}

function count(name: Name, text: string, ...[min, max]: [number, number]): number {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw bad(name, text, `give a whole number from ${min} to ${max}.`);
}
