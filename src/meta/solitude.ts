/** So many commits in a row show that nobody else commits now. */
const ENOUGH = 8;

/**
 * Whether a process commits one change at a time, and no other process does, seen from the sequences of its commits: others
 * have those between.
 */
export class Solitude {
  /** The sequence that was seen last: what is asked for when a commit begins. */
  last = 0;
  #inARow = 0;

  get isAlone(): boolean {
    return this.#inARow >= ENOUGH;
  }

  /** A commit that began when `before` was last had this sequence; undefined, which tells nothing, when it was refused. */
  saw(before: number, sequence: number | undefined): void {
    if (sequence === undefined) return;
    this.#inARow = sequence === before + 1 ? this.#inARow + 1 : 0;
    this.last = sequence;
  }
}
