import { existsSync, readdirSync, readFileSync } from "node:fs";
import { copyFile, mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "#base/clock.ts";
import { FileBlobStore } from "#blob/files.ts";
import { type CheckReport, check } from "#check/check.ts";
import { bringAll, copySmall } from "#maintenance/backup.ts";
import {
  type BackupManifest,
  blobsAt,
  FORMAT_FILE,
  KEY_FILES,
  KEY_IDS_FILE,
  readManifest,
  snapshotAt,
} from "#maintenance/backup-directory.ts";
import { BlobCopies, type Copied } from "#maintenance/blob-copies.ts";
import { UsageError } from "#maintenance/given.ts";
import { systemError } from "#maintenance/system-error.ts";
import { LmdbMetaStore } from "#meta/lmdb.ts";
import { takeLock } from "#server/directory-lock.ts";
import { writeDurably } from "#server/durable-file.ts";
import { holdSpan } from "#versioned/keys.ts";

export interface RestoreOptions {
  readonly from: string;
  readonly data: string;
  readonly clock: Clock;
  /** Copy blobs also where they could be linked. */
  readonly copyBlobs: boolean;
  readonly checksumBytesPerSecond: number | undefined;
  readonly progress: (what: string, done: number) => void;
}

export interface RestoreReport {
  readonly takenMs: number;
  readonly blobs: Copied;
  readonly check: CheckReport;
}

/**
 * Makes a data directory of a backup. Until it is whole it has no `format.json`, without which no server
 * takes it.
 * Fails: UsageError when there is no backup, or the data directory is not empty; StorageError.
 */
export async function restore(options: RestoreOptions): Promise<RestoreReport> {
  const { from, data } = options;
  // Before anything is locked, so that who is mistaken is told so; and after it, when nobody else changes it.
  requireBackup(from);
  requireEmpty(data);
  await using _from = await takeLock(from);
  const manifest = requireBackup(from);
  await systemError(data, async () => await mkdir(data, { recursive: true, mode: 0o700 }));
  await using _data = await takeLock(data);
  requireEmpty(data);
  return await restoreInto(options, manifest);
}

/** Fails: UsageError. */
function requireEmpty(data: string): void {
  if (!existsSync(data) || readdirSync(data).length === 0) return;
  throw new UsageError(`--data ${data}: it is not empty. Name a new directory.`);
}

/** Fails: UsageError; StorageError "conflict". */
function requireBackup(from: string): BackupManifest {
  const manifest = existsSync(from) ? readManifest(from) : undefined;
  if (manifest !== undefined) return manifest;
  throw new UsageError(`--from ${from}: there is no backup. Name what "lode backup --to" made.`);
}

async function restoreInto(
  options: RestoreOptions,
  { snapshot, takenMs }: BackupManifest,
): Promise<RestoreReport> {
  const { from, data, progress } = options;
  const metadata = join(data, "metadata");
  await systemError(data, async () => await mkdir(metadata, { mode: 0o700 }));
  progress("metadata", 0);
  const source = join(snapshotAt(from, snapshot), "metadata", "data.mdb");
  // Copied, since a server writes into it.
  await systemError(metadata, async () => await copyDurably(source, join(metadata, "data.mdb")));
  await using meta = new LmdbMetaStore(metadata);
  await removeHolds(meta);
  progress("blobs", 0);
  const blobs = join(data, "blobs");
  const copies = await BlobCopies.open({
    ...{ from: blobsAt(from), to: blobs, mayLink: !options.copyBlobs },
  });
  await bringAll(meta, copies, progress);
  const report = await checked(options, meta);
  for (const name of [...KEY_FILES, KEY_IDS_FILE]) {
    await copySmall(join(from, name), join(data, name));
  }
  // Last: with it, it is a data directory.
  writeDurably(join(data, FORMAT_FILE), readFileSync(join(from, FORMAT_FILE), "utf8"));
  return { takenMs, blobs: copies.counts, check: report };
}

/** That of the backup itself stands in every backup. */
async function removeHolds(meta: LmdbMetaStore): Promise<void> {
  const holds = await meta.scan({ ...holdSpan(), limit: 1_000 });
  const writes = holds.map(({ key }) => ({ key, value: undefined }));
  if (writes.length > 0) await meta.commit({ guards: [], writes });
}

async function checked(
  { data, clock, checksumBytesPerSecond, progress }: RestoreOptions,
  meta: LmdbMetaStore,
): Promise<CheckReport> {
  const root = join(data, "blobs");
  await using blobs = await FileBlobStore.open({ root, owner: `restore-${process.pid}` });
  const none = { repair: false, discard: false, isServed: false };
  return await check({ meta, blobs, clock, ...none, checksumBytesPerSecond, progress });
}

async function copyDurably(from: string, to: string): Promise<void> {
  await copyFile(from, to);
  await using file = await open(to, "r");
  await file.sync();
}
