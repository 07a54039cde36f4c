/** What is under way, by name, so that it can be told what does not come to its end. */
export class Running {
  readonly #names: string[] = [];

  get names(): readonly string[] {
    return this.#names;
  }

  async while<T>(name: string, work: () => Promise<T>): Promise<T> {
    this.#names.push(name);
    try {
      return await work();
    } finally {
      this.#names.splice(this.#names.indexOf(name), 1);
    }
  }
}
