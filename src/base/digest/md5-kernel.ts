import {
  branchIf,
  type Code,
  END,
  get,
  I32,
  i32,
  instantiate,
  join,
  LOOP,
  set,
  tee,
  V128,
  v128,
  type WasmFunction,
} from "#base/digest/wasm.ts";

/** Byte strings whose sums grow in step. */
export const LANES = 8;
export const BLOCK_BYTES = 64;
/** So much of each stands in the kernel's memory at once: all lanes stay in the processor's second cache. */
export const LANE_BYTES = 16 * 1_024;

/** A vector holds one word of four lanes. */
const PER_VECTOR = 4;
const VECTOR_BYTES = 16;
const VECTORS = LANES / PER_VECTOR;
const STATE_WORDS = 4;
const STATE_BYTES = VECTORS * STATE_WORDS * VECTOR_BYTES;
const CONSTANTS_AT = STATE_BYTES;
const LANES_AT = 4_096;

/** Spec: https://www.rfc-editor.org/rfc/rfc1321#section-3.4 */
const STEPS = 64;
const CONSTANTS = Array.from({ length: STEPS }, (_, step) =>
  Math.floor(Math.abs(Math.sin(step + 1)) * 2 ** 32),
);
const ROTATIONS = [
  [7, 12, 17, 22],
  [5, 9, 14, 20],
  [4, 11, 16, 23],
  [6, 10, 15, 21],
] as const;
const WORD_OF_STEP = [
  (step: number) => step,
  (step: number) => 5 * step + 1,
  (step: number) => 3 * step + 5,
  (step: number) => 7 * step,
] as const;

/** Locals of each function: the blocks that are left, and how far those before reach. */
const BLOCKS = 0;
const AT = 1;
const FIRST_OWN = 2;

export interface Md5Kernel {
  /** Where the bytes of each lane go. */
  readonly lanes: readonly Uint8Array[];
  /** Four words for each lane: word w of lane l is at `stateAt(l) + 4 * w`. */
  readonly state: Int32Array;
  /** Takes so many blocks of each of the first lanes into their states. */
  readonly run: (lanes: number, blocks: number) => void;
}

export function stateAt(lane: number): number {
  const vector = Math.floor(lane / PER_VECTOR);
  return vector * STATE_WORDS * PER_VECTOR + (lane % PER_VECTOR);
}

/**
 * MD5 of up to eight byte strings in step. One chain of additions and rotations waits for itself: with eight, in
 * two vectors of four, the processor has something to do meanwhile.
 */
export function md5Kernel(): Md5Kernel {
  const functions = [functionOf("one", [oneLane]), functionOf("four", [fourLanes(0)])];
  functions.push(functionOf("eight", [fourLanes(0), fourLanes(1)]));
  const { memory, exports } = instantiate(functions, LANES_AT + LANES * LANE_BYTES);
  const constants = new Int32Array(memory, CONSTANTS_AT, STEPS * PER_VECTOR);
  for (const [step, constant] of CONSTANTS.entries()) {
    constants.fill(constant, step * PER_VECTOR, (step + 1) * PER_VECTOR);
  }
  // As they are declared below.
  const { one, four, eight } = exports as Record<"one" | "four" | "eight", (n: number) => void>;
  return {
    lanes: Array.from(
      { length: LANES },
      (_, lane) => new Uint8Array(memory, LANES_AT + lane * LANE_BYTES, LANE_BYTES),
    ),
    state: new Int32Array(memory, 0, LANES * STATE_WORDS),
    run: (lanes, blocks) => {
      if (lanes === 1) one(blocks);
      else if (lanes <= PER_VECTOR) four(blocks);
      else eight(blocks);
    },
  };
}

/** How a machine word is computed with: it holds that of one lane, or those of four. */
interface Machine {
  readonly type: typeof I32 | typeof V128;
  /** At an address on the stack. */
  readonly load: (offset: number) => Code;
  readonly store: (offset: number) => Code;
  /** Gets the words of the next block ready. */
  readonly loadBlock: (words: readonly number[], spare: readonly number[]) => Code;
  /** Of the block, by its number and by the local that was made ready for it. */
  readonly word: (index: number, local: number) => Code;
  readonly constant: (step: number) => Code;
  readonly not: Code;
  readonly and: Code;
  /** a & ~b */
  readonly andNot: Code;
  readonly or: Code;
  readonly xor: Code;
  readonly add: Code;
  /** Of the local. */
  readonly rotate: (local: number, bits: number) => Code;
  /** Of the first of its lanes. */
  readonly stateAt: number;
}

const oneLane: Machine = {
  type: I32,
  load: i32.load,
  store: i32.store,
  loadBlock: () => [],
  word: (index) => join(get(AT), i32.load(LANES_AT + 4 * index)),
  constant: (step) => i32.const((CONSTANTS[step] ?? 0) | 0),
  not: join(i32.const(-1), i32.xor),
  andNot: join(i32.const(-1), i32.xor, i32.and),
  ...{ and: i32.and, or: i32.or, xor: i32.xor, add: i32.add },
  rotate: (local, bits) => join(get(local), i32.const(bits), i32.rotl),
  stateAt: 0,
};

function fourLanes(vector: number): Machine {
  const lanesAt = LANES_AT + vector * PER_VECTOR * LANE_BYTES;
  const quarterOf = (lane: number, quarter: number): Code =>
    join(get(AT), v128.load(lanesAt + lane * LANE_BYTES + quarter * VECTOR_BYTES));
  return {
    type: V128,
    load: v128.load,
    store: v128.store,
    loadBlock: (words, spare) =>
      [0, 1, 2, 3].flatMap((quarter) => {
        const rows = [0, 1, 2, 3].map((lane) => quarterOf(lane, quarter));
        return transposed(rows, words.slice(4 * quarter, 4 * quarter + 4), spare);
      }),
    word: (_, local) => get(local),
    constant: (step) => join(i32.const(0), v128.load(CONSTANTS_AT + step * VECTOR_BYTES)),
    ...{ not: v128.not, and: v128.and, andNot: v128.andNot, or: v128.or },
    ...{ xor: v128.xor, add: v128.add },
    rotate: (local, bits) =>
      join(
        join(get(local), i32.const(bits), v128.shl),
        join(get(local), i32.const(32 - bits), v128.shrUnsigned),
        v128.or,
      ),
    stateAt: vector * STATE_WORDS * VECTOR_BYTES,
  };
}

const LOW_WORDS = v128.shuffle([0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23]);
const HIGH_WORDS = v128.shuffle([8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31]);
const LOW_PAIRS = v128.shuffle([0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
const HIGH_PAIRS = v128.shuffle([8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31]);

/** Four words of each of four lanes become four vectors of a word of each. */
function transposed(
  rows: readonly Code[],
  into: readonly number[],
  spare: readonly number[],
): Code {
  const [r0 = [], r1 = [], r2 = [], r3 = []] = rows;
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = into;
  const [a = 0, b = 0, low = 0, high = 0] = spare;
  const apart = (first: Code, second: Code, [lows = 0, highs = 0]: readonly number[]): Code =>
    join(
      join(first, tee(a), second, tee(b), LOW_WORDS, set(lows)),
      join(get(a), get(b), HIGH_WORDS, set(highs)),
    );
  return join(
    apart(r0, r1, [low, high]),
    apart(r2, r3, [w0, w1]),
    join(get(high), get(w1), LOW_PAIRS, set(w2)),
    join(get(high), get(w1), HIGH_PAIRS, set(w3)),
    join(get(low), get(w0), HIGH_PAIRS, set(w1)),
    join(get(low), get(w0), LOW_PAIRS, set(w0)),
  );
}

/** Locals of one machine. */
interface Registers {
  readonly machine: Machine;
  readonly state: readonly number[];
  readonly before: readonly number[];
  readonly words: readonly number[];
  readonly spare: readonly number[];
}

/** Takes the number of blocks. */
function functionOf(name: string, machines: readonly Machine[]): WasmFunction {
  const types: Machine["type"][] = [];
  const registers = machines.map((machine): Registers => {
    const some = (count: number) =>
      Array.from({ length: count }, () => FIRST_OWN + types.push(machine.type) - 1);
    return { machine, state: some(4), before: some(4), words: some(16), spare: some(4) };
  });
  const each = (code: (own: Registers) => Code): Code => registers.flatMap(code);
  const wordAt = ({ stateAt: at }: Machine, word: number): number => at + word * VECTOR_BYTES;
  const code = join(
    each(({ machine, state }) =>
      state.flatMap((local, word) =>
        join(i32.const(0), machine.load(wordAt(machine, word)), set(local)),
      ),
    ),
    LOOP,
    each(({ machine, words, spare }) => machine.loadBlock(words, spare)),
    each(({ state, before }) =>
      state.flatMap((local, word) => join(get(local), set(before[word] ?? 0))),
    ),
    ...Array.from({ length: STEPS }, (_, step) => each((own) => stepOf(step, own))),
    each(({ machine: { add }, state, before }) =>
      state.flatMap((local, word) => join(get(local), get(before[word] ?? 0), add, set(local))),
    ),
    join(get(AT), i32.const(BLOCK_BYTES), i32.add, set(AT)),
    join(get(BLOCKS), i32.const(1), i32.sub, tee(BLOCKS), branchIf(0)),
    END,
    each(({ machine, state }) =>
      state.flatMap((local, word) =>
        join(i32.const(0), get(local), machine.store(wordAt(machine, word))),
      ),
    ),
  );
  return { name, params: [I32], results: [], locals: [I32, ...types], code };
}

/**
 * a = b + rotated(a + f(b, c, d) + word + constant), where a to d change places with each step. Each step is done on
 * every machine before the next, so that their chains do not wait for one another.
 */
function stepOf(step: number, { machine, state, words, spare }: Registers): Code {
  const [a = 0, b = 0, c = 0, d = 0] = [0, 1, 2, 3].map((at) => state[(at + STEPS - step) % 4]);
  const round = Math.floor(step / 16);
  const index = (WORD_OF_STEP[round]?.(step) ?? 0) % 16;
  const [sum = 0] = spare;
  const { add, constant, rotate, word } = machine;
  return join(
    join(get(a), word(index, words[index] ?? 0), add, constant(step), add),
    join(mixed(round, machine, [b, c, d]), set(sum)),
    join(rotate(sum, ROTATIONS[round]?.[step % 4] ?? 0), get(b), add, set(a)),
  );
}

/** Adds the round's function; what does not need b, which is the newest, comes first. */
function mixed(
  round: number,
  machine: Machine,
  [b, c, d]: readonly [number, number, number],
): Code {
  const { and, andNot, or, xor, not, add } = machine;
  switch (round) {
    case 0:
      return join(get(c), get(d), xor, get(b), and, get(d), xor, add);
    case 1:
      // (b & d) | (c & ~d): no bit is in both, so that they may be added one by one.
      return join(get(c), get(d), andNot, add, get(d), get(b), and, add);
    case 2:
      return join(get(c), get(d), xor, get(b), xor, add);
    default:
      return join(get(d), not, get(b), or, get(c), xor, add);
  }
}
