import type { Checksum } from "#object/attributes.ts";
import { type Identity, isSame } from "#volume/identity.ts";

/** What was computed of the bytes of a file that was not written through S3. */
export interface FileDigests {
  /** Hexadecimal. Shown nowhere: the ETag stays the one that was told before it was known. */
  readonly md5: string;
  /** Base64. */
  readonly crc64nvme: string;
}

const FORMAT = 1;

interface Stored extends FileDigests {
  readonly format: number;
  /** Where the file was when this was written: the first place to look whether it still is. */
  readonly key: string;
  readonly sizeBytes: number;
  /** Decimal: more digits than a number has. */
  readonly mtimeNs: string;
}

/** The digests of one content of a file. */
export interface BoundDigests {
  readonly key: string;
  readonly identity: Identity;
  readonly digests: FileDigests;
}

export function packDigests({ key, identity, digests }: BoundDigests): string {
  const { sizeBytes, mtimeNs } = identity;
  const stored: Stored = { format: FORMAT, key, sizeBytes, mtimeNs: String(mtimeNs), ...digests };
  return JSON.stringify(stored);
}

/** What is not of a format that is known says nothing. */
export function unpackDigests(text: string, inode: bigint): BoundDigests | undefined {
  const stored = parse(text);
  if (stored?.format !== FORMAT) return undefined;
  const { key, sizeBytes, mtimeNs, md5, crc64nvme } = stored;
  const identity = { inode, sizeBytes, mtimeNs: BigInt(mtimeNs) };
  return { key, identity, digests: { md5, crc64nvme } };
}

/** As S3 tells it; undefined when the digests are of another content. */
export function checksumFrom(
  bound: BoundDigests | undefined,
  identity: Identity,
): Checksum | undefined {
  if (bound === undefined || !isSame(bound.identity, identity)) return undefined;
  return { algorithm: "CRC64NVME", type: "FULL_OBJECT", value: bound.digests.crc64nvme };
}

function parse(text: string): Stored | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
