import { asBuffer } from "#base/bytes.ts";
import { addSum, BODY_AT, corruptRecord, summedBody } from "#base/summed.ts";

/** Written now. In format 1 there was no sum, and the number stood within the JSON. */
const FORMAT = 2;
const OPENING_BRACE = 0x7b;

/** As JSON behind its sum. */
export function packRecord(record: object): Buffer {
  const json = JSON.stringify(record);
  const bytes = Buffer.allocUnsafe(BODY_AT + Buffer.byteLength(json));
  bytes.write(json, BODY_AT, "utf8");
  return addSum(bytes, FORMAT);
}

/** What was packed, in whichever format. Fails: StorageError "corrupt". */
export function unpackRecord(value: Uint8Array): unknown {
  const bytes = asBuffer(value);
  if (bytes[0] !== OPENING_BRACE) {
    return parseJson(summedBody(bytes, [FORMAT]).toString("utf8"));
  }
  const { format, ...record } = parseJson(bytes.toString("utf8")) as { readonly format?: unknown };
  if (format !== 1) throw corruptRecord();
  return record;
}

/** Fails: StorageError "corrupt". */
export function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw corruptRecord(cause);
  }
}
