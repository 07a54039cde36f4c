import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { StorageError } from "#base/error.ts";
import { UsageError } from "#maintenance/given.ts";
import { writeDurably } from "#server/durable-file.ts";

/**
 * What stands in a backup: `backup.json`, which names the snapshot that counts; `snapshots/<name>/metadata`;
 * `blobs/xx/<id>`; `format.json`, `master-key-ids` and, when they are asked for, keys, all as in a data
 * directory. It is none itself, so that nobody serves it by mistake.
 */
export interface BackupManifest {
  readonly format: 1;
  /** The snapshot that is whole. */
  readonly snapshot: string;
  readonly takenMs: number;
}

const MANIFEST = "backup.json";
export const FORMAT_FILE = "format.json";
export const KEY_IDS_FILE = "master-key-ids";
/** Only when they are asked for. */
export const KEY_FILES: readonly string[] = ["credentials", "admin-token", "master-key"];

export function snapshotAt(path: string, name: string): string {
  return join(path, "snapshots", name);
}

export function blobsAt(path: string): string {
  return join(path, "blobs");
}

/** undefined where there is none yet. Fails: StorageError "conflict", UsageError when it is something else. */
export function readManifest(path: string): BackupManifest | undefined {
  const file = join(path, MANIFEST);
  if (!existsSync(file)) return undefined;
  const manifest = parsed(readFileSync(file, "utf8"));
  if (manifest?.format === 1 && /^[\w-]+$/.test(manifest.snapshot)) return manifest;
  throw new StorageError("conflict", `${file} is of another release of Lode, or damaged.`);
}

/** The moment from which on the snapshot counts. */
export function writeManifest(path: string, manifest: BackupManifest): void {
  writeDurably(join(path, MANIFEST), `${JSON.stringify(manifest)}\n`);
}

/** Fails: UsageError when something else stands there. */
export function requireBackupOrNothing(path: string): void {
  if (!existsSync(path) || existsSync(join(path, MANIFEST))) return;
  // A first backup that was cut short, or was of something damaged.
  const own = new Set(["snapshots", "blobs", MANIFEST, FORMAT_FILE, KEY_IDS_FILE, ...KEY_FILES]);
  if (readdirSync(path).every((name) => own.has(name.replace(/\.new$/, "")))) return;
  throw new UsageError(
    `--to ${path}: something else than a backup is there. Name an empty directory.`,
  );
}

function parsed(text: string): BackupManifest | undefined {
  try {
    return JSON.parse(text) as BackupManifest;
  } catch {
    return undefined;
  }
}
