/** Every bound of the HTTP front, in one place. */
export const LIMITS = {
  /** Of the request line and all headers. AWS allows 8 KiB of headers, 2 KiB of them metadata. */
  headerBytesMax: 16 * 1_024,
  headersMax: 200,
  /** Open at once in each worker process; the next one is closed at once. */
  connectionsMax: 10_000,
  /** From the first byte of a request to the end of its headers. */
  headersMs: 30_000,
  /** How often that is looked at. */
  headersCheckMs: 5_000,
  /** Without a byte in either direction while a request is under way. */
  idleMs: 60_000,
  keepAliveMs: 75_000,
  /** A body that has come slower than this on the whole, once it is older than `slowBodyMs`, is given up on. */
  bodyBytesPerSecondMin: 1_024,
  slowBodyMs: 60_000,
  /** Of a body that nobody has asked for yet: then the socket is not read. */
  unreadBytesMax: 512 * 1_024,
  /** Of all such bodies in a process together; beyond it each holds one chunk of 64 KiB at the most. */
  unreadBytesTotal: 64 * 1_024 * 1_024,
  /** Of a refused request's body that is read and thrown away to keep its connection. */
  discardedBytesMax: 8 * 1_024 * 1_024,
  discardMs: 5_000,
} as const;

/** As LIMITS, or shorter ones of a test. */
export type Limits = Readonly<Record<keyof typeof LIMITS, number>>;
