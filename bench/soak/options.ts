import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { UsageError } from "../options.ts";

export interface SoakOptions {
  readonly minutes: number;
  /** Clients, each with keys of its own. */
  readonly lanes: number;
  readonly workers: number;
  /** Steps a second of all clients together; as many as they can when absent. */
  readonly rate: number | undefined;
  readonly dataParent: string;
  /** The CSV and the SVG, without their endings. */
  readonly out: string;
}

export const SOAK_USAGE = `Usage: npm run soak -- [options]
  --minutes N         how long (10)
  --lanes N           clients at a time (8)
  --workers N         worker processes of Lode (2)
  --rate N            steps a second of all clients together (as many as they can)
  --data-parent DIR   where the temporary data directory is made (the system's)
  --out PATH          where PATH.csv and PATH.svg are written (./soak)
`;

/** Fails: UsageError. */
export function parseSoakOptions(args: readonly string[]): SoakOptions {
  const values = readArgs(args);
  return {
    minutes: positive(values.minutes, { option: "--minutes", otherwise: 10 }),
    lanes: Math.ceil(positive(values.lanes, { option: "--lanes", otherwise: 8 })),
    workers: Math.ceil(positive(values.workers, { option: "--workers", otherwise: 2 })),
    rate:
      values.rate === undefined
        ? undefined
        : positive(values.rate, { option: "--rate", otherwise: 0 }),
    dataParent: values["data-parent"] ?? tmpdir(),
    out: values.out ?? "soak",
  };
}

function readArgs(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        minutes: { type: "string" },
        lanes: { type: "string" },
        workers: { type: "string" },
        rate: { type: "string" },
        "data-parent": { type: "string" },
        out: { type: "string" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function positive(
  text: string | undefined,
  { option, otherwise }: { readonly option: string; readonly otherwise: number },
): number {
  const value = Number(text ?? otherwise);
  if (value > 0 && value <= 10_000) return value;
  throw new UsageError(`${option} ${text}: give a number above zero`);
}
