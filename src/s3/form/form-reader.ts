import { asBuffer } from "#base/bytes.ts";
import { invalidArgument, S3Error } from "#base/error.ts";
import { readPartHead } from "#s3/form/part-head.ts";

/** A multipart/form-data body, before it means anything. */
export interface FormSource {
  readonly boundary: string;
  /** Of all of it. */
  readonly sizeBytes: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** A form that was read as far as its file, whose bytes are still to come. */
export interface FormParts {
  /** Names in lower case. */
  readonly fields: ReadonlyMap<string, string>;
  readonly file: FormFile;
}

interface FormFile {
  /** "" when the client does not say. */
  readonly name: string;
  /** Where it ends is found only by reading it: at `sizeBytesMax` when nothing but the last boundary follows. */
  readonly sizeBytesMin: number;
  readonly sizeBytesMax: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * Of all that is in a form but the bytes of its file.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTForms.html
 */
const FORM_BYTES_MAX = 20 * 1_024;
const FIELDS_MAX = 100;
const FILE = "file";
const CRLF = "\r\n";
const END = "--";

/**
 * Reads the fields that stand before the file. What stands behind it is ignored, as AWS does, but counted.
 *
 * Spec: https://www.rfc-editor.org/rfc/rfc7578
 * Fails: MalformedPOSTRequest, MaxPostPreDataLengthExceededError, InvalidArgument (no file, a field twice); as the
 * file is read the first two, and what the body fails with.
 */
export async function readForm(source: FormSource): Promise<FormParts> {
  const reader = new FormReader(source);
  const fields = new Map<string, string>();
  await reader.preamble();
  for (;;) {
    const part = await reader.part();
    if (part === undefined) {
      throw invalidArgument(FILE, "0", "POST requires exactly one file upload per request.");
    }
    const name = part.name.toLowerCase();
    if (name === FILE) return { fields, file: reader.file(part.filename) };
    if (fields.has(name)) {
      const message = "A field is in the form more than once.";
      throw invalidArgument(part.name, undefined, message);
    }
    if (fields.size === FIELDS_MAX) {
      throw malformed(`There are more than ${FIELDS_MAX} fields before the file.`);
    }
    fields.set(name, await reader.text());
  }
}

/** Cuts a form where its boundary stands. It holds what comes before the file, and never the file. */
class FormReader {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #sizeBytes: number;
  readonly #delimiter: Buffer;
  /** A line break that is not there comes first: so the first boundary looks like the others. */
  readonly #head = Buffer.allocUnsafe(CRLF.length + FORM_BYTES_MAX);
  #filled = this.#head.write(CRLF);
  #at = 0;
  /** Of the last piece what the head had no room for. */
  #rest: Buffer = Buffer.alloc(0);

  constructor({ boundary, sizeBytes, chunks }: FormSource) {
    this.#source = chunks[Symbol.asyncIterator]();
    this.#sizeBytes = sizeBytes;
    this.#delimiter = Buffer.from(`${CRLF}--${boundary}`, "latin1");
  }

  /** Before the first boundary mail may say something; a form has nothing there, or a line break. */
  async preamble(): Promise<void> {
    const before = await this.#until(this.#delimiter);
    if (before.length > 0 && before.toString("latin1") !== CRLF) throw malformed();
  }

  /** What the next part is; undefined when there is none. */
  async part(): Promise<ReturnType<typeof readPartHead> | undefined> {
    while (this.#filled - this.#at < END.length) await this.#fill();
    const next = this.#head.toString("latin1", this.#at, this.#at + END.length);
    if (next === END) return undefined;
    if (next !== CRLF) throw malformed();
    return readPartHead(await this.#until(HEAD_END));
  }

  /** What the part holds. */
  async text(): Promise<string> {
    const bytes = await this.#until(this.#delimiter);
    try {
      return UTF8.decode(bytes);
    } catch (cause) {
      throw malformed("A field is not UTF-8.", cause);
    }
  }

  /** The same of the file, with all that follows. */
  file(name: string): FormFile {
    const beforeBytes = this.#at - CRLF.length;
    const leftBytes = this.#sizeBytes - beforeBytes;
    const roomBytes = FORM_BYTES_MAX - beforeBytes;
    const sizeBytesMax = Math.max(0, leftBytes - this.#delimiter.length - END.length);
    return {
      name,
      sizeBytesMin: Math.min(sizeBytesMax, Math.max(0, leftBytes - roomBytes)),
      sizeBytesMax,
      chunks: fileOf(this.#remaining(), this.#delimiter, { leftBytes, roomBytes }),
    };
  }

  async *#remaining(): AsyncGenerator<Buffer> {
    try {
      if (this.#at < this.#filled) yield this.#head.subarray(this.#at, this.#filled);
      if (this.#rest.length > 0) yield this.#rest;
      for (;;) {
        const next = await this.#source.next();
        if (next.done === true) return;
        yield asBuffer(next.value);
      }
    } finally {
      await this.#source.return?.();
    }
  }

  /** The bytes before `mark`; goes on behind it. */
  async #until(mark: Buffer): Promise<Buffer> {
    let from = this.#at;
    for (;;) {
      const found = this.#head.subarray(0, this.#filled).indexOf(mark, from);
      if (found >= 0) {
        const bytes = this.#head.subarray(this.#at, found);
        this.#at = found + mark.length;
        return bytes;
      }
      from = Math.max(this.#at, this.#filled - mark.length + 1);
      await this.#fill();
    }
  }

  async #fill(): Promise<void> {
    if (this.#filled === this.#head.length) throw tooLong();
    const next = await this.#source.next();
    if (next.done === true) throw malformed();
    const piece = asBuffer(next.value);
    const taken = piece.copy(this.#head, this.#filled);
    this.#filled += taken;
    this.#rest = piece.subarray(taken);
  }
}

const HEAD_END = Buffer.from(CRLF + CRLF);
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

interface Room {
  /** Of the form, from the file on. */
  readonly leftBytes: number;
  /** For what is not the file. */
  readonly roomBytes: number;
}

/** The bytes before the delimiter. Fails: as readForm, for what follows. */
async function* fileOf(
  pieces: AsyncIterable<Buffer>,
  delimiter: Buffer,
  { leftBytes, roomBytes }: Room,
): AsyncGenerator<Uint8Array> {
  let held: Buffer = Buffer.alloc(0);
  let fileBytes = 0;
  let behind: string | undefined;
  for await (const piece of pieces) {
    if (behind !== undefined) {
      behind += piece.toString("latin1", 0, Math.max(0, END.length - behind.length));
      continue;
    }
    const bytes = held.length === 0 ? piece : Buffer.concat([held, piece]);
    const found = bytes.indexOf(delimiter);
    const end = found >= 0 ? found : startOfDelimiter(bytes, delimiter);
    fileBytes += end;
    if (end > 0) yield bytes.subarray(0, end);
    held = bytes.subarray(end);
    if (found < 0) continue;
    if (leftBytes - fileBytes > roomBytes) throw tooLong();
    const after = delimiter.length;
    behind = held.toString("latin1", after, after + END.length);
  }
  if (behind !== END && behind !== CRLF) throw malformed();
}

/** Where the end of a piece may be the start of a delimiter; its length when it cannot. */
function startOfDelimiter(bytes: Buffer, delimiter: Buffer): number {
  const from = Math.max(0, bytes.length - delimiter.length + 1);
  for (let at = bytes.indexOf("\r", from); at >= 0; at = bytes.indexOf("\r", at + 1)) {
    if (delimiter.subarray(0, bytes.length - at).equals(bytes.subarray(at))) return at;
  }
  return bytes.length;
}

function tooLong(): S3Error {
  const detail = { MaxPostPreDataLengthBytes: String(FORM_BYTES_MAX) };
  return new S3Error("MaxPostPreDataLengthExceededError", detail);
}

function malformed(message?: string, cause?: unknown): S3Error {
  return new S3Error("MalformedPOSTRequest", {}, { ...(message && { message }), cause });
}
