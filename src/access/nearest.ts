/** Further apart than this, two words are not one misspelled; short words not even so far. */
const DISTANCE_MAX = 3;
const LETTERS_PER_MISTAKE = 3;

/** ` Did you mean "x"?` when `word` is near to one of `known`, otherwise nothing. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const meant = word.toLowerCase();
  let nearest: string | undefined;
  let least = Math.min(DISTANCE_MAX, Math.floor(word.length / LETTERS_PER_MISTAKE)) + 1;
  for (const each of known) {
    if (Math.abs(each.length - word.length) >= least) continue;
    const distance = editDistance(meant, each.toLowerCase());
    if (distance < least) [nearest, least] = [each, distance];
  }
  return nearest === undefined ? "" : ` Did you mean ${JSON.stringify(nearest)}?`;
}

/** How many letters must be put in, taken out or exchanged to make one word of the other. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let line = 1; line <= from.length; line += 1) {
    const next = [line];
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[line - 1] === to[column - 1] ? 0 : 1;
      const exchanged = (row[column - 1] ?? 0) + same;
      next.push(Math.min(exchanged, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
