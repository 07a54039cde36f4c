import { dirname } from "node:path";
import {
  type Commit,
  DIRECTORY,
  type NameChange,
  type Span,
  type Tape,
  type WrittenBytes,
} from "#test/crash/tape.ts";

/** How much of a change that nothing had made durable is there after all. */
export type Share = "none" | "half" | "all";

/** Decides about what was under way, or done and not synced; for names "half" is "none". */
export interface Fate {
  readonly name: (change: NameChange) => Share;
  readonly bytes: (written: WrittenBytes) => Share;
  /** Of commits that were under way: how many of them, in the order of their sequences. */
  readonly commits: (underWay: number) => number;
}

/** What a power cut leaves: the files by their paths, and the commits that are there. */
export interface Left {
  readonly files: ReadonlyMap<string, Buffer>;
  readonly commits: number;
}

/**
 * The disk after a power cut at `tick`. A file's bytes are sure when a sync of the file began after
 * they were written and has ended; a name, when a sync of its directory did so; a commit, when it was
 * acknowledged, and then all before it. The rest is as fate has it: each of its own, also in ways that
 * file systems with a journal would not leave it.
 */
export function cutAt(tape: Tape, tick: number, fate: Fate): Left {
  const { isSure } = sureAt(tape, tick);
  const contents = new Map<number, Buffer>();
  for (const written of begunBy(tape.writes, tick)) {
    const share = isSure(written.file, written.span) ? "all" : fate.bytes(written);
    const bytes = shareOf(written.bytes, share);
    const before = contents.get(written.file) ?? Buffer.alloc(0);
    if (bytes.length > 0) contents.set(written.file, laidOver(before, bytes, written.at));
  }
  const files = new Map<string, Buffer>();
  for (const [path, file] of namesAt(tape, tick, fate)) {
    files.set(path, contents.get(file) ?? Buffer.alloc(0));
  }
  return { files, commits: commitsAt(tape.commits, tick, fate) };
}

function sureAt(tape: Tape, tick: number) {
  const syncs = tape.syncs.filter(({ span }) => span.ended <= tick);
  return {
    isSure: (of: number | string, { ended }: Span) =>
      syncs.some((sync) => sync.of === of && sync.span.begun >= ended),
  };
}

/** Files by their paths, as far as there is a way to them. */
function namesAt(tape: Tape, tick: number, fate: Fate): readonly (readonly [string, number])[] {
  const { isSure } = sureAt(tape, tick);
  const names = new Map<string, NameChange["file"]>();
  const directories = new Set<string>();
  for (const change of begunBy(tape.names, tick)) {
    const { path, file, span } = change;
    if (file === DIRECTORY) directories.add(path);
    if (!isSure(dirname(path), span) && fate.name(change) !== "all") continue;
    names.set(path, file);
  }
  const lost = [...directories].filter((path) => names.get(path) !== DIRECTORY);
  return [...names].flatMap(([path, file]) => {
    const isLost = lost.some((each) => path.startsWith(`${each}/`));
    return typeof file === "number" && !isLost ? [[path, file] as const] : [];
  });
}

function begunBy<T extends { readonly span: Span }>(all: readonly T[], tick: number): T[] {
  return all.filter(({ span }) => span.begun <= tick);
}

function commitsAt(all: readonly Commit[], tick: number, fate: Fate): number {
  const inOrder = [...all].sort((a, b) => a.sequence - b.sequence);
  const sure = inOrder.findLastIndex(({ span }) => span.ended <= tick) + 1;
  const rest = inOrder.slice(sure);
  const notYet = rest.findIndex(({ span }) => span.begun > tick);
  return sure + fate.commits(notYet < 0 ? rest.length : notYet);
}

function shareOf(bytes: Buffer, share: Share): Buffer {
  if (share === "none") return Buffer.alloc(0);
  return share === "all" ? bytes : bytes.subarray(0, Math.floor(bytes.length / 2));
}

/** What was never written before it reads as zeros. */
function laidOver(before: Buffer, bytes: Buffer, at: number): Buffer {
  const after = Buffer.alloc(Math.max(before.length, at + bytes.length));
  before.copy(after);
  bytes.copy(after, at);
  return after;
}
