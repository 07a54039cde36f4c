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

/** Short chunks gather up to here, so that not each of them waits for a turn. A lane takes it with the padding. */
const GATHERED_BYTES_MAX = LANE_BYTES - BLOCK_BYTES;

/** Where the sum of a byte string is. */
interface Sum {
  readonly state: Int32Array;
  /** What has come and is not in the state yet. */
  rest: Buffer;
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
    rest: Buffer.allocUnsafe(BLOCK_BYTES),
    restBytes: 0,
  };
  #sizeBytes = 0;
  #isGrowing = false;

  /** Resolves when the chunk has been read, and the next one may come. */
  async update(chunk: Uint8Array): Promise<void> {
    assert(!this.#isGrowing, "a sum takes its chunks one after the other");
    this.#sizeBytes += chunk.length;
    if (this.#sum.restBytes + chunk.length <= GATHERED_BYTES_MAX) {
      gather(this.#sum, chunk);
      return;
    }
    this.#isGrowing = true;
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

function gather(sum: Sum, chunk: Uint8Array): void {
  const { rest, restBytes } = sum;
  const bytes = restBytes + chunk.length;
  if (bytes > rest.length) {
    sum.rest = Buffer.allocUnsafe(Math.max(bytes, 2 * rest.length));
    rest.copy(sum.rest, 0, 0, restBytes);
  }
  sum.rest.set(chunk, restBytes);
  sum.restBytes = bytes;
}

/** What has gathered, and a chunk behind it, on their way into their sum. */
class Growth {
  readonly #sum: Sum;
  readonly #chunk: Uint8Array;
  readonly #resolve: () => void;
  /** How far the two are taken. */
  #restAt = 0;
  #at = 0;
  isDone = false;

  constructor(sum: Sum, chunk: Uint8Array, resolve: () => void) {
    this.#sum = sum;
    this.#chunk = chunk;
    this.#resolve = resolve;
  }

  /** Whole ones that are there. */
  get blocks(): number {
    const restBytes = this.#sum.restBytes - this.#restAt;
    return Math.floor((restBytes + this.#chunk.length - this.#at) / BLOCK_BYTES);
  }

  /** Puts the next so many blocks into a lane. */
  enter(lane: number, blocks: number): void {
    const { state, rest, restBytes } = this.#sum;
    const into = kernel().lanes[lane];
    assert(into !== undefined, "there are so many lanes");
    const bytes = blocks * BLOCK_BYTES;
    const ofRest = Math.min(bytes, restBytes - this.#restAt);
    const ofChunk = bytes - ofRest;
    if (ofRest > 0) into.set(rest.subarray(this.#restAt, this.#restAt + ofRest));
    into.set(this.#chunk.subarray(this.#at, this.#at + ofChunk), ofRest);
    this.#restAt += ofRest;
    this.#at += ofChunk;
    enter(state, lane);
  }

  leave(lane: number): void {
    leave(this.#sum.state, lane);
    if (this.blocks === 0) this.#finish();
  }

  /** What is no whole block waits for the next chunk. */
  #finish(): void {
    const sum = this.#sum;
    sum.restBytes = sum.rest.copy(sum.rest, 0, this.#restAt, sum.restBytes);
    gather(sum, this.#chunk.subarray(this.#at));
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
    if (waiting.length === 0) setImmediate(run);
    waiting.push(new Growth(sum, chunk, resolve));
  });
}

/** A lane that is free goes to who has waited longest; however many wait, each is looked at once. */
function run(): void {
  let active: readonly Growth[] = [];
  let next = 0;
  for (let bytes = 0; bytes < RUN_BYTES_MAX; ) {
    const free = LANES - active.length;
    active = [...active, ...waiting.slice(next, next + free)];
    next += free;
    if (active.length === 0) break;
    bytes += step(active);
    active = active.filter(({ isDone }) => !isDone);
  }
  waiting = [...active, ...waiting.slice(next)];
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
