import {
  BLOCK,
  branch,
  branchIf,
  type Code,
  END,
  get,
  I32,
  I64,
  IF,
  i32,
  i64,
  instantiate,
  join,
  LOOP,
  set,
  tee,
  type WasmFunction,
} from "#base/digest/wasm.ts";

/** x^64 + … as NVMe defines it, the lowest power in the highest bit. */
const POLYNOMIAL = { high: 0x9a6c9329, low: 0xac4bc9b5 };
const WORD_BYTES = 8;
/** Runs of words whose sums do not wait for one another: every fourth word is in the same. */
const RUNS = 4;
const STRIDE_BYTES = RUNS * WORD_BYTES;
const ENTRIES = 256;
const TABLE_BYTES = ENTRIES * WORD_BYTES;
/** Of a word's bytes, each with its table: to the end of the word, and a stride further. */
const NEAR_AT = 0;
const FAR_AT = WORD_BYTES * TABLE_BYTES;
const BYTES_AT = 2 * WORD_BYTES * TABLE_BYTES;

/** As many bytes as are taken at once. */
export const PIECE_BYTES = 64 * 1_024;

export interface Crc64Kernel {
  /** Where the bytes go. */
  readonly bytes: Uint8Array;
  /** Takes the first so many of them into a running value. */
  readonly run: (crc: bigint, count: number) => bigint;
}

/**
 * CRC64NVME, eight bytes a step and four steps at a time, each byte by a table of its own.
 *
 * Spec: NVM Express NVM Command Set, "64b CRC"; M. Kounavis and F. Berry, "A Systematic Approach to Building
 * High Performance Software-Based CRC Generators" (slicing by eight)
 */
export function crc64Kernel(): Crc64Kernel {
  const { memory, exports } = instantiate([crcFunction()], BYTES_AT + PIECE_BYTES);
  fillTables(new Uint32Array(memory, 0, BYTES_AT / 4));
  // As it is declared below.
  const run = exports["crc64"] as (crc: bigint, from: number, to: number) => bigint;
  return {
    bytes: new Uint8Array(memory, BYTES_AT, PIECE_BYTES),
    run: (crc, count) => run(crc, BYTES_AT, BYTES_AT + count),
  };
}

/** What a byte becomes when zeros follow it: none in the last table of a word, one more in each before. */
function fillTables(tables: Uint32Array): void {
  const one = tableOfByte();
  for (let byte = 0; byte < ENTRIES; byte += 1) {
    let [low, high] = [one[2 * byte] ?? 0, one[2 * byte + 1] ?? 0];
    for (let zeros = 0; zeros < STRIDE_BYTES; zeros += 1) {
      const near = WORD_BYTES - 1 - zeros;
      const far = STRIDE_BYTES - 1 - zeros;
      if (near >= 0) write(NEAR_AT + near * TABLE_BYTES + byte * WORD_BYTES);
      if (far < WORD_BYTES) write(FAR_AT + far * TABLE_BYTES + byte * WORD_BYTES);
      const out = 2 * (low & 0xff);
      low = ((low >>> 8) | (high << 24)) ^ (one[out] ?? 0);
      high = (high >>> 8) ^ (one[out + 1] ?? 0);
    }
    function write(at: number): void {
      tables[at / 4] = low;
      tables[at / 4 + 1] = high;
    }
  }
}

/** The low and the high half for each byte. */
function tableOfByte(): Int32Array {
  const table = new Int32Array(2 * ENTRIES);
  for (let byte = 0; byte < ENTRIES; byte += 1) {
    let [low, high] = [byte, 0];
    for (let bit = 0; bit < 8; bit += 1) {
      const taken = -(low & 1);
      low = ((low >>> 1) | (high << 31)) ^ (POLYNOMIAL.low & taken);
      high = (high >>> 1) ^ (POLYNOMIAL.high & taken);
    }
    table[2 * byte] = low;
    table[2 * byte + 1] = high;
  }
  return table;
}

const CRC = 0;
const FROM = 1;
const TO = 2;
const [LOW, HIGH] = [3, 4] as const;
const WORD = 5;
const RUN = [6, 7, 8, 9] as const;

/** Takes the running value, and from and to which address. */
function crcFunction(): WasmFunction {
  const left = join(get(TO), get(FROM), i32.sub);
  const forward = (bytes: number): Code => join(get(FROM), i32.const(bytes), i32.add);
  const word = (index: number): Code => join(get(FROM), i64.load(index * WORD_BYTES));
  const code = join(
    join(left, i32.const(2 * STRIDE_BYTES), i32.atLeastUnsigned, IF),
    ...RUN.map((run, index) => join(word(index), set(run))),
    join(get(RUN[0]), get(CRC), i64.xor, set(RUN[0])),
    join(forward(STRIDE_BYTES), set(FROM)),
    LOOP,
    ...RUN.map((run, index) => join(looked(run, FAR_AT), word(index), i64.xor, set(run))),
    join(forward(STRIDE_BYTES), tee(FROM), i32.const(STRIDE_BYTES), i32.add),
    join(get(TO), i32.atMostUnsigned, branchIf(0), END),
    // The runs end side by side: each is taken on over the next.
    join(looked(RUN[0], NEAR_AT), set(CRC)),
    ...RUN.slice(1).map((run) =>
      join(get(run), get(CRC), i64.xor, set(run), looked(run, NEAR_AT), set(CRC)),
    ),
    END,
    // Words.
    join(BLOCK, LOOP, left, i32.const(WORD_BYTES), i32.lessUnsigned, branchIf(1)),
    join(word(0), get(CRC), i64.xor, set(WORD), looked(WORD, NEAR_AT), set(CRC)),
    join(forward(WORD_BYTES), set(FROM), branch(0), END, END),
    // Bytes.
    join(BLOCK, LOOP, get(FROM), get(TO), i32.eq, branchIf(1)),
    join(get(CRC), get(FROM), i64.load8Unsigned(0), i64.xor, i32.wrap),
    join(i32.const(ENTRIES - 1), i32.and, i32.const(3), i32.shl),
    i64.load(NEAR_AT + (WORD_BYTES - 1) * TABLE_BYTES),
    join(get(CRC), i64.const(8), i64.shrUnsigned, i64.xor, set(CRC)),
    join(forward(1), set(FROM), branch(0), END, END),
    get(CRC),
  );
  const locals = [I32, I32, I64, I64, I64, I64, I64] as const;
  return { name: "crc64", params: [I64, I32, I32], results: [I64], locals, code };
}

/** A word of a local, each byte by its table, the results added. An entry has eight bytes. */
function looked(local: number, tables: number): Code {
  const halves = join(
    join(get(local), i32.wrap, set(LOW)),
    join(get(local), i64.const(32), i64.shrUnsigned, i32.wrap, set(HIGH)),
  );
  const bytes = Array.from({ length: WORD_BYTES }, (_, byte) => {
    const bit = 8 * (byte % 4) - 3;
    return join(
      get(byte < 4 ? LOW : HIGH),
      bit < 0 ? join(i32.const(-bit), i32.shl) : join(i32.const(bit), i32.shrUnsigned),
      join(i32.const((ENTRIES - 1) * WORD_BYTES), i32.and),
      join(i64.load(tables + byte * TABLE_BYTES), byte === 0 ? [] : i64.xor),
    );
  });
  return join(halves, ...bytes);
}
