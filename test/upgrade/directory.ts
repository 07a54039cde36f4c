/** A data directory as one file: what a release wrote, and what was to be seen of it. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import type { Observed } from "#test/upgrade/observe.ts";

export interface Kept {
  readonly observed: Observed;
  /** A key of a user, made by the release. */
  readonly key: { readonly accessKeyId: string; readonly secret: string };
  /** Base64, by path. */
  readonly files: Readonly<Record<string, string>>;
}

export function packDirectory(directory: string): Kept["files"] {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "lock.mdb")
    .map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    files.map((path) => [relative(directory, path), readFileSync(path).toString("base64")]),
  );
}

export function unpackDirectory(files: Kept["files"], directory: string): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true, mode: 0o700 });
    writeFileSync(join(directory, path), Buffer.from(text, "base64"), { mode: 0o600 });
  }
}

export function writeKept(file: string, kept: Kept): number {
  writeFileSync(file, gzipSync(JSON.stringify(kept), { level: 9 }));
  return statSync(file).size;
}

export function readKept(file: string): Kept {
  return JSON.parse(gunzipSync(readFileSync(file)).toString()) as Kept;
}
