import type { PackedBytes, PackedEntries } from "#meta/packed.ts";
import type { LeaveOut } from "#meta/store.ts";
import type { ListAsk } from "#object/engine.ts";
import { closedSpan, UPLOAD_CLOSE_BYTES, VERSION_CLOSE_BYTES } from "#versioned/keys.ts";

type Asked = Pick<ListAsk, "prefix" | "delimiter">;

/**
 * Common prefixes of keys as they are stored and packed from the object key on, so that what lies below one
 * need not be read.
 */
export class RollUp {
  readonly #prefixBytes: number;
  readonly #delimiter: Buffer;
  /** As many bytes behind each object key are none of it. */
  readonly #closeBytes: number;

  private constructor(prefix: Buffer, delimiter: Buffer, closeBytes: number) {
    this.#prefixBytes = prefix.length;
    this.#delimiter = delimiter;
    this.#closeBytes = closeBytes;
  }

  /** undefined for a list without a delimiter. */
  static ofHeads({ prefix, delimiter }: Asked): RollUp | undefined {
    if (delimiter === "") return undefined;
    return new RollUp(Buffer.from(prefix), Buffer.from(delimiter), 0);
  }

  /** Of versions or uploads. */
  static ofClosed(kind: "v" | "u", { prefix, delimiter }: Asked): RollUp | undefined {
    if (delimiter === "") return undefined;
    const stored = (text: string) => closedSpan(kind, "", text).from.subarray(1);
    const closeBytes = kind === "v" ? VERSION_CLOSE_BYTES : UPLOAD_CLOSE_BYTES;
    return new RollUp(stored(prefix), stored(delimiter), closeBytes);
  }

  /** How many bytes of the key at `index` are its common prefix; 0 when it has none. */
  bytesOf(keys: PackedBytes, index: number): number {
    const start = keys.startOf(index);
    const end = keys.endOf(index) - this.#closeBytes;
    const at = keys.find(this.#delimiter, start + this.#prefixBytes, end);
    return at < 0 ? 0 : at + this.#delimiter.length - start;
  }

  /** For a packed scan. What is hidden makes no common prefix. */
  leavingOut(isHidden: (values: PackedBytes, index: number) => boolean = never): LeaveOut {
    return ({ keys, values }: PackedEntries) => {
      const index = keys.count - 1;
      const bytes = this.bytesOf(keys, index);
      return bytes > 0 && isHidden(values, index) ? 0 : bytes;
    };
  }
}

function never(): boolean {
  return false;
}
