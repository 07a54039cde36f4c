/** What a tree of files is to S3 and to programs at once, as plainly as can be. */

export interface FileModel {
  readonly bytes: Buffer;
  /** "derived" where S3 did not write it, or not last. */
  readonly etag: string;
}

/** What is there: undefined for a directory. Paths without a slash at the end. */
export class TreeModel {
  readonly entries = new Map<string, FileModel | undefined>();

  file(path: string): FileModel | undefined {
    return this.entries.get(path);
  }

  isDirectory(path: string): boolean {
    return this.entries.has(path) && this.entries.get(path) === undefined;
  }

  isFile(path: string): boolean {
    return this.entries.get(path) !== undefined;
  }

  /** Nothing on the way to it is a file. */
  isReachable(path: string): boolean {
    return !above(path).some((each) => this.isFile(each));
  }

  isEmpty(path: string): boolean {
    return ![...this.entries.keys()].some((each) => each.startsWith(`${path}/`));
  }

  canWrite(path: string): boolean {
    return this.isReachable(path) && !this.isDirectory(path);
  }

  write(path: string, file: FileModel): void {
    this.makeDirectories(above(path));
    this.entries.set(path, file);
  }

  makeDirectories(paths: readonly string[]): void {
    for (const each of paths) this.entries.set(each, undefined);
  }

  remove(path: string): void {
    for (const each of [...this.entries.keys()]) {
      if (each === path || each.startsWith(`${path}/`)) this.entries.delete(each);
    }
  }

  move(from: string, to: string): void {
    const moved = [...this.entries].filter(([at]) => at === from || at.startsWith(`${from}/`));
    this.remove(from);
    this.remove(to);
    this.makeDirectories(above(to));
    for (const [at, node] of moved) this.entries.set(to + at.slice(from.length), node);
  }

  /** Files, and directories in which nothing is. */
  keys(): string[] {
    return [...this.entries.keys()]
      .flatMap((path) => {
        if (this.isFile(path)) return [path];
        return this.isEmpty(path) ? [`${path}/`] : [];
      })
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }
}

/** The directories that a path is in, the outermost first. */
export function above(path: string): string[] {
  const names = path.split("/").slice(0, -1);
  return names.map((_, at) => names.slice(0, at + 1).join("/"));
}
