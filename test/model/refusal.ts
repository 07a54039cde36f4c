/** The model says no. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}
