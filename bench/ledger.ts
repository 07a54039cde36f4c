import type { Measurement, TargetRatio } from "./report/measurement.ts";

/** Collects what was measured and what went wrong, and shows progress on standard error. */
export class Ledger {
  readonly measurements: Measurement[] = [];
  readonly ratios: TargetRatio[] = [];
  readonly errors: string[] = [];

  record(measurement: Measurement): void {
    this.measurements.push(measurement);
    const { row, target, unit, perSecond, note } = measurement;
    const result = note ?? `${perSecond.toFixed(perSecond < 100 ? 2 : 0)} ${unit}s/s`;
    this.progress(`${row}  ${target}  ${result}`);
  }

  /** A row that could not be measured for a reason that is no fault. */
  skip(row: string, target: string, note: string): void {
    const nothing = { unit: "op", count: 0, seconds: 0, perSecond: 0, errors: 0 } as const;
    this.record({ row, target, ...nothing, note });
  }

  fail(text: string): void {
    this.errors.push(text);
    this.progress(`ERROR ${text}`);
  }

  progress(text: string): void {
    process.stderr.write(`${text}\n`);
  }
}
