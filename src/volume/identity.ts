import type { BigIntStats } from "node:fs";
import { digestOf } from "#base/checksum.ts";

/**
 * What tells one content of a file from another without reading it. A file that another program
 * replaces is another inode, and one that it writes to has another time.
 */
export interface Identity {
  readonly inode: bigint;
  readonly sizeBytes: number;
  readonly mtimeNs: bigint;
}

export function identityOf({ ino, size, mtimeNs }: BigIntStats): Identity {
  return { inode: ino, sizeBytes: Number(size), mtimeNs };
}

export function isSame(a: Identity, b: Identity): boolean {
  return a.inode === b.inode && a.sizeBytes === b.sizeBytes && a.mtimeNs === b.mtimeNs;
}

export function identityText({ inode, sizeBytes, mtimeNs }: Identity): string {
  return `${inode}-${sizeBytes}-${mtimeNs}`;
}

/**
 * The ETag of a file of which nothing is known but its identity. The hyphen keeps clients from taking
 * it for an MD5, as with objects uploaded in parts, and no upload has 0 parts, so that none tries to
 * compute it. It is the same for everyone, without a record, until the file changes.
 */
export function derivedEtag(identity: Identity): string {
  return `${digestOf("MD5", Buffer.from(identityText(identity))).toString("hex")}-0`;
}

/** Milliseconds since 1970, as S3 tells times. */
export function modifiedMsOf({ mtimeNs }: Pick<Identity, "mtimeNs">): number {
  return Number(mtimeNs / 1_000_000n);
}

const NS_PER_MS = 1_000_000n;
const MARK_NS = 573_000n;
/** Node takes times as doubles of seconds, which are 240 ns apart in our days. */
const SPREAD_NS = 500n;

/**
 * Files written through S3 have a time whose part below a millisecond is this mark; of others one in
 * a thousand has it by chance. So a list looks for records only where there are some: a wrong guess
 * costs a look, and a file whose time lost the mark has changed.
 */
export function isMarked({ mtimeNs }: Pick<Identity, "mtimeNs">): boolean {
  const rest = mtimeNs % NS_PER_MS;
  return rest >= MARK_NS - SPREAD_NS && rest <= MARK_NS + SPREAD_NS;
}

/** The time in seconds, with the mark, that a file written at `ms` is given. */
export function markedSeconds(ms: number): number {
  return Math.floor(ms) / 1_000 + 0.000_573;
}
