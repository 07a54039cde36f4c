import type { Decision, Reason } from "#access/decide.ts";

const SENTENCES: Readonly<Record<Reason, string>> = {
  "organization-without-policy": "the organization has no policy",
  "organization-denies": "an organization policy denies it",
  "organization-silent": "no organization policy allows it",
  "organization-allows": "an organization policy allows it",
  "owner-denies": "an organization policy of the bucket's owner denies it to everybody",
  "owner-only": "only principals of the organization that owns the bucket may do it",
  "public-access-blocked": "the bucket's public access block keeps strangers out",
  "bucket-denies": "the bucket policy denies it",
  "bucket-silent": "the bucket has a policy, which does not allow it",
  "bucket-without-policy": "the bucket has no policy that would let in others than its owner",
  "bucket-allows": "the bucket policy allows it",
};

/** A decision in words, for the log and for people who ask why. */
export function explain({ allowed, reason, by }: Decision): string {
  const verdict = `${allowed ? "allowed" : "denied"}: ${SENTENCES[reason]}`;
  if (by === undefined) return verdict;
  const policy = by.kind === "organization" ? `policy ${quoted(by.policy)}` : "its";
  return `${verdict} (${policy} statement ${quoted(by.statement)})`;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
