/**
 * Kinds of records that every request reads and hardly any writes, by the first letter of their keys: who
 * may do what, in which buckets (see catalog/).
 */
const LETTERS = new Set(Array.from("bDFKOPUXZ", (letter) => letter.charCodeAt(0)));

export function isSeldom(key: Uint8Array): boolean {
  return LETTERS.has(key[0] ?? 0);
}

/** Its revision is that of the last commit that wrote any of them. No caller's key begins with a zero. */
export const SELDOM_KEY = Buffer.from([0, 1]);
