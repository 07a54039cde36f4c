import { availableParallelism, tmpdir } from "node:os";
import { parseArgs } from "node:util";
import type { Endpoint } from "./client/session.ts";

const GROUPS = [
  "get",
  "put",
  "encryption",
  "policies",
  "delete",
  "list",
  "versions",
  "multipart",
  "copy",
  "rename",
  "sweep",
  "volume-list",
  "volume-get",
  "startup",
  "targets",
  "scale",
  "hostile",
] as const;
export type Group = (typeof GROUPS)[number];

/** Only when they are asked for by name: they take long, and measure something else than speed. */
const LONG_GROUPS: readonly Group[] = ["scale", "hostile"];

interface PeerOption {
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly pid?: number | undefined;
}

export interface Options {
  readonly peers: readonly PeerOption[];
  /** Start Lode and measure it first; false when an endpoint was named instead. */
  readonly startsLode: boolean;
  readonly groups: ReadonlySet<Group>;
  readonly quick: boolean;
  readonly large: boolean;
  /** How many objects a lifecycle sweep is measured over; by the scale of the run when absent. */
  readonly sweepKeys: number | undefined;
  /** How many files a volume is listed over; by the scale of the run when absent. */
  readonly volumeFiles: number | undefined;
  /** How many objects there are when rates are measured at scale; by the scale of the run when absent. */
  readonly scaleKeys: number | undefined;
  readonly workers: number;
  readonly drivers: number;
  readonly secondsPerCell: number;
  readonly dataParent: string;
  readonly json?: string | undefined;
  readonly compare?: string | undefined;
}

/** A setting that cannot be used; the message names it and the mend. */
export class UsageError extends Error {}

export const USAGE = `Usage: npm run bench -- [options]
  --quick               about a minute, smaller sizes
  --large               also list a bucket of 1,000,000 keys
  --sweep-keys N        objects under the lifecycle sweep (100,000, with --quick 10,000)
  --volume-files N      files of the volume that is listed (100,000, with --quick 20,000)
  --scale-keys N        objects of the scale rows (1,000,000, with --quick 100,000)
  --only a,b            of: ${GROUPS.join(", ")}
  --seconds N           time of one cell, all its rounds together (6, with --quick 1)
  --workers N           worker processes of Lode and of the baselines (one per core)
  --drivers N           load processes (one per four cores)
  --data-parent DIR     where the temporary data directory is made (the system's)
  --json FILE           write the results
  --compare FILE        print ratios against an earlier result
  --endpoint URL        measure this server instead of starting Lode
  --server-pid PID      its process, for processor and memory columns
  --access-key, --secret-key, --region    for --endpoint and for peers without their own
  --peer NAME=URL       measure this server too, in turn; http://ACCESS:SECRET@HOST:PORT
  --peer-pid NAME=PID   its process
  --allow-remote        allow hosts other than this machine
`;

const SPEC = {
  quick: { type: "boolean" },
  large: { type: "boolean" },
  "sweep-keys": { type: "string" },
  "volume-files": { type: "string" },
  "scale-keys": { type: "string" },
  only: { type: "string" },
  seconds: { type: "string" },
  workers: { type: "string" },
  drivers: { type: "string" },
  "data-parent": { type: "string" },
  json: { type: "string" },
  compare: { type: "string" },
  endpoint: { type: "string" },
  "server-pid": { type: "string" },
  "access-key": { type: "string" },
  "secret-key": { type: "string" },
  region: { type: "string" },
  peer: { type: "string", multiple: true },
  "peer-pid": { type: "string", multiple: true },
  "allow-remote": { type: "boolean" },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof SPEC }>>["values"];

/** Fails: UsageError. */
export function parseOptions(args: readonly string[]): Options {
  const values = readArgs(args);
  const quick = values.quick ?? false;
  const workers = positive(values.workers, "--workers") ?? availableParallelism();
  const drivers = Math.max(1, Math.min(8, Math.floor(availableParallelism() / 4)));
  return {
    peers: peersOf(values),
    startsLode: values.endpoint === undefined,
    groups: groupsOf(values.only),
    quick,
    large: values.large ?? false,
    sweepKeys: positive(values["sweep-keys"], "--sweep-keys"),
    volumeFiles: positive(values["volume-files"], "--volume-files"),
    scaleKeys: positive(values["scale-keys"], "--scale-keys"),
    workers,
    drivers: positive(values.drivers, "--drivers") ?? drivers,
    secondsPerCell: positive(values.seconds, "--seconds") ?? (quick ? 1 : 6),
    dataParent: values["data-parent"] ?? tmpdir(),
    json: values.json,
    compare: values.compare,
  };
}

function readArgs(args: readonly string[]): Values {
  try {
    return parseArgs({ args: [...args], options: SPEC }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function groupsOf(only: string | undefined): Set<Group> {
  const usual = GROUPS.filter((group) => !LONG_GROUPS.includes(group));
  const names = only === undefined ? usual : only.split(",").map((name) => name.trim());
  return new Set(
    names.map((name) => {
      const group = GROUPS.find((known) => known === name);
      if (group === undefined) throw new UsageError(`--only ${name}: use ${GROUPS.join(", ")}`);
      return group;
    }),
  );
}

function peersOf(values: Values): PeerOption[] {
  const pids = new Map((values["peer-pid"] ?? []).map((text) => pair(text, "--peer-pid")));
  const named = (values.peer ?? []).map((text) => pair(text, "--peer"));
  const peers = named.map(([name, url]) => ({
    name,
    endpoint: endpointOf(url, values),
    pid: positive(pids.get(name), "--peer-pid"),
  }));
  if (values.endpoint === undefined) return peers;
  const endpoint = endpointOf(values.endpoint, values);
  const pid = positive(values["server-pid"], "--server-pid");
  return [{ name: "endpoint", endpoint, pid }, ...peers];
}

function endpointOf(text: string, values: Values): Endpoint {
  const url = URL.parse(text);
  if (url === null || url.protocol !== "http:") {
    throw new UsageError(`${text}: give an http:// address`);
  }
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (!isLoopback(host) && values["allow-remote"] !== true) {
    throw new UsageError(`${text} is not this machine: add --allow-remote if it is yours`);
  }
  return {
    host,
    port: Number(url.port || 80),
    accessKeyId: decodeURIComponent(url.username) || (values["access-key"] ?? ""),
    secretAccessKey: decodeURIComponent(url.password) || (values["secret-key"] ?? ""),
    region: values.region ?? "us-east-1",
  };
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function pair(text: string, option: string): [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw new UsageError(`${option} ${text}: write NAME=VALUE`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function positive(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0)) throw new UsageError(`${option} ${text}: give a number above zero`);
  return value;
}
