/** The command line was wrong: exit code 2. The message says how to mend it. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The server refused, or could not be asked: exit code 1. */
export class CallError extends Error {
  override readonly name = "CallError";
}
