const DAY_MS = 86_400_000;
/** 9999-12-31T24:00Z: years of more digits are written in another way. */
const END_MS = 253_402_300_800_000;
const MINUTES = Array.from({ length: 1_440 }, (_, minute) => {
  return `${padded(Math.floor(minute / 60), 2)}:${padded(minute % 60, 2)}:`;
});
const SECONDS = Array.from({ length: 60 }, (_, second) => `${padded(second, 2)}.`);
const MILLISECONDS = Array.from({ length: 1_000 }, (_, ms) => `${padded(ms, 3)}Z`);

let lastDay = 0;
let lastDayText = "1970-01-01T";

/** As Date's toISOString, which takes a large part of a list of many objects, put together from tables. */
export function isoDate(ms: number): string {
  if (!(ms >= 0 && ms < END_MS)) return new Date(ms).toISOString();
  const day = Math.floor(ms / DAY_MS);
  if (day !== lastDay) {
    lastDay = day;
    lastDayText = new Date(ms).toISOString().slice(0, 11);
  }
  const inDayMs = Math.floor(ms - day * DAY_MS);
  const second = Math.floor(inDayMs / 1_000);
  const minute = Math.floor(second / 60);
  return `${lastDayText}${MINUTES[minute]}${SECONDS[second % 60]}${MILLISECONDS[inDayMs % 1_000]}`;
}

function padded(number: number, digits: number): string {
  return String(number).padStart(digits, "0");
}
