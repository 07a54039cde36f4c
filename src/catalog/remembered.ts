import type { Entry } from "#meta/store.ts";

const KNOWN_MAX = 10_000;

/** What entries mean, read once for each revision of each. */
export class Remembered<T> {
  readonly #read: (value: Uint8Array, name: string) => T;
  readonly #known = new Map<string, { readonly revision: number; readonly meaning: T }>();

  constructor(read: (value: Uint8Array, name: string) => T) {
    this.#read = read;
  }

  /** `name` tells the entries of one kind apart. */
  of(name: string, { value, revision }: Entry): T {
    const known = this.#known.get(name);
    if (known?.revision === revision) return known.meaning;
    const meaning = this.#read(value, name);
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(name, { revision, meaning });
    return meaning;
  }
}
