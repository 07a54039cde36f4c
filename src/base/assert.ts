/** Fails when our own code is wrong. For a caller's mistake throw an S3Error instead. */
export function assert(condition: boolean, claim: string): asserts condition {
  if (!condition) throw new Bug(claim);
}

/** A broken invariant: answered with 500, counted, never caught and continued. */
class Bug extends Error {
  override readonly name = "Bug";
}
