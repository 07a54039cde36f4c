/**
 * Small WebAssembly modules, assembled here: what they do can be read where it stands, and neither a compiler nor a
 * file of machine code is part of the product.
 *
 * Spec: https://webassembly.github.io/spec/core/binary/
 */

/** Instructions, one after the other. */
export type Code = readonly number[];

export function join(...parts: readonly Code[]): Code {
  return parts.flat();
}

export const I32 = 0x7f;
export const I64 = 0x7e;
export const V128 = 0x7b;
type ValueType = typeof I32 | typeof I64 | typeof V128;

export interface WasmFunction {
  readonly name: string;
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
  /** Those that are no parameters. */
  readonly locals: readonly ValueType[];
  readonly code: Code;
}

const PAGE_BYTES = 64 * 1_024;

// TypeScript declares it with a browser's library alone.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
};

export interface Instance {
  /** Fixed in size. */
  readonly memory: ArrayBuffer;
  /** By their names; what they take and give is as they were declared. */
  readonly exports: Readonly<Record<string, unknown>>;
}

/** Makes the functions callable, over a memory of their own that begins with zeros. */
export function instantiate(functions: readonly WasmFunction[], memoryBytes: number): Instance {
  const pages = Math.ceil(memoryBytes / PAGE_BYTES);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(assembled(functions, pages)));
  const { buffer } = exports["memory"] as { readonly buffer: ArrayBuffer };
  return { memory: buffer, exports };
}

function assembled(functions: readonly WasmFunction[], pages: number): Uint8Array {
  const types = functions.map(({ params, results }) =>
    join([0x60], counted(params), counted(results)),
  );
  const exports = functions.map(({ name }, index) => join(text(name), [0], unsigned(index)));
  const bodies = functions.map(({ locals, code }) => {
    const declared = locals.map((type) => [1, type]);
    return counted(join(vector(declared), code, END));
  });
  return Uint8Array.from(
    join(
      [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(1, vector(types)),
      section(3, vector(functions.map((_, index) => unsigned(index)))),
      // One memory that may not grow.
      section(5, vector([join([1], unsigned(pages), unsigned(pages))])),
      section(7, vector([join(text("memory"), [2, 0]), ...exports])),
      section(10, vector(bodies)),
    ),
  );
}

function section(id: number, content: Code): Code {
  return join([id], counted(content));
}

function counted(bytes: Code): Code {
  return join(unsigned(bytes.length), bytes);
}

function vector(items: readonly Code[]): Code {
  return join(unsigned(items.length), ...items);
}

function text(name: string): Code {
  return counted([...Buffer.from(name)]);
}

/** LEB128. */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

/** LEB128, of 32 bits. */
function signed(value: number): Code {
  const [low, rest] = [value & 0x7f, value >> 7];
  const isLast = rest === (low & 0x40 ? -1 : 0);
  return isLast ? [low] : [low | 0x80, ...signed(rest)];
}

/** What is read or written lies at the address on the stack, and `offset` behind it. */
function memoryCode(opcode: Code): (offset: number) => Code {
  return (offset) => join(opcode, [0], unsigned(offset));
}

const simd = (opcode: number): Code => [0xfd, ...unsigned(opcode)];

export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number): Code => [0x21, ...unsigned(local)];
export const tee = (local: number): Code => [0x22, ...unsigned(local)];

export const BLOCK: Code = [0x02, 0x40];
export const LOOP: Code = [0x03, 0x40];
export const IF: Code = [0x04, 0x40];
export const END: Code = [0x0b];
/** `depth` counts the blocks that are left: 0 is the innermost; to a loop it goes to its start. */
export const branch = (depth: number): Code => [0x0c, depth];
export const branchIf = (depth: number): Code => [0x0d, depth];

export const i32 = {
  const: (value: number): Code => [0x41, ...signed(value)],
  load: memoryCode([0x28]),
  store: memoryCode([0x36]),
  eq: [0x46],
  lessUnsigned: [0x49],
  atMostUnsigned: [0x4d],
  atLeastUnsigned: [0x4f],
  add: [0x6a],
  sub: [0x6b],
  and: [0x71],
  or: [0x72],
  xor: [0x73],
  shl: [0x74],
  shrUnsigned: [0x76],
  rotl: [0x77],
  wrap: [0xa7],
} as const;

export const i64 = {
  const: (value: number): Code => [0x42, ...signed(value)],
  load: memoryCode([0x29]),
  load8Unsigned: memoryCode([0x31]),
  xor: [0x85],
  shrUnsigned: [0x88],
} as const;

export const v128 = {
  load: memoryCode(simd(0)),
  store: memoryCode(simd(11)),
  /** Of two vectors' bytes 0 to 15 and 16 to 31, those that are named. */
  shuffle: (bytes: readonly number[]): Code => [...simd(13), ...bytes],
  not: simd(77),
  and: simd(78),
  /** a & ~b */
  andNot: simd(79),
  or: simd(80),
  xor: simd(81),
  /** Of 32 bits, as all below. */
  shl: simd(0xab),
  shrUnsigned: simd(0xad),
  add: simd(0xae),
} as const;
