/** A request as it came off the wire. What carries it (server/http1, or another framing) stays outside. */
export interface HttpRequest {
  readonly method: string;
  /** The request target, byte for byte. */
  readonly target: string;
  /** Names in lower case and values in turn, in the order they were sent; values as latin1 strings. */
  readonly rawHeaders: readonly string[];
  readonly remoteAddress: string;
  /** Over TLS. */
  readonly secure: boolean;
  /**
   * The body, to be read once; a client that waits for "100 Continue" gets it at the first read.
   * Fails: IncompleteBody, RequestTimeout.
   */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Chunks must come to exactly the Content-Length in `headers`; each is read before the next but one
   * is asked for. undefined: no body, as to HEAD.
   */
  readonly body: string | Uint8Array | AsyncIterable<Uint8Array> | undefined;
}
