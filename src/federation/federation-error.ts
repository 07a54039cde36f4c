/**
 * Why an identity from elsewhere was not taken. `invalid`: it proves nothing here; `expired`: it did
 * once; `forged`: so too, and that was costly to find out; `unreachable`: the issuer that could tell does not answer; `denied`: it is who it says, and
 * policies do not let it have a key.
 */
export type FederationFailure = "invalid" | "forged" | "expired" | "unreachable" | "denied";

/** The message is for whoever sent it, who may be anybody. */
export class FederationError extends Error {
  override readonly name = "FederationError";
  readonly kind: FederationFailure;

  constructor(kind: FederationFailure, message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}
