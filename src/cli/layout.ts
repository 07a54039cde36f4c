import type { Json } from "#cli/api.ts";

export interface Column {
  readonly title: string;
  readonly of: (row: Json) => string;
}

/** Rows below titles. Without rows it says so. */
export function table(rows: readonly Json[], columns: readonly Column[]): string {
  if (rows.length === 0) return "There are none.";
  const cells = [
    columns.map(({ title }) => title.toUpperCase()),
    ...rows.map((row) => columns.map((column) => visible(column.of(row)))),
  ];
  return aligned(cells);
}

/** Names and values, a line each; without a value there is no line. */
export function pairs(entries: readonly (readonly [string, string | undefined])[]): string {
  const known = entries.flatMap(([name, value]): string[][] =>
    value === undefined ? [] : [[name, visible(value)]],
  );
  return aligned(known);
}

function aligned(cells: readonly (readonly string[])[]): string {
  const widths = (cells[0] ?? []).map((_, at) =>
    Math.max(...cells.map((row) => row[at]?.length ?? 0)),
  );
  return cells
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** What a server tells cannot move the cursor of a terminal. */
function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, (char) => JSON.stringify(char).slice(1, -1));
}

/** A field that is a text; nothing else is shown by itself. */
export function field(name: string, title = name): Column {
  return { title, of: (row) => textOf(row[name]) };
}

export function textOf(value: unknown): string {
  if (value === undefined || value === null) return "-";
  if (Array.isArray(value)) return value.map(textOf).join(", ") || "-";
  if (typeof value !== "object") return String(value);
  const pairs = Object.entries(value).map(([name, inner]) => `${name}=${textOf(inner)}`);
  return pairs.join(" ") || "-";
}

/** `2026-01-02T03:04:05Z`, which is as exact as people need it. */
export function timeOf(value: unknown): string {
  return typeof value === "string" ? value.replace(/\.\d+Z$/, "Z") : "never";
}
