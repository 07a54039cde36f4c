import { type Logger as PinoLogger, pino } from "pino";
import { systemClock } from "#base/clock.ts";
import { LineWriter } from "#base/line-writer.ts";

type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

/** The only place that writes what an operator reads. */
export interface Log {
  readonly info: (message: string, fields?: Fields) => void;
  readonly warn: (message: string, fields?: Fields) => void;
  readonly error: (message: string, cause: unknown, fields?: Fields) => void;
  /** One line for each request. */
  readonly access: (fields: Fields) => void;
  /** Writes out what is still held, for the end of the process; waits a second for who does not read it, and no longer. */
  readonly flush: () => Promise<void>;
}

export interface LogOptions {
  /** For people, else one JSON object a line. */
  readonly pretty: boolean;
  readonly access: boolean;
  /** A file descriptor. */
  readonly to: number;
}

export function makeLog({ pretty, access, to }: LogOptions): Log {
  // A person wants each line at once; a machine wants them cheap.
  const lines = new LineWriter(to, { atOnce: pretty });
  const write = pretty
    ? (line: string) => lines.write(readable(line))
    : (line: string) => lines.write(line);
  const options = { base: { pid: process.pid }, timestamp: isoTimestamp };
  const logger: PinoLogger = pino(options, { write });
  return {
    info: (message, fields = {}) => logger.info(fields, message),
    warn: (message, fields = {}) => logger.warn(fields, message),
    error: (message, cause, fields = {}) =>
      logger.error({ ...fields, err: asError(cause) }, message),
    access: access ? (fields) => write(accessLine(fields)) : () => undefined,
    flush: async () => await lines.flush(),
  };
}

/** What the logger would write, at a third of its cost: there is one for each request. */
function accessLine(fields: Fields): string {
  return `{"level":30${isoTimestamp()},"pid":${process.pid},"msg":"request",${JSON.stringify(fields).slice(1)}\n`;
}

let stampMs = 0;
let stamp = "";

/** Many lines share a millisecond: its text is made once. */
function isoTimestamp(): string {
  const ms = systemClock.now();
  if (ms !== stampMs) {
    stampMs = ms;
    stamp = `,"time":"${new Date(ms).toISOString()}"`;
  }
  return stamp;
}

function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}

/** What a terminal would obey, or show as something else than what stands there: as escapes. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

function visible(text: string): string {
  return text.replace(INVISIBLE, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`);
}

/** `12:30:01 PutObject 200 photos/cat.jpg 1024 B 3 ms root A1B2` */
function readable(line: string): string {
  const record = JSON.parse(line) as Record<string, unknown>;
  const clock = String(record["time"]).slice(11, 19);
  if (record["msg"] === "request") {
    const { op, status, code, bucket = "", key, sent, ms, principal, id } = record;
    const what = key === undefined ? bucket : `${bucket}/${key}`;
    const outcome = code === undefined ? status : `${status} ${code}`;
    const text = `${op} ${outcome} ${JSON.stringify(what)} ${sent} B ${ms} ms ${principal} ${id}`;
    return `${clock} ${visible(text)}\n`;
  }
  const { msg, time, level, pid, err, ...rest } = record;
  const more = Object.entries(rest).map(([name, value]) => ` ${name}=${value}`);
  const cause = err === undefined ? "" : `\n${(err as { stack?: string }).stack}`;
  const text = visible(`${msg}${more.join("")}`);
  // Its lines are set in, so that none is taken for one of the log.
  const stack = cause.split("\n").map(visible).join("\n  ");
  return `${clock} ${Number(level) >= 50 ? "ERROR " : ""}${text}${stack}\n`;
}
