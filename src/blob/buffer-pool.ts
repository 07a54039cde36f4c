export const BUFFER_BYTES = 1024 * 1024;
/** A read up to this size, and a buffer when the pool is empty, is allocated and thrown away. */
export const SMALL_BYTES = 64 * 1024;

/** Buffers of 1 MiB that are used again: fresh memory costs three times what reading into it does. */
class BufferPool {
  readonly #buffersMax: number;
  readonly #idle: Buffer[] = [];
  #lent = 0;

  constructor(buffersMax: number) {
    this.#buffersMax = buffersMax;
  }

  get lent(): number {
    return this.#lent;
  }

  /** Never waits: a small buffer of its own for who comes when all are lent. */
  take(): Buffer {
    if (this.#lent === this.#buffersMax) return Buffer.allocUnsafeSlow(SMALL_BYTES);
    this.#lent += 1;
    return this.#idle.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
  }

  /** `again: false` when somebody may still look at the buffer. */
  give(buffer: Buffer, { again }: { readonly again: boolean }): void {
    if (buffer.length < BUFFER_BYTES) return;
    this.#lent -= 1;
    if (again) this.#idle.push(buffer);
  }
}

export const readBuffers = new BufferPool(32);
export const writeBuffers = new BufferPool(24);

/** How many pooled buffers of this process are in use; 0 when no blob is being read or written. */
export function buffersLent(): number {
  return readBuffers.lent + writeBuffers.lent;
}
