/**
 * How much the random tests do: some seconds in all; with LODE_RUNS=7 seven times as much, which is how
 * `npm run fuzz` makes rounds of them; with LODE_LONG=1 as much as a release wants. A failure of fast-check
 * prints its seed and path: `LODE_SEED=seed/path` runs exactly that again, `LODE_SEED=seed` begins with it.
 */
export const LONG = process.env["LODE_LONG"] === "1";
const TIMES = Math.max(1, Math.floor(Number(process.env["LODE_RUNS"] ?? "1")) || 1);

export interface Runs {
  readonly numRuns: number;
  readonly seed?: number;
  readonly path?: string;
}

export function runs({ short, long }: { readonly short: number; readonly long: number }): Runs {
  const numRuns = LONG ? long : short * TIMES;
  const [seed = "", path = ""] = process.env["LODE_SEED"]?.split("/") ?? [];
  if (seed === "") return { numRuns };
  return { numRuns, seed: Number(seed), ...(path === "" ? {} : { path }) };
}
