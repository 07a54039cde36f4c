import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Clock } from "#base/clock.ts";
import { randomHex } from "#base/random.ts";
import { FileBlobStore } from "#blob/files.ts";
import { type CheckReport, check } from "#check/check.ts";
import { entriesIn, spanOf } from "#check/walk.ts";
import {
  blobsAt,
  FORMAT_FILE,
  KEY_FILES,
  KEY_IDS_FILE,
  readManifest,
  requireBackupOrNothing,
  snapshotAt,
  writeManifest,
} from "#maintenance/backup-directory.ts";
import { BlobCopies, type Copied, syncFile } from "#maintenance/blob-copies.ts";
import { isWell } from "#maintenance/check-report.ts";
import { systemError } from "#maintenance/system-error.ts";
import { LmdbMetaStore } from "#meta/lmdb.ts";
import type { MetaView } from "#meta/store.ts";
import type { DataDirectory } from "#server/data-directory.ts";
import { takeLock } from "#server/directory-lock.ts";
import { writeDurably } from "#server/durable-file.ts";
import { Hold } from "#versioned/hold.ts";
import { referenceSpan } from "#versioned/keys.ts";

export interface BackupOptions {
  readonly from: DataDirectory;
  /** The metadata of `from`, open. */
  readonly meta: LmdbMetaStore;
  readonly to: string;
  readonly clock: Clock;
  readonly withKeys: boolean;
  /** Copy blobs also where they could be linked. */
  readonly copyBlobs: boolean;
  /** Take it though the check of it finds something wrong. */
  readonly evenDamaged: boolean;
  /** For the check at the end; undefined: blobs are not read. */
  readonly checksumBytesPerSecond: number | undefined;
  readonly progress: (what: string, done: number) => void;
}

export interface BackupReport {
  readonly snapshot: string;
  readonly blobs: Copied;
  /** Blobs that only the snapshot before had. */
  readonly removed: number;
  readonly check: CheckReport;
  /** It counts from now on; else the one before does. */
  readonly isTaken: boolean;
}

const PROGRESS_EVERY = 1_000;
const AT_ONCE = 16;

/**
 * Copies a data directory as it is at one moment, served or not. What was acknowledged before it began is in
 * it. First the metadata, in one read transaction; then the blobs that it names, which a hold keeps from
 * being thrown away meanwhile. It counts only when a check of the copy has found it whole: until then, and
 * when it is cut short, the snapshot before stays the one that counts.
 * Fails: UsageError, StorageError.
 */
export async function backup(options: BackupOptions): Promise<BackupReport> {
  const { to, meta, clock, progress } = options;
  requireBackupOrNothing(to);
  await systemError(to, async () => await mkdir(to, { recursive: true, mode: 0o700 }));
  const lock = await takeLock(to);
  try {
    await removeSnapshots(to, readManifest(to)?.snapshot);
    const takenMs = clock.now();
    const name = `${new Date(takenMs).toISOString().replace(/\D/g, "").slice(0, 14)}-${randomHex(4)}`;
    const snapshot = snapshotAt(to, name);
    await using hold = await Hold.take(meta, clock);
    progress("metadata", 0);
    const metadata = join(snapshot, "metadata");
    await systemError(
      metadata,
      async () => await mkdir(metadata, { recursive: true, mode: 0o700 }),
    );
    await meta.copyTo(metadata);
    for (const path of [dirname(snapshot), to]) {
      await systemError(path, async () => await syncFile(path));
    }
    await using copy = new LmdbMetaStore(metadata);
    const blobs = await bringBlobs(options, copy);
    hold.requireKept();
    const report = await checked(options, copy);
    const isTaken = isWell(report) || options.evenDamaged;
    if (isTaken) {
      await copyFiles(options);
      writeManifest(to, { format: 1, snapshot: name, takenMs });
    }
    const removed = isTaken ? await removeOld(to, { name, copy }) : 0;
    return { snapshot: name, blobs, removed, check: report, isTaken };
  } finally {
    lock.close();
  }
}

/** Brings what anything in this metadata refers to. */
export async function bringAll(
  view: MetaView,
  copies: BlobCopies,
  progress: (what: string, done: number) => void,
): Promise<void> {
  let last = "";
  let done = 0;
  let batch: string[] = [];
  const flush = async () => {
    await Promise.all(batch.map(async (id) => await copies.bring(id)));
    batch = [];
  };
  for await (const { key } of entriesIn(view, spanOf("r"))) {
    const blob = Buffer.from(key).toString("hex", 1, 17);
    if (blob === last) continue;
    last = blob;
    batch.push(blob);
    done += 1;
    if (done % PROGRESS_EVERY === 0) progress("blobs", done);
    if (batch.length === AT_ONCE) await flush();
  }
  await flush();
  await copies.sync();
}

async function bringBlobs(
  { from, to, copyBlobs, progress }: BackupOptions,
  copy: MetaView,
): Promise<Copied> {
  progress("blobs", 0);
  const paths = { from: from.blobs, to: blobsAt(to), mayLink: !copyBlobs };
  const copies = await BlobCopies.open(paths);
  await bringAll(copy, copies, progress);
  return copies.counts;
}

async function checked(
  { to, clock, checksumBytesPerSecond, progress }: BackupOptions,
  meta: LmdbMetaStore,
): Promise<CheckReport> {
  await using blobs = await FileBlobStore.open({
    root: blobsAt(to),
    owner: `backup-${process.pid}`,
  });
  const none = { repair: false, discard: false, isServed: false };
  return await check({ meta, blobs, clock, ...none, checksumBytesPerSecond, progress });
}

/** The files beside metadata and blobs; keys that an earlier backup took are not left there without being asked for. */
async function copyFiles({ from, to, withKeys }: BackupOptions): Promise<void> {
  const source = join(from.metadata, "..");
  for (const name of [FORMAT_FILE, KEY_IDS_FILE])
    await copySmall(join(source, name), join(to, name));
  for (const name of KEY_FILES) {
    if (withKeys) await copySmall(join(source, name), join(to, name));
    else await rm(join(to, name), { force: true });
  }
}

/** What is not there is not copied. */
export async function copySmall(from: string, to: string): Promise<void> {
  if (!existsSync(from)) return;
  await systemError(to, async () => writeDurably(to, readFileSync(from, "utf8")));
}

/** Other snapshots, and the blobs that only they had. Resolves to how many blobs went. */
async function removeOld(
  to: string,
  { name, copy }: { readonly name: string; readonly copy: MetaView },
): Promise<number> {
  await removeSnapshots(to, name);
  await using blobs = await FileBlobStore.open({
    root: blobsAt(to),
    owner: `backup-${process.pid}`,
  });
  let removed = 0;
  for await (const { id } of blobs.list()) {
    if ((await copy.scan({ ...referenceSpan(id), limit: 1 })).length > 0) continue;
    await blobs.remove(id);
    removed += 1;
  }
  return removed;
}

/** But this one. */
async function removeSnapshots(to: string, kept: string | undefined): Promise<void> {
  const root = join(to, "snapshots");
  if (!existsSync(root)) return;
  await systemError(root, async () => {
    const others = (await readdir(root)).filter((name) => name !== kept);
    for (const name of others) await rm(join(root, name), { recursive: true, force: true });
  });
}
