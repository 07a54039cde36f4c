import { UsageError } from "#cli/failure.ts";

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** `90s`, `30m`, `12h`, `30d` or seconds; "permanent" is 0. Fails: UsageError. */
export function seconds(option: string, text: string): number {
  if (text.toLowerCase() === "permanent") return 0;
  const [, amount, unit = "s"] = /^(\d{1,9})([smhd]?)$/.exec(text) ?? [];
  const factor = SECONDS[unit === "" ? "s" : unit];
  if (amount !== undefined && factor !== undefined && Number(amount) > 0) {
    return Number(amount) * factor;
  }
  throw new UsageError(`--${option} "${text}": give 90s, 30m, 12h, 30d or permanent.`);
}

const UNITS = ["", "KI", "MI", "GI", "TI", "PI"];

/** `500GiB`, `1.5TiB` or bytes. Fails: UsageError. */
export function bytes(option: string, text: string): number {
  const [, amount, prefix = ""] =
    /^(\d{1,12}(?:\.\d{1,3})?)((?:[KMGTP]I)?)B?$/.exec(text.toUpperCase()) ?? [];
  const size = Math.round(Number(amount) * 1_024 ** UNITS.indexOf(prefix));
  if (amount !== undefined && Number.isSafeInteger(size)) return size;
  throw new UsageError(`--${option} "${text}": give a size, as 500GiB, 1.5TiB or 1073741824.`);
}

/** Fails: UsageError. */
export function whole(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`--${option} "${text}": give a whole number.`);
}

/** Fails: UsageError. */
export function onOff(option: string, text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (text === "on" || text === "true") return true;
  if (text === "off" || text === "false") return false;
  throw new UsageError(`--${option} "${text}": give on or off.`);
}

/** `name=value` each. Fails: UsageError. */
export function namesAndValues(
  option: string,
  texts: readonly string[],
): Readonly<Record<string, string>> {
  const entries = texts.map((text): [string, string] => {
    const equals = text.indexOf("=");
    if (equals < 1) throw new UsageError(`--${option} "${text}": give NAME=VALUE.`);
    return [text.slice(0, equals), text.slice(equals + 1)];
  });
  return Object.fromEntries(entries);
}
