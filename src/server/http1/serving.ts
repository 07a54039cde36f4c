import type { HeadParser } from "#server/http1/head-parser.ts";
import type { Limits } from "#server/limits.ts";
import type { Listen } from "#server/listen.ts";

/** What all connections of a listener share. */
export interface Serving {
  readonly options: Listen;
  readonly limits: Limits;
  readonly parser: HeadParser;
  draining: boolean;
}
