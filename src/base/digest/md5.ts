import { assert } from "#base/assert.ts";
import {
  BLOCK_BYTES,
  LANE_BYTES,
  LANES,
  type Md5Kernel,
  md5Kernel,
  stateAt,
} from "#base/digest/md5-kernel.ts";

const INITIAL = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476] as const;
const DIGEST_BYTES = 16;
const PADDING = Buffer.from([0x80]);
const LENGTH_BYTES = 8;
/** Then whoever else waits for this process has a turn. */
const RUN_BYTES_MAX = 4 * 2 ** 20;

let made: Md5Kernel | undefined;

/** Where the sum of a byte string is. */
interface Sum {
  readonly state: Int32Array;
  /** What is left of a block that is not full. */
  readonly rest: Uint8Array;
  restBytes: number;
}

/**
 * An MD5 that grows chunk by chunk. Sums that grow at the same time do so side by side, each in a lane of the
 * processor: eight of them take hardly longer than one.
 *
 * Spec: https://www.rfc-editor.org/rfc/rfc1321
 */
export class Md5 {
  readonly #sum: Sum = {
    state: Int32Array.from(INITIAL),
    rest: new Uint8Array(BLOCK_BYTES),
    restBytes: 0,
  };
  #sizeBytes = 0;
  #isGrowing = false;

  /** Resolves when the chunk has been read, and the next one may come. */
  async update(chunk: Uint8Array): Promise<void> {
    assert(!this.#isGrowing, "a sum takes its chunks one after the other");
    this.#isGrowing = true;
    this.#sizeBytes += chunk.length;
    await grown(this.#sum, chunk);
    this.#isGrowing = false;
  }

  /** Ends it. */
  digest(): Buffer {
    assert(!this.#isGrowing, "a sum has taken all its chunks");
    this.#isGrowing = true;
    const { state, rest, restBytes } = this.#sum;
    const blocks = Math.ceil((restBytes + PADDING.length + LENGTH_BYTES) / BLOCK_BYTES);
    const end = Buffer.alloc(blocks * BLOCK_BYTES);
    end.set(rest.subarray(0, restBytes));
    end.set(PADDING, restBytes);
    end.writeBigUInt64LE(BigInt(this.#sizeBytes) * 8n, end.length - LENGTH_BYTES);
    kernel().lanes[0]?.set(end);
    enter(state, 0);
    kernel().run(1, blocks);
    leave(state, 0);
    const digest = Buffer.allocUnsafe(DIGEST_BYTES);
    for (const [index, word] of state.entries()) digest.writeInt32LE(word, 4 * index);
    return digest;
  }
}

/** A chunk on its way into its sum. */
class Growth {
  readonly #sum: Sum;
  readonly #chunk: Uint8Array;
  readonly #resolve: () => void;
  #at = 0;
  isDone = false;

  constructor(sum: Sum, chunk: Uint8Array, resolve: () => void) {
    this.#sum = sum;
    this.#chunk = chunk;
    this.#resolve = resolve;
    if (this.blocks === 0) this.#finish();
  }

  /** Whole ones that are there. */
  get blocks(): number {
    return Math.floor((this.#sum.restBytes + this.#chunk.length - this.#at) / BLOCK_BYTES);
  }

  /** Puts the next so many blocks into a lane. */
  enter(lane: number, blocks: number): void {
    const { state, rest, restBytes } = this.#sum;
    const bytes = kernel().lanes[lane];
    assert(bytes !== undefined, "there are so many lanes");
    if (restBytes > 0) bytes.set(rest.subarray(0, restBytes));
    const taken = blocks * BLOCK_BYTES - restBytes;
    bytes.set(this.#chunk.subarray(this.#at, this.#at + taken), restBytes);
    this.#at += taken;
    this.#sum.restBytes = 0;
    enter(state, lane);
  }

  leave(lane: number): void {
    leave(this.#sum.state, lane);
    if (this.blocks === 0) this.#finish();
  }

  /** What is no whole block waits for the next chunk. */
  #finish(): void {
    const { rest, restBytes } = this.#sum;
    const left = this.#chunk.subarray(this.#at);
    rest.set(left, restBytes);
    this.#sum.restBytes = restBytes + left.length;
    this.isDone = true;
    this.#resolve();
  }
}

/** Making it takes some milliseconds, which only those spend who need it. */
function kernel(): Md5Kernel {
  made ??= md5Kernel();
  return made;
}

function enter(state: Int32Array, lane: number): void {
  const { state: inside } = kernel();
  const at = stateAt(lane);
  for (let word = 0; word < 4; word += 1) inside[at + 4 * word] = state[word] ?? 0;
}

function leave(state: Int32Array, lane: number): void {
  const { state: inside } = kernel();
  const at = stateAt(lane);
  for (let word = 0; word < 4; word += 1) state[word] = inside[at + 4 * word] ?? 0;
}

/** Of this process; what came in one turn of the event loop is computed at its end. */
let waiting: Growth[] = [];

async function grown(sum: Sum, chunk: Uint8Array): Promise<void> {
  await new Promise<void>((resolve) => {
    const growth = new Growth(sum, chunk, resolve);
    if (growth.isDone) return;
    if (waiting.length === 0) setImmediate(run);
    waiting.push(growth);
  });
}

function run(): void {
  for (let bytes = 0; waiting.length > 0 && bytes < RUN_BYTES_MAX; ) {
    bytes += step(waiting.slice(0, LANES));
    waiting = waiting.filter(({ isDone }) => !isDone);
  }
  if (waiting.length > 0) setImmediate(run);
}

/** As many blocks of each as all of them have. Answers how many bytes that were. */
function step(active: readonly Growth[]): number {
  const most = LANE_BYTES / BLOCK_BYTES;
  const blocks = active.reduce((least, growth) => Math.min(least, growth.blocks), most);
  for (const [lane, growth] of active.entries()) growth.enter(lane, blocks);
  kernel().run(active.length, blocks);
  for (const [lane, growth] of active.entries()) growth.leave(lane);
  return active.length * blocks * BLOCK_BYTES;
}
