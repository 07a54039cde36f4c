import { type FileHandle, open, rm } from "node:fs/promises";
import type { ChecksumAlgorithm } from "#base/checksum.ts";
import { FileAppender } from "#blob/file-appender.ts";
import type { Body } from "#object/body.ts";
import { BodyDigests, checksumTexts } from "#object/digests.ts";
import { type Identity, identityOf, markedSeconds } from "#volume/identity.ts";
import type { SystemPath } from "#volume/open-directory.ts";
import type { Volume } from "#volume/volume.ts";

/** A file that is written where nobody sees it. It goes with its owner unless it was published. */
export class NewFile implements AsyncDisposable {
  readonly path: SystemPath;
  readonly file: FileHandle;
  readonly #volume: Volume;

  private constructor(volume: Volume, path: SystemPath, file: FileHandle) {
    this.#volume = volume;
    this.path = path;
    this.file = file;
  }

  /** Fails: as open(2). */
  static async create(volume: Volume): Promise<NewFile> {
    const path = volume.temporary();
    return new NewFile(volume, path, await open(path, "wx+", 0o600));
  }

  /** A second name, out of sight, for a file that is whole already. Fails: as open(2). */
  static async adopt(volume: Volume, path: SystemPath): Promise<NewFile> {
    return new NewFile(volume, path, await open(path, "r+"));
  }

  /** Makes its bytes durable, and gives it the time, owner and mode that it will be seen with. */
  async seal(modifiedMs: number): Promise<Identity> {
    await this.#volume.dress(this.path, "file");
    const seconds = markedSeconds(modifiedMs);
    await this.file.utimes(seconds, seconds);
    // Not only the data: the time is what the record is bound to.
    await this.file.sync();
    return identityOf(await this.file.stat({ bigint: true }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.file.close();
    await rm(this.path, { force: true });
  }
}

/** What was computed of a body. */
export interface Digested {
  /** Hexadecimal. */
  readonly md5: string;
  /** Base64, by algorithm. */
  readonly checksums: Readonly<Partial<Record<ChecksumAlgorithm, string>>>;
}

/**
 * Writes a body into a file from an offset on, with its digests on the way.
 * Fails: BadDigest, XAmzContentSHA256Mismatch, and as the body and the system do.
 */
export async function receiveInto(
  { file, at }: { readonly file: FileHandle; readonly at: number },
  body: Body,
  algorithms: Iterable<ChecksumAlgorithm>,
): Promise<Digested> {
  const appender = new FileAppender(file, at);
  const digests = new BodyDigests(body, algorithms);
  try {
    const how = { stays: body.chunksStay === true };
    for await (const chunk of body.chunks) {
      await Promise.all([digests.update(chunk), appender.write(chunk, how)]);
    }
    await appender.flush();
    const finished = digests.finish();
    return { md5: finished.md5.toString("hex"), checksums: checksumTexts(finished) };
  } catch (error) {
    await appender.abandon();
    throw error;
  }
}
