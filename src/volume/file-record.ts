import type { Attributes, Checksum } from "#object/attributes.ts";
import type { PartInfo } from "#object/engine.ts";
import type { Identity } from "#volume/identity.ts";

/** What S3 knows of a file besides what the file system says. */
export interface FileRecord {
  /** Without quotes; undefined: derived, as of any file. */
  readonly etag: string | undefined;
  readonly checksum: Checksum | undefined;
  /** undefined when it was put whole. */
  readonly partsCount: number | undefined;
  readonly headers: Attributes["headers"];
  readonly userMetadata: Attributes["userMetadata"];
}

/** The record of one content of a file. */
export interface BoundRecord {
  readonly identity: Identity;
  readonly record: FileRecord;
}

/** A part of an object, as it is told when somebody asks for it. */
export type PartRow = Pick<PartInfo, "number" | "sizeBytes" | "etag" | "modifiedMs" | "checksum">;

const FORMAT = 1;

interface Stored {
  readonly format: number;
  /** Where the file was when this was written: the first place to look whether it still is. */
  readonly key: string;
  readonly contents: readonly (FileRecord & {
    readonly sizeBytes: number;
    /** Decimal: more digits than a number has. */
    readonly mtimeNs: string;
  })[];
}

export function packRecords(key: string, bound: readonly BoundRecord[]): string {
  const contents = bound.map(({ identity, record }) => ({
    sizeBytes: identity.sizeBytes,
    mtimeNs: String(identity.mtimeNs),
    ...record,
  }));
  const stored: Stored = { format: FORMAT, key, contents };
  return JSON.stringify(stored);
}

/** What is not of a format that is known says nothing. */
export function unpackRecords(
  text: string,
  inode: bigint,
): { readonly key: string; readonly bound: readonly BoundRecord[] } | undefined {
  const stored = parse(text);
  if (stored?.format !== FORMAT) return undefined;
  const bound = stored.contents.map(({ sizeBytes, mtimeNs, ...record }) => ({
    identity: { inode, sizeBytes, mtimeNs: BigInt(mtimeNs) },
    record,
  }));
  return { key: stored.key, bound };
}

function parse(text: string): Stored | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
