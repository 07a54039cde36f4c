import type { Config } from "#config.ts";

/** One row for each setting: its flag, environment variable and key in the config file. */
export interface Setting {
  readonly flag: string;
  readonly env: string;
  readonly value: string;
  readonly fallback: string;
  readonly help: string;
  readonly repeatable?: true;
  /** Kept out of the command line, where every user of the machine could read it. */
  readonly secret?: true;
}

export const SETTINGS = {
  data: row(["data", "LODE_DATA", "DIR", "./data", "Where everything is stored."]),
  listen: row(["listen", "LODE_LISTEN", "HOST:PORT", "127.0.0.1:9000", "The S3 API."]),
  adminListen: row([
    "admin-listen",
    "LODE_ADMIN_LISTEN",
    "HOST:PORT",
    "127.0.0.1:9001",
    "The control API, health and metrics.",
  ]),
  baseDomains: {
    ...row([
      "base-domain",
      "LODE_BASE_DOMAINS",
      "NAME",
      "",
      "Host name below which the first label is a bucket; localhost is always one.",
    ]),
    repeatable: true,
  },
  addressing: row([
    "addressing",
    "LODE_ADDRESSING",
    "both|virtual",
    "both",
    "Whether buckets may stand in the path.",
  ]),
  region: row(["region", "LODE_REGION", "NAME", "us-east-1", "Region of buckets that name none."]),
  strictLocation: row([
    "strict-location",
    "LODE_STRICT_LOCATION",
    "true|false",
    "false",
    "Demand a LocationConstraint for each new bucket.",
  ]),
  workers: row([
    "workers",
    "LODE_WORKERS",
    "N",
    "",
    "Worker processes; one for each core when absent.",
  ]),
  tlsCert: row(["tls-cert", "LODE_TLS_CERT", "FILE", "", "Certificate chain (PEM): serves HTTPS."]),
  tlsKey: row(["tls-key", "LODE_TLS_KEY", "FILE", "", "Private key of the certificate (PEM)."]),
  tlsMin: row(["tls-min", "LODE_TLS_MIN", "1.2|1.3", "1.3", "Lowest TLS version."]),
  plainHttp: row([
    "plain-http",
    "LODE_PLAIN_HTTP",
    "true|false",
    "false",
    "Serve without TLS on addresses that other machines reach, as behind a proxy.",
  ]),
  rootAccessKeyId: {
    ...row([
      "root-access-key-id",
      "LODE_ROOT_ACCESS_KEY_ID",
      "ID",
      "",
      "Root key; made and kept in the data directory when absent.",
    ]),
    secret: true,
  },
  rootSecretAccessKey: {
    ...row(["root-secret-access-key", "LODE_ROOT_SECRET_ACCESS_KEY", "SECRET", "", "Its secret."]),
    secret: true,
  },
  adminToken: {
    ...row([
      "admin-token",
      "LODE_ADMIN_TOKEN",
      "TOKEN",
      "",
      "The operator's, for the control API; made and kept in the data directory when absent.",
    ]),
    secret: true,
  },
  masterKeyFile: row([
    "master-key-file",
    "LODE_MASTER_KEY_FILE",
    "FILE",
    "",
    "Keys that secrets and SSE-S3 objects are encrypted under; made in the data directory when absent.",
  ]),
  auditBatchSeconds: row([
    "audit-batch",
    "LODE_AUDIT_BATCH",
    "SECONDS",
    "300",
    "How long audit records are gathered before they are delivered together.",
  ]),
  garbageGraceSeconds: row([
    "garbage-grace",
    "LODE_GARBAGE_GRACE",
    "SECONDS",
    "600",
    "How long deleted bytes stay for those who still read them.",
  ]),
  lifecycleDaySeconds: row([
    "lifecycle-day-seconds",
    "LODE_LIFECYCLE_DAY_SECONDS",
    "SECONDS",
    "86400",
    "For tests: how long a day of a lifecycle rule lasts.",
  ]),
  scrubIntervalDays: row([
    "scrub-interval",
    "LODE_SCRUB_INTERVAL",
    "DAYS|off",
    "30",
    "How often all that is stored is read again and held against its checksums.",
  ]),
  scrubMibPerSecond: row([
    "scrub-rate",
    "LODE_SCRUB_RATE",
    "MIB",
    "16",
    "How much of it is read in a second, at the most.",
  ]),
  accessLog: row([
    "access-log",
    "LODE_ACCESS_LOG",
    "true|false",
    "true",
    "One line for each request, on standard error.",
  ]),
  logFormat: row([
    "log-format",
    "LODE_LOG_FORMAT",
    "auto|json|text",
    "auto",
    "auto: text on a terminal, else JSON.",
  ]),
} as const satisfies Record<keyof Config, Setting>;

export function settingNames(): (keyof Config)[] {
  return Object.keys(SETTINGS) as (keyof Config)[];
}

/** The lines of `lode serve --help`. */
export function settingsHelp(): string {
  const rows = settingNames().map((name) => {
    const setting: Setting = SETTINGS[name];
    const flag =
      setting.secret === true ? `(${setting.env})` : `--${setting.flag} ${setting.value}`;
    const shown = setting.fallback === "" ? "" : ` [${setting.fallback}]`;
    const env = setting.secret === true ? "" : setting.env;
    return `  ${flag.padEnd(34)} ${env.padEnd(22)} ${setting.help}${shown}`;
  });
  const last =
    'A flag stands above its environment variable, and that above "some-flag" in the JSON file that --config or LODE_CONFIG names.';
  return `${rows.join("\n")}\n\n${last}\n`;
}

function row([flag, env, value, fallback, help]: Readonly<
  [flag: string, env: string, value: string, fallback: string, help: string]
>): Setting {
  return { flag, env, value, fallback, help };
}
