import type { BigIntStats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { hasher } from "#base/checksum.ts";
import { StorageError } from "#base/error.ts";
import { readRange } from "#blob/file-reader.ts";
import { guarded, systemCode } from "#blob/system-error.ts";
import { checksumFrom, type FileDigests } from "#volume/file-digests.ts";
import { identityOf, isSame } from "#volume/identity.ts";
import { pathOfKey } from "#volume/key-path.ts";
import { openFile } from "#volume/open-file.ts";
import { type Bytes, textOf } from "#volume/shown-name.ts";
import type { Volume } from "#volume/volume.ts";
import { type Step, Walk } from "#volume/walk.ts";

export interface DigestBounds {
  /** At most so fast; the time that reading takes comes on top. */
  readonly bytesPerSecond: number;
  /** In one pass. The last file is read to its end. */
  readonly bytesMax: number;
  /** Looked at in one pass, whether they are read or not. */
  readonly filesMax: number;
}

/** Half an hour of reading. */
const BOUNDS: DigestBounds = {
  bytesPerSecond: 32 * 2 ** 20,
  bytesMax: 56 * 2 ** 30,
  filesMax: 200_000,
};
/** Since a file, or its name, last changed: nobody is writing to it any more, it is hoped. */
const SETTLED_MS = 60_000;
const NS_PER_MS = 1_000_000n;
const BATCH = 64;
/** A small file costs as much, for its opening and its record: some 500 a second at most. */
const FILE_BYTES_MIN = 64 * 1024;
/** What the record takes on most file systems. */
const RECORD_BYTES = 4_096;

export interface DigestPass {
  /** Files of which the digests were computed. */
  readonly files: number;
  readonly bytes: number;
}

/**
 * Computes the digests of files that were not written through S3, a part of the volume in each pass, and
 * when it has been through it from its beginning again. It opens files to read only, and writes nothing but
 * records of their inodes.
 */
export class FileDigester {
  readonly #volume: Volume;
  readonly #bounds: DigestBounds;
  /** The key that the walk goes on after. */
  #after: Bytes = "";

  constructor(volume: Volume, bounds: Partial<DigestBounds> = {}) {
    this.#volume = volume;
    this.#bounds = { ...BOUNDS, ...bounds };
  }

  /**
   * Ends early, without a failure, at the signal. A file that fails is passed over by the next pass.
   * Fails: StorageError; InsufficientStorage when there is no room for records.
   */
  async pass(signal: AbortSignal): Promise<DigestPass> {
    try {
      return await this.#volume.use(() => guarded(() => this.#walk(signal)));
    } catch (error) {
      if (signal.aborted) return { files: 0, bytes: 0 };
      throw error;
    }
  }

  async #walk(signal: AbortSignal): Promise<DigestPass> {
    const { bytesMax, filesMax } = this.#bounds;
    await using walk = await Walk.begin(this.#volume, {
      ...{ base: "", namePrefix: "", after: this.#after },
      passesOver: () => false,
      batchMax: () => BATCH,
    });
    let [looked, files, bytes] = [0, 0, 0];
    while (looked < filesMax && bytes < bytesMax) {
      signal.throwIfAborted();
      const step = await walk?.next();
      if (step === undefined) {
        this.#after = "";
        return { files, bytes };
      }
      if (step.kind === "directory") await step.enter();
      if (step.kind !== "file") continue;
      looked += 1;
      this.#after = step.key;
      const read = await this.#visit(step, signal);
      if (read === undefined) continue;
      files += 1;
      bytes += read;
    }
    return { files, bytes };
  }

  /** The bytes of the file; undefined when nothing was computed. */
  async #visit(
    { key, identity, record }: Extract<Step, { kind: "file" }>,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    if (record !== undefined) return undefined;
    const known = await this.#volume.records.readDigests(identity.inode);
    if (checksumFrom(known, identity) !== undefined) return undefined;
    return await this.#digest(textOf(key), signal).catch(unlessPassedOver);
  }

  async #digest(key: string, signal: AbortSignal): Promise<number | undefined> {
    const { tree, records, usage } = this.#volume;
    const path = pathOfKey(key);
    if (path instanceof Error) return undefined;
    await using found = await tree.find(path.names);
    await using opened = found && (await openFile(found, { keepsAccessTime: true }));
    if (opened === undefined || !this.#isSettled(opened.stats)) return undefined;
    const { file, stats } = opened;
    const identity = identityOf(stats);
    // It was marked, or replaced by such a one, since it was looked at.
    if ((await records.find(identity)) !== undefined) return undefined;
    using room = await usage.reserve(RECORD_BYTES);
    const digests = await this.#read(file, identity.sizeBytes, signal);
    const now = await file.stat({ bigint: true });
    if (!isUnchanged(stats, now)) return undefined;
    // The file is held open, so that its inode is nobody else's yet.
    await records.writeDigests({ key, identity, digests });
    await room.settle(RECORD_BYTES);
    return identity.sizeBytes;
  }

  async #read(file: FileHandle, sizeBytes: number, signal: AbortSignal): Promise<FileDigests> {
    const [md5, crc64nvme] = [hasher("MD5"), hasher("CRC64NVME")];
    for await (const chunk of readRange(file, { from: 0, to: sizeBytes })) {
      md5.update(chunk);
      crc64nvme.update(chunk);
      await this.#wait(chunk.length, signal);
    }
    await this.#wait(Math.max(0, FILE_BYTES_MIN - sizeBytes), signal);
    return { md5: md5.digest().toString("hex"), crc64nvme: crc64nvme.digest().toString("base64") };
  }

  /** For as long as so many bytes may take. */
  async #wait(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (bytes === 0) return;
    await this.#volume.clock.sleep((bytes * 1_000) / this.#bounds.bytesPerSecond, signal);
  }

  #isSettled({ mtimeNs, ctimeNs }: BigIntStats): boolean {
    const thanNs = BigInt(this.#volume.clock.now() - SETTLED_MS) * NS_PER_MS;
    return mtimeNs < thanNs && ctimeNs < thanNs;
  }
}

/** The ctime nobody can set: it tells of writes after which the mtime was set back, and of a removal. */
function isUnchanged(before: BigIntStats, now: BigIntStats): boolean {
  return isSame(identityOf(before), identityOf(now)) && before.ctimeNs === now.ctimeNs;
}

/** For `catch`: it was cut short while it was read, or the server may not read it. */
function unlessPassedOver(error: unknown): undefined {
  if (error instanceof StorageError && error.kind === "corrupt") return;
  if (systemCode(error) !== "EACCES") throw error;
}
