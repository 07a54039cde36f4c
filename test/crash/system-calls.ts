/** What a server asks of the system, as strace tells it: which changes of its files are durable when. */
import { dirname } from "node:path";

export interface Unsynced {
  /** Paths of names that no sync of their directory covers, and of files with bytes that no sync covers. */
  readonly names: readonly string[];
  readonly bytes: readonly string[];
}

/** The options that `readTrace` needs; the log goes to the file. */
export function straceCommand(log: string): readonly string[] {
  const calls = [
    ...["openat", "mkdir", "rename", "renameat2", "fsync", "fdatasync", "write", "writev"],
    ...["pwrite64", "pwritev", "pwritev2", "ftruncate", "fallocate", "sendto", "sendmsg"],
    ...["link", "linkat", "sendfile", "copy_file_range"],
  ];
  return ["strace", "-f", "-qq", "-y", "-s", "16", "-o", log, "-e", `trace=${calls}`];
}

interface Call {
  readonly thread: number;
  readonly name: string;
  /** Its arguments and what it answered. */
  readonly text: string;
}

/**
 * Goes through a log, and at each answer `HTTP/1.1 200` says what its process had changed below `root`
 * and not made durable. `processOf` knows the process of a thread.
 */
export function* answersIn(
  log: string,
  root: string,
  processOf: (thread: number) => number,
): Generator<Unsynced, void, undefined> {
  const changes = new Changes(root);
  for (const call of callsIn(log)) {
    const process = processOf(call.thread);
    if (call.text.includes('"HTTP/1.1 200')) yield changes.of(process);
    else changes.note(call, process);
  }
}

/** What the processes of a log had changed below `root`, and not made durable, at its end. */
export function unsyncedAtEnd(log: string, root: string): Unsynced {
  const changes = new Changes(root);
  for (const call of callsIn(log)) changes.note(call, 0);
  return changes.of(0);
}

/** What was changed below a directory and has not been synced since. */
class Changes {
  readonly #root: string;
  readonly #known = new Set<string>();
  readonly #names = new Set<string>();
  /** Paths by the process that wrote them. */
  readonly #bytes = new Map<string, number>();
  /** Descriptors whose writes are synced, each with its process. */
  readonly #synchronous = new Set<string>();

  constructor(root: string) {
    this.#root = root;
  }

  of(process: number): Unsynced {
    const own = [...this.#bytes].filter(([, by]) => by === process);
    return { names: [...this.#names], bytes: own.map(([path]) => path) };
  }

  note({ name, text }: Call, process: number): void {
    const [first = "", second] = quotedIn(text);
    const [, descriptor = "", open = ""] = /^(\d+)<([^>]*)>/.exec(text) ?? [];
    if (name === "fsync" || name === "fdatasync") this.#sync(open);
    else if (/^(?:mkdir|rename|link)/.test(name)) this.#name(second ?? first);
    else if (name === "openat") this.#open(first, text, process);
    else if (name === "copy_file_range") this.#bytes.set(intoOf(text), process);
    else if (!this.#synchronous.has(`${process} ${descriptor}`) && open.startsWith(this.#root)) {
      this.#bytes.set(open, process);
    }
  }

  #sync(path: string): void {
    this.#bytes.delete(path);
    for (const name of this.#names) if (dirname(name) === path) this.#names.delete(name);
  }

  #name(path: string): void {
    this.#known.add(path);
    if (path.startsWith(this.#root)) this.#names.add(path);
  }

  #open(path: string, text: string, process: number): void {
    const descriptor = `${process} ${/ = (\d+)</.exec(text)?.[1]}`;
    if (text.includes("O_DSYNC")) this.#synchronous.add(descriptor);
    else this.#synchronous.delete(descriptor);
    if (text.includes("O_CREAT") && !this.#known.has(path)) this.#name(path);
  }
}

/** The path of the second descriptor. */
function intoOf(text: string): string {
  return [...text.matchAll(/\d+<([^>]*)>/g)][1]?.[1] ?? "";
}

function quotedIn(text: string): string[] {
  return [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, path = ""]) => path);
}

/** Those that succeeded, in the order in which they ended. */
function* callsIn(log: string): Generator<Call, void, undefined> {
  const waiting = new Map<number, string>();
  for (const line of log.split("\n")) {
    const [, id = "", rest = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const thread = Number(id);
    if (rest.endsWith("<unfinished ...>")) {
      waiting.set(thread, rest.slice(0, -"<unfinished ...>".length));
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)?.[1];
    const whole = resumed === undefined ? rest : `${waiting.get(thread) ?? ""}${resumed}`;
    const [, name = "", text = ""] = /^(\w+)\((.*)$/.exec(whole) ?? [];
    if (name !== "" && !/ = -1 E/.test(text)) yield { thread, name, text };
  }
}
