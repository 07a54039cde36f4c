import type { Endpoint } from "../client/session.ts";

/** A server under measurement: Lode, a peer, or a baseline. */
export interface Target {
  readonly name: string;
  readonly endpoint: Endpoint;
  /** The root of its processes, when known: without it there are no processor and memory columns. */
  readonly pid?: number | undefined;
  readonly bucket: string;
}
