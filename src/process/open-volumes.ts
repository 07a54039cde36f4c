import type { Clock } from "#base/clock.ts";
import { S3Error } from "#base/error.ts";
import type { Log } from "#base/log.ts";
import type { Bucket } from "#object/bucket.ts";
import { Volume } from "#volume/volume.ts";

/** What was opened with settings that have changed stays for requests that still use it. */
const REPLACED_MS = 15 * 60_000;

interface Opened {
  readonly revision: number;
  readonly volume: Promise<Volume>;
}

/** The volumes that this process serves, each opened when it is first asked for. */
export class OpenVolumes implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #opened = new Map<string, Opened>();
  readonly #closing = new AbortController();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Fails: NoSuchBucket when it is no volume; StorageError "unavailable" when its directory is. */
  readonly of = async (bucket: Bucket): Promise<Volume> => {
    const { id, guard, volume: settings } = bucket;
    if (settings === undefined) throw new S3Error("NoSuchBucket", { BucketName: bucket.name });
    const known = this.#opened.get(id);
    if (known !== undefined && known.revision >= guard.revision) {
      const volume = await known.volume;
      // Somebody may have removed the hidden directory, or mounted something else there.
      if (!(await volume.isGone())) return volume;
    }
    const { path: root, sizeBytes: quotaBytes, uid, gid, umask } = settings;
    const volume = Volume.open({ root, quotaBytes, uid, gid, umask, clock: this.#clock });
    const opened = { revision: guard.revision, volume };
    this.#opened.set(id, opened);
    if (known !== undefined) this.#closeLater(known);
    // A directory that is not there now may be mounted later.
    volume.catch(() => {
      if (this.#opened.get(id) === opened) this.#opened.delete(id);
    });
    return await volume;
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    const all = [...this.#opened.values()];
    this.#opened.clear();
    await Promise.all(all.map((each) => this.#close(each)));
  }

  #closeLater(opened: Opened): void {
    this.#clock
      .sleep(REPLACED_MS, this.#closing.signal)
      .catch(() => undefined)
      .then(() => this.#close(opened))
      .catch((cause) => this.#log.error("a volume could not be closed", cause));
  }

  async #close({ volume }: Opened): Promise<void> {
    const opened = await volume.catch(() => undefined);
    await opened?.[Symbol.asyncDispose]();
  }
}
