const TAB = 0x09;
const SPACE = 0x20;

/**
 * Without the spaces and tabs at its ends, which are all that HTTP lets stand there. Not
 * String.trim: in a latin1 string of UTF-8 bytes it would cut off 0xA0, the last byte of "à".
 */
export function trimSpaces(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isSpace(text.charCodeAt(from))) from += 1;
  while (from < to && isSpace(text.charCodeAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

/** `trimSpaces`, and each run of spaces and tabs within made one space. */
export function joinSpaces(text: string): string {
  const trimmed = trimSpaces(text);
  const hasRun = trimmed.includes("  ") || trimmed.includes("\t");
  return hasRun ? trimmed.replace(/[\t ]+/g, " ") : trimmed;
}

function isSpace(code: number): boolean {
  return code === SPACE || code === TAB;
}
