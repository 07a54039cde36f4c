import { S3Error } from "#base/error.ts";
import { memo } from "#base/memo.ts";

/** When a request was signed. */
export interface SigningTime {
  readonly timeMs: number;
  /** `yyyymmddThhmmssZ`, as it stands in the string to sign. */
  readonly amzDate: string;
}

const AMZ_DATE = /^\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3])[0-5]\d[0-5]\dZ$/;
const RFC_1123 =
  /^(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (?:GMT|UTC|[+-]\d{4})$/;

/** Reads `20130524T000000Z`; undefined when it is anything else. */
export const readAmzDate = memo((amzDate: string): SigningTime | undefined => {
  if (!AMZ_DATE.test(amzDate)) return undefined;
  const part = (from: number, to: number) => Number(amzDate.slice(from, to));
  const day = [part(0, 4), part(4, 6) - 1, part(6, 8)] as const;
  return { timeMs: Date.UTC(...day, part(9, 11), part(11, 13), part(13, 15)), amzDate };
});

/**
 * The time of a request signed in its headers: x-amz-date, or else Date, which may be in RFC 1123
 * form and is then signed in the other. Fails: AccessDenied.
 */
export function readSigningTime(
  amzDate: string | undefined,
  date: string | undefined,
): SigningTime {
  const time =
    readAmzDate(amzDate ?? date ?? "") ?? (amzDate === undefined ? readDate(date) : undefined);
  if (time !== undefined) return time;
  const message = "AWS authentication requires a valid Date or x-amz-date header";
  throw new S3Error("AccessDenied", {}, { message });
}

/** Fails: RequestTimeTooSkewed when the clocks differ by more than `skewMsMax`. */
export function checkSkew(time: SigningTime, now: { nowMs: number; skewMsMax: number }): void {
  if (Math.abs(now.nowMs - time.timeMs) <= now.skewMsMax) return;
  throw new S3Error("RequestTimeTooSkewed", {
    RequestTime: time.amzDate,
    ServerTime: isoSeconds(now.nowMs),
    MaxAllowedSkewMilliseconds: String(now.skewMsMax),
  });
}

/**
 * A presigned request is good from its date, less the skew, to its date plus `expiresSeconds`.
 * Fails: AccessDenied.
 */
export function checkExpiry(
  time: SigningTime & { readonly expiresSeconds: number },
  now: { nowMs: number; skewMsMax: number },
): void {
  const untilMs = time.timeMs + time.expiresSeconds * 1000;
  checkNotEarly(time, now);
  if (now.nowMs <= untilMs) return;
  const detail = {
    "X-Amz-Expires": String(time.expiresSeconds),
    Expires: isoSeconds(untilMs),
    ServerTime: isoSeconds(now.nowMs),
  };
  throw new S3Error("AccessDenied", detail, { message: "Request has expired" });
}

/** Fails: AccessDenied when what was signed is of a time to come, by more than the skew. */
export function checkNotEarly(
  { timeMs }: Pick<SigningTime, "timeMs">,
  { nowMs, skewMsMax }: { nowMs: number; skewMsMax: number },
): void {
  if (timeMs - nowMs <= skewMsMax) return;
  throw new S3Error("AccessDenied", {}, { message: "Request is not valid yet" });
}

function readDate(date: string | undefined): SigningTime | undefined {
  if (date === undefined || !RFC_1123.test(date)) return undefined;
  const timeMs = Date.parse(date);
  if (Number.isNaN(timeMs)) return undefined;
  return { timeMs, amzDate: isoSeconds(timeMs).replace(/[-:]/g, "") };
}

function isoSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
