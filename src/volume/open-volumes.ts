import { Volume, type VolumeOptions } from "#volume/volume.ts";

/** The volumes that this process has open, each once. */
export class OpenVolumes implements AsyncDisposable {
  /** By name; with the settings that it was opened with. */
  readonly #open = new Map<
    string,
    { readonly settings: string; readonly volume: Promise<Volume> }
  >();
  /** Opened again with other settings; requests may still be using them. */
  readonly #retired: Promise<Volume>[] = [];

  /**
   * The volume of that name, opened when it is first asked for, and again when its settings are others
   * or somebody has removed its hidden directory. Fails: as Volume.open.
   */
  async get(name: string, options: VolumeOptions): Promise<Volume> {
    const { clock: _, ...plain } = options;
    const settings = JSON.stringify(plain);
    const known = this.#open.get(name);
    if (known?.settings === settings) {
      const volume = await known.volume;
      if (!(await volume.isGone())) return volume;
    }
    // Another request may have opened it meanwhile.
    const now = this.#open.get(name);
    if (now !== undefined && now !== known) return await now.volume;
    if (known !== undefined) this.#retired.push(known.volume);
    const volume = Volume.open(options);
    const opening = { settings, volume };
    this.#open.set(name, opening);
    try {
      return await volume;
    } catch (error) {
      // It is tried again.
      if (this.#open.get(name) === opening) this.#open.delete(name);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#retired, ...[...this.#open.values()].map(({ volume }) => volume)];
    for (const opened of await Promise.allSettled(all)) {
      if (opened.status === "fulfilled") await opened.value[Symbol.asyncDispose]();
    }
  }
}
