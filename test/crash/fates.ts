import type { Fate, Share } from "#test/crash/cut.ts";
import { Random } from "#test/support/random.ts";

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
  const random = new Random(seed);
  const drawn = () => random.one<Share>("none", "half", "all");
  return { name: drawn, bytes: drawn, commits: (underWay) => random.below(underWay + 1) };
}
