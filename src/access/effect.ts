import type { Place } from "#access/place.ts";
import { PolicyError, quote } from "#access/policy-error.ts";

export type Effect = "Allow" | "Deny";

/** Fails: PolicyError unless "Allow" or "Deny", as they are written here. */
export function effectAt({ path, value }: Place): Effect {
  if (value === "Allow" || value === "Deny") return value;
  const text = typeof value === "string" ? quote(value) : typeof value;
  throw new PolicyError(path, `Invalid effect: ${text}. Write "Allow" or "Deny".`);
}
