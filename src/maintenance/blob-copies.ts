import { constants } from "node:fs";
import { copyFile, link, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { filesOf, pathOf } from "#blob/names.ts";
import { systemError } from "#maintenance/system-error.ts";

export interface Copied {
  /** Were there before. */
  kept: number;
  linked: number;
  copied: number;
  copiedBytes: number;
  /** Were not there any more: what nothing held when the snapshot was taken. */
  gone: number;
}

const DIRECTORIES = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const TEMPORARY = "tmp";

/**
 * Brings blobs from one directory to another: by a hard link, else, on another file system, by a copy.
 * Blobs never change, so that one file may serve both, and one that is there already stays.
 */
export class BlobCopies {
  readonly counts: Copied = { kept: 0, linked: 0, copied: 0, copiedBytes: 0, gone: 0 };
  readonly #from: string;
  readonly #to: string;
  readonly #mayLink: boolean;
  readonly #touched = new Set<string>();
  #canLink = true;

  private constructor(from: string, to: string, mayLink: boolean) {
    this.#from = from;
    this.#to = to;
    this.#mayLink = mayLink;
  }

  /** Fails: StorageError "full", "unavailable". */
  static async open(paths: {
    readonly from: string;
    readonly to: string;
    readonly mayLink: boolean;
  }): Promise<BlobCopies> {
    await systemError(paths.to, async () => {
      for (const name of [TEMPORARY, ...DIRECTORIES]) {
        await mkdir(join(paths.to, name), { recursive: true, mode: 0o700 });
      }
      // What a copy that was cut short has left.
      for (const name of await readdir(join(paths.to, TEMPORARY))) {
        await rm(join(paths.to, TEMPORARY, name), { force: true });
      }
    });
    return new BlobCopies(paths.from, paths.to, paths.mayLink);
  }

  /** One blob. Fails: StorageError "full", "unavailable". */
  async bring(id: string): Promise<void> {
    await systemError(join(this.#to, id), async () => {
      for (const file of filesOf(id)) if (await this.#bring(id, pathOf(file))) return;
      this.counts.gone += 1;
    });
  }

  /** Makes all that was brought durable. Fails: StorageError "full", "unavailable". */
  async sync(): Promise<void> {
    await systemError(this.#to, async () => {
      for (const name of this.#touched) await syncFile(join(this.#to, name));
      await syncFile(this.#to);
    });
  }

  /** Whether there is such a file. */
  async #bring(id: string, name: string): Promise<boolean> {
    const [from, to] = [join(this.#from, name), join(this.#to, name)];
    const source = await stat(from).catch(absent);
    if (source === undefined) return false;
    const there = await stat(to).catch(absent);
    // Its name too: who brought it may have been cut short before that was durable.
    this.#touched.add(id.slice(0, 2));
    if (there?.size === source.size) {
      this.counts.kept += 1;
      return true;
    }
    if (there !== undefined) await rm(to, { force: true });
    if (this.#mayLink && this.#canLink && (await this.#link(from, to))) return true;
    await this.#copy(from, { id, to });
    this.counts.copied += 1;
    this.counts.copiedBytes += source.size;
    return true;
  }

  /** False where this cannot be done: then it is not tried again. */
  async #link(from: string, to: string): Promise<boolean> {
    try {
      await link(from, to);
      this.counts.linked += 1;
      return true;
    } catch (cause) {
      if (!NO_LINKS.has((cause as NodeJS.ErrnoException).code ?? "")) throw cause;
      this.#canLink = false;
      return false;
    }
  }

  /** Whole under its name, or not at all. */
  async #copy(
    from: string,
    { id, to }: { readonly id: string; readonly to: string },
  ): Promise<void> {
    const temporary = join(this.#to, TEMPORARY, id);
    await copyFile(from, temporary, constants.COPYFILE_FICLONE);
    await syncFile(temporary);
    await rename(temporary, to);
  }
}

/** Another file system, one that has no links, or a file that has all it may have. */
const NO_LINKS = new Set(["EXDEV", "EPERM", "EMLINK", "ENOTSUP", "EOPNOTSUPP"]);

/** Of a directory: the names in it. */
export async function syncFile(path: string): Promise<void> {
  await using file = await open(path, "r");
  await file.sync();
}

function absent(cause: NodeJS.ErrnoException): undefined {
  if (cause.code === "ENOENT") return undefined;
  throw cause;
}
