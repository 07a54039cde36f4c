/**
 * How much the random tests do: some seconds in all, or as much as LODE_LONG=1 asks for. A failure of
 * fast-check prints its seed and path; `LODE_SEED=seed/path` runs exactly that again.
 */
export const LONG = process.env["LODE_LONG"] === "1";

export interface Runs {
  readonly numRuns: number;
  readonly seed?: number;
  readonly path?: string;
}

export function runs({ short, long }: { readonly short: number; readonly long: number }): Runs {
  const numRuns = LONG ? long : short;
  const [seed = "", path = ""] = process.env["LODE_SEED"]?.split("/") ?? [];
  if (seed === "") return { numRuns };
  return { numRuns, seed: Number(seed), ...(path === "" ? {} : { path }) };
}
