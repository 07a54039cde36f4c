const KNOWN_MAX = 1_000;
/** What is longer is not worth its room. */
const TEXT_CHARS_MAX = 512;

/** `read`, which is pure, remembering what it made of the texts that come again and again; failures are not kept. */
export function memo<T>(read: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const made = read(text);
    if (text.length > TEXT_CHARS_MAX) return made;
    if (known.size >= KNOWN_MAX) known.clear();
    known.set(text, made);
    return made;
  };
}
