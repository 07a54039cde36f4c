/** Fewer digits may be meant for a year. */
const SECONDS = /^\d{9,12}$/;
const DATE =
  /^(\d{4})-(\d{2})-(\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/**
 * A moment as policies and requests write it: seconds since 1970, a day (its beginning, UTC), or
 * a date and time with its zone. In milliseconds since 1970; undefined for anything else.
 *
 * Spec: https://www.w3.org/TR/NOTE-datetime
 */
export function readMoment(text: string): number | undefined {
  if (SECONDS.test(text)) return Number(text) * 1_000;
  const [, year, month, day] = DATE.exec(text) ?? [];
  if (year === undefined || month === undefined || day === undefined) return undefined;
  // Date.parse makes March of the 30th of February.
  const days = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  if (Number.isNaN(days.getTime())) return undefined;
  if (days.toISOString().slice(0, 10) !== `${year}-${month}-${day}`) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}
