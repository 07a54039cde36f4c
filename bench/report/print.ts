import type { Machine } from "./machine.ts";
import type { Measurement, TargetRatio } from "./measurement.ts";
import type { Result } from "./result.ts";
import { type Column, figure, renderTable } from "./table.ts";

const MB = 1e6;

export function renderMachine(machine: Machine): string {
  const { date, cpu, cores, memoryBytes, kernel, node, disk, commit } = machine;
  const memory = `${Math.round(memoryBytes / 2 ** 30)} GiB`;
  return `${date}  ${cpu}, ${cores} cores, ${memory}, Linux ${kernel}, Node ${node}, ${disk}${commit === undefined ? "" : `, commit ${commit}`}\n`;
}

export function renderOthers(share: number | undefined): string {
  if (share === undefined) return "";
  const percent = `${(share * 100).toFixed(1)} %`;
  return `\nOther programs and the kernel's own threads used ${percent} of the processors during the run.\n`;
}

/** All rows. With several targets each is shown against the first; with an earlier result, against that. */
export function renderMeasurements(rows: readonly Measurement[], earlier?: Result): string {
  const columns: Column<Measurement>[] = [
    { title: "row", text: ({ row }) => row, isLeft: true },
    { title: "target", text: ({ target }) => target, isLeft: true },
    { title: "per s", text: (row) => (row.count === 0 ? "" : rateText(row)) },
    { title: "MB/s", text: ({ mbPerSecond }) => figure(mbPerSecond) },
    { title: "p50 ms", text: ({ p50Ms }) => figure(p50Ms) },
    { title: "p99 ms", text: ({ p99Ms }) => figure(p99Ms) },
    { title: "server us", text: ({ serverCpuUs }) => figure(serverCpuUs) },
    { title: "driver us", text: ({ driverCpuUs }) => figure(driverCpuUs) },
    { title: "RSS MB", text: ({ rssMaxBytes }) => figure(megabytes(rssMaxBytes)) },
    { title: "anon MB", text: ({ anonMaxBytes }) => figure(megabytes(anonMaxBytes)) },
    { title: "vs first", text: (row) => ratioText(row, firstOf(rows, row)) },
    { title: "vs earlier", text: (row) => ratioText(row, sameIn(earlier, row)) },
    { title: "CPU vs earlier", text: (row) => cpuRatioText(row, sameIn(earlier, row)) },
    { title: "", text: noteOf, isLeft: true },
  ];
  return renderTable(columns, rows);
}

export function renderTargets(ratios: readonly TargetRatio[]): string {
  const columns: Column<TargetRatio>[] = [
    { title: "targets", text: ({ name }) => name, isLeft: true },
    { title: "against", text: ({ baseline }) => baseline, isLeft: true },
    { title: "Lode per s", text: ({ lodePerSecond }) => figure(lodePerSecond) },
    { title: "baseline per s", text: ({ baselinePerSecond }) => figure(baselinePerSecond) },
    { title: "ratio", text: ({ ratio }) => figure(ratio) },
    { title: "by CPU", text: ({ cpuRatio }) => figure(cpuRatio) },
    { title: "wanted", text: ({ wanted }) => figure(wanted) },
    { title: "", text: verdict, isLeft: true },
  ];
  return renderTable(columns, ratios);
}

function verdict({ ratio, cpuRatio = 0, cpuCounts, wanted }: TargetRatio): string {
  if (wanted === undefined) return "for information";
  if (ratio >= wanted) return "reached";
  return cpuCounts === true && cpuRatio >= wanted ? "reached by CPU alone" : "not reached";
}

function rateText({ perSecond, unit }: Measurement): string {
  return unit === "op" ? figure(perSecond) : `${figure(perSecond)} keys`;
}

function noteOf({ note, errors }: Measurement): string {
  const wrong = errors > 0 ? `${errors} wrong answers` : undefined;
  return [note, wrong].filter((text) => text !== undefined).join("; ");
}

function megabytes(bytes: number | undefined): number | undefined {
  return bytes === undefined ? undefined : bytes / MB;
}

function firstOf(rows: readonly Measurement[], { row }: Measurement): Measurement | undefined {
  return rows.find((other) => other.row === row);
}

function sameIn(earlier: Result | undefined, row: Measurement): Measurement | undefined {
  return earlier?.measurements.find(
    (other) => other.row === row.row && other.target === row.target,
  );
}

function ratioText(row: Measurement, base: Measurement | undefined): string {
  if (base === undefined || base === row || base.count === 0 || row.count === 0) return "";
  return ratio(row.perSecond, base.perSecond);
}

function ratio(value: number, base: number): string {
  const text = figure(value / base);
  return text === "" ? "" : `${text}x`;
}

function cpuRatioText(row: Measurement, base: Measurement | undefined): string {
  if (base?.serverCpuUs === undefined || row.serverCpuUs === undefined) return "";
  return ratio(row.serverCpuUs, base.serverCpuUs);
}
