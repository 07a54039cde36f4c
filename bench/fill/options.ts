/** What is put where. */
export interface FillOptions {
  readonly dataDirectory: string;
  readonly bucket: string;
  /** Keys are this text, an eight-digit number, and `suffix`. */
  readonly prefix: string;
  readonly suffix: string;
  readonly first: number;
  readonly count: number;
  /** Each a version of the one key whose number is `first`. */
  readonly oneKey: boolean;
  readonly sizeBytes: number;
}

export interface FillResult {
  readonly seconds: number;
  readonly cpuUs: number;
}
