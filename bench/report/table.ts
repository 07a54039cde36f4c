export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  readonly isLeft?: boolean;
}

/** Aligned plain text; a column without any content is left out. */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const filled = columns.filter(({ text }) => rows.some((row) => text(row) !== ""));
  const cells = [
    filled.map(({ title }) => title),
    ...rows.map((row) => filled.map(({ text }) => text(row))),
  ];
  const widths = filled.map((_, index) =>
    Math.max(...cells.map((line) => line[index]?.length ?? 0)),
  );
  return cells
    .map((line) =>
      line
        .map((cell, index) => {
          const width = widths[index] ?? 0;
          return filled[index]?.isLeft === true ? cell.padEnd(width) : cell.padStart(width);
        })
        .join("  ")
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join("");
}

/** About three significant digits, and nothing for what was not measured. */
export function figure(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return "";
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString("en-US");
  if (size >= 10) return value.toFixed(1);
  return size >= 1 ? value.toFixed(2) : value.toFixed(3);
}
