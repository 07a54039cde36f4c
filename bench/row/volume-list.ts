import { execFile } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { VolumeListResult } from "../baseline/volume-list.ts";
import type { Bench } from "../bench.ts";
import { Histogram } from "../driver/histogram.ts";

const NAME = "lode volume";
const FILES_PER_DIRECTORY = 100;
/** Of all files, as many as lie in the flat directory. */
const FLAT_SHARE = 0.2;
const MB = 1e6;

/** Lists of files that other programs wrote: many directories of a hundred, and one large directory. */
export async function volumeListRows(bench: Bench): Promise<void> {
  const files = bench.scale.volumeFiles;
  const directories = Math.ceil(files / FILES_PER_DIRECTORY);
  const flat = Math.ceil(files * FLAT_SHARE);
  const root = join(bench.directory, "volume");
  for (const [row, make, count] of [
    [`in ${text(directories)} directories`, makeDirectories, directories * FILES_PER_DIRECTORY],
    ["in one directory", makeFlat, flat],
  ] as const) {
    mkdirSync(root);
    make(root, count);
    bench.ledger.progress(`${text(count)} files made ${row}`);
    await listRow(bench, `LIST ${text(count)} files ${row}`, { root, count });
    await rm(root, { recursive: true });
  }
}

async function listRow(
  bench: Bench,
  row: string,
  { root, count }: { readonly root: string; readonly count: number },
): Promise<void> {
  const program = join(import.meta.dirname, "../baseline/volume-list.ts");
  const options = { maxBuffer: 64 * 2 ** 20 };
  const { stdout } = await promisify(execFile)(process.execPath, [program, root], options);
  const result: VolumeListResult = JSON.parse(stdout);
  const { keys, seconds, cpuUs, pagesMs, firstMs, readBytes, rssMaxBytes } = result;
  if (keys !== count) bench.ledger.fail(`${row}: the pages list ${keys} of ${count} files`);
  const histogram = new Histogram();
  for (const ms of pagesMs) histogram.record(ms * 1000);
  bench.ledger.record({
    ...{ row, target: NAME, unit: "key", count: keys, seconds, perSecond: keys / seconds },
    p50Ms: histogram.percentile(0.5) / 1000,
    p99Ms: histogram.percentile(0.99) / 1000,
    serverCpuUs: cpuUs / keys,
    rssMaxBytes,
    errors: 0,
    note: `first page ${firstMs.toFixed(0)} ms; ${(readBytes / MB).toFixed(1)} MB read`,
  });
}

function makeDirectories(root: string, count: number): void {
  for (let made = 0; made < count; made += FILES_PER_DIRECTORY) {
    const directory = join(
      root,
      `directory-${String(made / FILES_PER_DIRECTORY).padStart(6, "0")}`,
    );
    mkdirSync(directory);
    makeFlat(directory, FILES_PER_DIRECTORY);
  }
}

function makeFlat(directory: string, count: number): void {
  for (let file = 0; file < count; file += 1) {
    closeSync(openSync(join(directory, `file-${String(file).padStart(8, "0")}.bin`), "w"));
  }
}

function text(count: number): string {
  return count.toLocaleString("en-US");
}
