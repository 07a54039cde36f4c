import type { Endpoint } from "../client/session.ts";
import { objectPath, Signer } from "../client/sign.ts";
import type { HostileScale } from "../scale.ts";

/** Of the object that answers are drawn from. */
export const LARGE_BYTES = 32 * 2 ** 20;
export const LARGE_KEY = "large";
export const SMALL_KEY = "small";

/** What one kind of hostile client does, on each of its connections. */
export interface Attack {
  readonly connections: (scale: HostileScale) => number;
  /** Is sent at once. */
  readonly opening: (signed: Signed, index: number) => string;
  /** Is sent with each tick. */
  readonly drip?: string;
  /** Sends the opening again with so many ticks. */
  readonly againTicks?: number;
  /** What is done with answers: nothing is read of them, all, or one buffer with each tick. */
  readonly reads: "nothing" | "all" | "sips";
  readonly halfCloses?: boolean;
  /** Connects again when the server has ended it. */
  readonly returns?: boolean;
}

/** The text of a signed request, without its body. */
export type Signed = (request: {
  readonly method: "GET" | "PUT";
  readonly key: string;
  readonly bodyBytes?: number;
}) => string;

const HEADERS = "GET / HTTP/1.1\r\nHost: h\r\n";
const BODY_BYTES = 300_000;
const PIPELINED = 100;
const FLOOD = "X-Flood: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n".repeat(2_500);

const half = ({ connectionsMax }: HostileScale): number => Math.ceil(connectionsMax / 2);
const tenth = ({ connectionsMax }: HostileScale): number => Math.ceil(connectionsMax / 10);

/** By their names in the table. */
export const ATTACKS = {
  "heads that never end": {
    ...{ connections: ({ connectionsMax }) => connectionsMax, opening: () => HEADERS },
    ...{ drip: "X: y\r\n", reads: "all", returns: true },
  },
  "bodies that never end": {
    connections: half,
    opening: (signed) => signed({ method: "PUT", key: "slow", bodyBytes: BODY_BYTES }),
    ...{ drip: "x", reads: "all", returns: true },
  },
  "idle connections": {
    ...{ connections: ({ idleConnections }) => idleConnections, opening: () => "", reads: "all" },
  },
  // The window closes at the first of them, and stays so.
  "large answers that nobody reads": {
    connections: tenth,
    ...{ opening: (signed) => signed({ method: "GET", key: LARGE_KEY }), reads: "nothing" },
  },
  // It opens for a moment, again and again.
  "large answers read in sips": {
    connections: tenth,
    ...{ opening: (signed) => signed({ method: "GET", key: LARGE_KEY }), reads: "sips" },
  },
  "floods of headers": {
    connections: tenth,
    ...{ opening: () => HEADERS + FLOOD, reads: "all", returns: true },
  },
  "100 requests sent at once": {
    connections: ({ connectionsMax }) => Math.ceil(connectionsMax / 100),
    opening: (signed) => signed({ method: "GET", key: SMALL_KEY }).repeat(PIPELINED),
    ...{ againTicks: 4, reads: "all" },
  },
  "half-closed sockets": {
    connections: half,
    // By turns a whole request, and one in whose body nothing more comes.
    opening: (signed, index) =>
      index % 2 === 0
        ? signed({ method: "GET", key: LARGE_KEY })
        : signed({ method: "PUT", key: "cut", bodyBytes: BODY_BYTES }),
    ...{ reads: "nothing", halfCloses: true },
  },
} as const satisfies Readonly<Record<string, Attack>>;

export type AttackName = keyof typeof ATTACKS;

/** Signs for this endpoint; good for a quarter of an hour. */
export function signerFor(endpoint: Endpoint, bucket: string): Signed {
  const signer = new Signer(endpoint, new Date());
  const host = `${endpoint.host}:${endpoint.port}`;
  return ({ method, key, bodyBytes }) => {
    const length = bodyBytes === undefined ? {} : { "content-length": String(bodyBytes) };
    return signer.head({ method, path: objectPath(bucket, key), headers: { host, ...length } });
  };
}
