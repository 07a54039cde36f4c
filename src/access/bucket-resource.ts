import type { ActionTarget } from "#access/actions.ts";
import { matcherOf, reachesBelow, type Token } from "#access/pattern.ts";
import type { Place } from "#access/place.ts";
import { PolicyError, quote } from "#access/policy-error.ts";
import {
  readTemplate,
  type Template,
  type TemplateReading,
  type TextTest,
  testOf,
} from "#access/template.ts";

/** A resource of a bucket policy. */
export interface BucketResource {
  readonly test: TextTest;
  /** What it comes to, unless it depends on who asks. */
  readonly pattern: readonly Token[] | undefined;
  /** Variables that must have a value. */
  readonly needed: readonly string[];
  /** What of the bucket it can be. */
  readonly targets: ReadonlySet<ActionTarget>;
}

const ARN = "arn:aws:s3:::";

/**
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-arn-format.html
 * Fails: PolicyError for what is neither the bucket nor in it.
 */
export function readBucketResource(
  { path, value }: Place<string>,
  bucket: string,
  { noVariables }: Pick<TemplateReading, "noVariables">,
): BucketResource {
  const own = `Write "${ARN}${bucket}" for the bucket and "${ARN}${bucket}/*" for its objects.`;
  if (!value.startsWith(ARN)) {
    throw new PolicyError(path, `${INVALID}: ${quote(value)} is no ARN of S3. ${own}`);
  }
  const short = { path, value: value.slice(ARN.length) };
  const template = readTemplate(short, { wildcards: true, noVariables });
  const targets = targetsOf(template, bucket);
  if (targets.size === 0) {
    throw new PolicyError(path, `${INVALID}: ${quote(value)} is not in this bucket. ${own}`);
  }
  const { needed, tokens } = template;
  const constant = tokens.filter((token) => token.kind !== "variable");
  const pattern = constant.length === tokens.length ? constant : undefined;
  return { test: testOf(template), pattern, needed, targets };
}

const INVALID = "Policy has invalid resource";

function targetsOf({ tokens }: Template, bucket: string): ReadonlySet<ActionTarget> {
  const targets = new Set<ActionTarget>();
  // A variable may turn out to be anything.
  const widest = tokens.map(
    (token): Token => (token.kind === "variable" ? { kind: "many" } : token),
  );
  if (matcherOf(widest)(bucket)) targets.add("bucket");
  if (reachesBelow(widest, `${bucket}/`)) targets.add("object");
  return targets;
}
