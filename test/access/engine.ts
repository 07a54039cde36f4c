/** Asks the engine what the naive evaluator is asked, from the same raw JSON. */
import { type BucketPolicy, readBucketPolicy } from "#access/bucket-policy.ts";
import { type Decision, decide } from "#access/decide.ts";
import { readOrganizationPolicy } from "#access/organization-policy.ts";
import { organizationRules } from "#access/organization-rules.ts";
import type { Rules } from "#access/rules.ts";
import type { Json, NaiveQuestion } from "#test/access/naive-question.ts";

export const BUCKET = "data";

/** Documents are compiled once, as in a server; fixtures are few. */
const rules = new WeakMap<readonly Json[], Rules>();
const policies = new WeakMap<Json, BucketPolicy>();

export function engineDecide(question: NaiveQuestion): Decision {
  const { principal, action, resource, context, bucket } = question;
  return decide({
    principal,
    action,
    resource,
    lookup: (key) => context[key],
    organization: rulesOf(question.organization),
    bucket: bucket && {
      ownerId: bucket.ownerId,
      owner: rulesOf(bucket.owner),
      policy: policyOf(bucket.policy),
      restrictPublic: bucket.restrictPublic,
    },
  });
}

function rulesOf(documents: readonly Json[] | undefined): Rules | undefined {
  if (documents === undefined) return undefined;
  const known = rules.get(documents);
  if (known !== undefined) return known;
  const made = organizationRules(
    documents.map((document) => readOrganizationPolicy(JSON.stringify(document))),
  );
  rules.set(documents, made);
  return made;
}

function policyOf(document: Json | undefined): BucketPolicy | undefined {
  if (document === undefined) return undefined;
  const known = policies.get(document);
  if (known !== undefined) return known;
  const made = readBucketPolicy(JSON.stringify(document), BUCKET);
  policies.set(document, made);
  return made;
}
