import type { Fate, Share } from "#test/crash/cut.ts";

const always = (share: Share) => () => share;
const every = (underWay: number) => underWay;
const no = () => 0;

/** The ends of what a power cut may do. */
export const FATES: Readonly<Record<string, Fate>> = {
  "nothing that was not synced is there": {
    ...{ name: always("none"), bytes: always("none"), commits: no },
  },
  "all that was begun is there": {
    ...{ name: always("all"), bytes: always("all"), commits: every },
  },
  "names are there, and their bytes are not": {
    ...{ name: always("all"), bytes: always("none"), commits: every },
  },
  "bytes are there, and their names are not": {
    ...{ name: always("none"), bytes: always("all"), commits: every },
  },
  "names are there, and half of each write": {
    ...{ name: always("all"), bytes: always("half"), commits: no },
  },
};

/** Decides each by itself; the same for the same seed. */
export function drawnFate(seed: number): Fate {
  let state = seed | 0;
  const below = (limit: number) => {
    // Mulberry32.
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
  const shares: readonly Share[] = ["none", "half", "all"];
  const drawn = () => shares[below(3)] ?? "none";
  return { name: drawn, bytes: drawn, commits: (underWay) => below(underWay + 1) };
}
