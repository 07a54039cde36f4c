import { statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Bench } from "./bench.ts";
import { Fleet } from "./driver/fleet.ts";
import { Ledger } from "./ledger.ts";
import { type Group, type Options, UsageError } from "./options.ts";
import { copyRows } from "./row/copy.ts";
import { deleteRows } from "./row/delete.ts";
import { encryptionRows } from "./row/encryption.ts";
import { hostileRows } from "./row/hostile.ts";
import { listRows } from "./row/list.ts";
import { attempt } from "./row/measure.ts";
import { multipartRows } from "./row/multipart.ts";
import { getRows, putRows } from "./row/objects.ts";
import { policyRows } from "./row/policies.ts";
import { renameRows } from "./row/rename.ts";
import { scaleRows } from "./row/scale.ts";
import { emptyStartRow, fillForStart, startRow } from "./row/startup.ts";
import { sweepRows } from "./row/sweep.ts";
import { targetRows } from "./row/targets.ts";
import { versionRows } from "./row/versions.ts";
import { volumeGetRows } from "./row/volume-get.ts";
import { volumeListRows } from "./row/volume-list.ts";
import { GIB, scaleOf } from "./scale.ts";
import { createBucket, removeBuckets } from "./target/bucket.ts";
import { LODE_CREDENTIALS, startLode } from "./target/lode.ts";
import type { ServerProcess } from "./target/server-process.ts";
import type { Target } from "./target/target.ts";
import { TemporaryDirectory } from "./target/temporary-directory.ts";

/** In this order: the ratios first, while the data directory is still small. */
const ROWS: readonly (readonly [group: Group, run: (bench: Bench) => Promise<void>])[] = [
  ["targets", targetRows],
  ["get", getRows],
  ["put", putRows],
  ["encryption", encryptionRows],
  ["delete", deleteRows],
  ["list", listRows],
  ["versions", versionRows],
  ["multipart", multipartRows],
  ["copy", copyRows],
  ["rename", renameRows],
  ["startup", fillForStart],
];

/** Measures what the options ask for, and leaves nothing behind. */
export async function run(options: Options): Promise<Ledger> {
  const scale = scaleOf(options);
  await expectRoom(options.dataParent, scale.freeBytesMin);
  await using temporary = await TemporaryDirectory.make(options.dataParent);
  using fleet = new Fleet(options.drivers);
  const ledger = new Ledger();
  const { workers } = options;
  const directory = temporary.path;
  const start = { dataDirectory: join(directory, "data"), workers, starts: scale.starts };
  const measuresStart = options.startsLode && options.groups.has("startup");

  if (measuresStart) await emptyStartRow(ledger, start);
  const bench = { targets: [], fleet, scale, ledger, workers, directory };
  await measureTargets(options, bench);
  if (options.startsLode && options.groups.has("policies")) await policyRows(bench);
  if (options.startsLode && options.groups.has("sweep")) await sweepRows(bench);
  if (options.startsLode && options.groups.has("volume-list")) await volumeListRows(bench);
  if (options.startsLode && options.groups.has("volume-get")) await volumeGetRows(bench);
  if (options.startsLode && options.groups.has("scale")) await scaleRows(bench);
  if (options.startsLode && options.groups.has("hostile")) await hostileRows(bench);
  if (measuresStart) await startRow(ledger, { ...start, row: "start, filled" });
  return ledger;
}

async function measureTargets(options: Options, bench: Bench): Promise<void> {
  const { workers, directory } = bench;
  await using lode = options.startsLode
    ? await startLode({ dataDirectory: join(directory, "data"), workers })
    : undefined;
  const bucket = `lode-bench-${process.pid}-${Date.now().toString(36)}`;
  const peers = options.peers.map((peer): Target => ({ ...peer, bucket }));
  const targets = lode === undefined ? peers : [lodeTarget(lode, bucket), ...peers];
  try {
    for (const target of targets) await createBucket(target);
    for (const [group, rows] of ROWS) {
      if (options.groups.has(group)) await rows({ ...bench, targets });
    }
  } finally {
    // Lode's own data directory is removed as a whole.
    for (const target of peers) {
      const row = "removing the buckets";
      await attempt(bench, { row, target }, () => removeBuckets(target));
    }
  }
}

function lodeTarget({ port, pid }: ServerProcess, bucket: string): Target {
  const endpoint = { host: "127.0.0.1", port, ...LODE_CREDENTIALS };
  return { name: "lode", endpoint, pid, bucket };
}

async function expectRoom(directory: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(directory).catch((cause: Error) => {
    throw new UsageError(`--data-parent: ${cause.message}`, { cause });
  });
  if (bavail * bsize >= bytes) return;
  const room = `${Math.ceil(bytes / GIB)} GiB`;
  throw new UsageError(`${directory} has less than ${room} free: choose another --data-parent`);
}
