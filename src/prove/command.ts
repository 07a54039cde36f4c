import { parseArgs } from "node:util";
import { keepAlive, systemClock } from "#base/clock.ts";
import type { Target } from "#prove/client.ts";
import { Unready } from "#prove/promise.ts";
import { type Proved, type ProveReport, prove } from "#prove/prove.ts";

const HELP = `lode prove --endpoint URL [options]

Holds any S3 server to what it promises: races of conditional writes, reads and lists after writes, wrong
checksums, bodies that are cut, overwrites under readers, renames, ranges. In a bucket of its own, that it
makes and removes; some 30 MiB are sent.

  --endpoint URL    http://host:port or https [AWS_ENDPOINT_URL]
  --region NAME     [AWS_REGION, AWS_DEFAULT_REGION], us-east-1 otherwise
  --virtual-host    the bucket stands in the host name, not in the path
  --json            print the report as JSON

The key is taken from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN: every user of the
machine could read it on the command line. Exit codes: 0 every promise that is offered is kept; 1 one is broken;
2 wrong usage, or no bucket can be made.
`;

type Environment = Readonly<Record<string, string | undefined>>;

/** The command line was wrong, or the environment lacks something. */
class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Resolves to the exit code. */
export async function runProve(
  args: readonly string[],
  environment: Environment,
): Promise<0 | 1 | 2> {
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(HELP);
    return 0;
  }
  using _alive = keepAlive();
  try {
    const { target, isJson } = readTarget(args, environment);
    const report = await prove(target, {
      told: (proved) => {
        if (!isJson) process.stdout.write(line(proved));
      },
    });
    process.stdout.write(isJson ? `${JSON.stringify(report, undefined, 2)}\n` : endOf(report));
    return report.promises.some(({ verdict }) => verdict === "fail") ? 1 : 0;
  } catch (cause) {
    if (!(cause instanceof UsageError) && !(cause instanceof Unready)) throw cause;
    process.stderr.write(`lode: ${cause.message}\n`);
    return 2;
  }
}

function line({ verdict, name, title, evidence }: Proved): string {
  return `${verdict.padEnd(12)} ${name.padEnd(20)} ${title}\n${"".padEnd(34)}${visible(evidence)}\n`;
}

function endOf({ promises, bucket, left }: ProveReport): string {
  const count = (wanted: Proved["verdict"]) =>
    promises.filter(({ verdict }) => verdict === wanted).length;
  const all = `${count("pass")} kept, ${count("fail")} broken, ${count("not offered")} not offered`;
  const rest = left === undefined ? "" : `\nBucket ${bucket} could not be removed: ${left}`;
  return `\n${all}${rest}\n`;
}

/** What a server says cannot move the cursor of a terminal. */
function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, (char) => JSON.stringify(char).slice(1, -1));
}

function readTarget(
  args: readonly string[],
  environment: Environment,
): { readonly target: Target; readonly isJson: boolean } {
  const values = parsed(args);
  const region = values.region ?? environment["AWS_REGION"] ?? environment["AWS_DEFAULT_REGION"];
  const target: Target = {
    endpoint: endpointOf(values.endpoint ?? environment["AWS_ENDPOINT_URL"]),
    credentials: {
      accessKeyId: required(environment, "AWS_ACCESS_KEY_ID"),
      secret: required(environment, "AWS_SECRET_ACCESS_KEY"),
      sessionToken: environment["AWS_SESSION_TOKEN"],
      region: region ?? "us-east-1",
    },
    virtualHost: values["virtual-host"] === true,
    clock: systemClock,
  };
  return { target, isJson: values.json === true };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        endpoint: { type: "string" },
        region: { type: "string" },
        "virtual-host": { type: "boolean" },
        json: { type: "boolean" },
      },
    }).values;
  } catch (cause) {
    const [said] = String(cause instanceof Error ? cause.message : cause).split(". To specify");
    throw new UsageError(`${said?.replace(/\.+$/, "")}. "lode prove --help" tells how it is used.`);
  }
}

function endpointOf(text: string | undefined): URL {
  if (text === undefined) throw new UsageError("--endpoint URL is missing.");
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHttp = url?.protocol === "http:" || url?.protocol === "https:";
  if (url !== undefined && isHttp && url.pathname === "/" && url.search === "") return url;
  throw new UsageError(
    `--endpoint "${text}": give http://host:port or https://host, without a path.`,
  );
}

function required(environment: Environment, name: string): string {
  const value = environment[name];
  if (value !== undefined && value !== "") return value;
  throw new UsageError(`${name} is not set: the key is taken from the environment.`);
}
