/** What the benchmark tells a baseline, as JSON in its first argument. */
export interface BaselineOptions {
  readonly workers: number;
  readonly connections: number;
  readonly seconds: number;
  readonly sizeBytes: number;
  /** Where a baseline may write; the benchmark removes it. */
  readonly directory: string;
  /** What the measured server sent with the same object. */
  readonly headers: Readonly<Record<string, string>>;
}

export function baselineOptions(): BaselineOptions {
  const text = process.argv[2];
  if (text === undefined) throw new Error("a baseline is started by the benchmark");
  return JSON.parse(text);
}
