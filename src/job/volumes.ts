import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { Catalog } from "#catalog/catalog.ts";
import { eachBucket } from "#catalog/each-bucket.ts";
import type { Running } from "#job/running.ts";
import type { Bucket } from "#object/bucket.ts";
import { FileDigester } from "#volume/digest-files.ts";
import { type Swept, sweepLeftovers, sweepVolume } from "#volume/sweep.ts";
import type { Volume } from "#volume/volume.ts";

export interface VolumesJob {
  readonly catalog: Catalog;
  readonly volumeOf: (bucket: Bucket) => Promise<Volume>;
  readonly clock: Clock;
  readonly count: (swept: Swept) => void;
  readonly log: Log;
  /** Told which volume is worked on: one whose disk does not answer cannot be left. */
  readonly running: Running;
  readonly signal: AbortSignal;
}

const SWEEP_MS = 60 * 60_000;
const UPLOAD_AGE_MS = 7 * 86_400_000;

/**
 * Clears away what was abandoned on volumes and measures them: at the start what dead processes left,
 * then all of it each hour, until the signal. Each hour it also computes digests of files that were not
 * written through S3. A volume that cannot be reached is told and tried again.
 */
export async function runVolumes(job: VolumesJob): Promise<void> {
  // Reading takes long, and what is abandoned is not to wait for it.
  await Promise.all([runSweeps(job), runDigests(job)]);
}

async function runSweeps(job: VolumesJob): Promise<void> {
  const { clock, count, log, signal } = job;
  const warned = new WeakSet<Volume>();
  const warn = (volume: Volume) => {
    if (warned.has(volume)) return;
    warned.add(volume);
    for (const warning of volume.tree.mount.warnings) log.warn(warning, { path: volume.path });
  };
  await forEachVolume(job, "the sweep", async (volume) => {
    warn(volume);
    await sweepLeftovers(volume, signal);
  });
  while (!signal.aborted) {
    await clock.sleep(SWEEP_MS, signal).catch(() => undefined);
    await forEachVolume(job, "the sweep", async (volume) => {
      warn(volume);
      count(await sweepVolume(volume, { uploadAgeMs: UPLOAD_AGE_MS, signal }));
    });
  }
}

async function runDigests(job: VolumesJob): Promise<void> {
  const { clock, signal } = job;
  // Where each volume was read to; one that is opened again begins anew.
  const digesters = new WeakMap<Volume, FileDigester>();
  while (!signal.aborted) {
    await clock.sleep(SWEEP_MS, signal).catch(() => undefined);
    await forEachVolume(job, "the digests", async (volume) => {
      const digester = digesters.get(volume) ?? new FileDigester(volume);
      digesters.set(volume, digester);
      await digester.pass(signal);
    });
  }
}

/** One that fails is told, and the others have their turn; so is a list of them that cannot be read. */
async function forEachVolume(
  { catalog, volumeOf, log, running, signal }: VolumesJob,
  what: string,
  work: (volume: Volume) => Promise<void>,
): Promise<void> {
  try {
    for await (const row of eachBucket(catalog, { after: "" })) {
      if (signal.aborted) return;
      if ("bucket" in row && row.bucket.volume === undefined) continue;
      try {
        if ("damage" in row) throw row.damage;
        const { bucket } = row;
        const name = `${what} of the volume ${row.name}`;
        await running.while(name, async () => await work(await volumeOf(bucket)));
      } catch (cause) {
        if (signal.aborted) return;
        log.error(
          `the volume ${row.name} could not be swept or read; it will be tried again`,
          cause,
        );
      }
    }
  } catch (cause) {
    log.error("volumes could not be looked for; it will be tried again", cause);
  }
}
