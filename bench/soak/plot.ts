import type { Sample } from "./sample.ts";

interface Panel {
  readonly title: string;
  /** By how much values are divided. */
  readonly unit: number;
  readonly lines: readonly (keyof Sample)[];
}

const MIB = 2 ** 20;
const PANELS: readonly Panel[] = [
  {
    title: "memory of all processes, MiB, and with the files that they share",
    unit: MIB,
    lines: ["memoryBytes", "proportionalBytes"],
  },
  {
    title: "open descriptors, and those of blob directories",
    unit: 1,
    lines: ["descriptors", "blobDirectories"],
  },
  {
    title: "blobs on the disk, MiB, and what clients have there",
    unit: MIB,
    lines: ["blobBytes", "liveBytes"],
  },
  { title: "blobs that nobody holds, MiB", unit: MIB, lines: ["garbageBytes"] },
  { title: "metadata, MiB", unit: MIB, lines: ["metadataBytes"] },
];

const WIDTH = 900;
const PANEL_HEIGHT = 150;
const MARGIN = { left: 70, top: 24, bottom: 22 };
const COLOURS = ["#1f6feb", "#d1242f"];

/** What grew over time, as a picture. */
export function plotOf(samples: readonly Sample[]): string {
  const panels = PANELS.map((panel, at) => panelOf(panel, samples, at * PANEL_HEIGHT));
  const height = PANELS.length * PANEL_HEIGHT;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>${panels.join("")}</svg>\n`;
}

function panelOf({ title, unit, lines }: Panel, samples: readonly Sample[], top: number): string {
  const max = Math.max(1, ...samples.flatMap((each) => lines.map((name) => each[name] / unit)));
  const seconds = Math.max(1, samples.at(-1)?.seconds ?? 1);
  const inner = PANEL_HEIGHT - MARGIN.top - MARGIN.bottom;
  const bottom = top + MARGIN.top + inner;
  const x = (at: number) => MARGIN.left + (at / seconds) * (WIDTH - MARGIN.left - 10);
  const drawn = lines.map((name, at) => {
    const points = samples.map(
      (each) =>
        `${x(each.seconds).toFixed(1)},${(bottom - (each[name] / unit / max) * inner).toFixed(1)}`,
    );
    return `<polyline fill="none" stroke="${COLOURS[at]}" stroke-width="1.5" points="${points.join(" ")}"/>`;
  });
  return [
    `<text x="${MARGIN.left}" y="${top + 16}">${title}</text>`,
    `<text x="4" y="${top + MARGIN.top + 8}">${max.toFixed(max < 10 ? 1 : 0)}</text>`,
    `<text x="4" y="${bottom}">0</text>`,
    `<text x="${WIDTH - 60}" y="${bottom + 16}">${(seconds / 60).toFixed(1)} min</text>`,
    `<line x1="${MARGIN.left}" y1="${bottom}" x2="${WIDTH - 10}" y2="${bottom}" stroke="#999"/>`,
    ...drawn,
  ].join("");
}
