import { ACTIONS, type ActionPattern, type ActionTarget, readAction } from "#access/actions.ts";
import { type BucketPrincipals, readBucketPrincipals } from "#access/bucket-principal.ts";
import { type BucketResource, readBucketResource } from "#access/bucket-resource.ts";
import { readConditions } from "#access/condition.ts";
import { effectAt } from "#access/effect.ts";
import { PatternLists } from "#access/pattern-list.ts";
import {
  type Fields,
  fieldsOf,
  nameAt,
  oneOrMany,
  type Place,
  required,
  textAt,
} from "#access/place.ts";
import { PolicyError, quote } from "#access/policy-error.ts";
import { readPolicyJson } from "#access/policy-json.ts";
import { isPublicStatement } from "#access/public-statement.ts";
import { Rules } from "#access/rules.ts";
import type { Statement } from "#access/statement.ts";
import type { TextTest } from "#access/template.ts";

/** What a bucket's owner lets everybody do with it. */
export interface BucketPolicy {
  readonly rules: Rules;
  /** Whether it lets in people whom it does not name. */
  readonly isPublic: boolean;
}

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html */
const BYTES_MAX = 20_480;
const ELEMENTS_MAX = 1_000;
const VERSIONS = ["2012-10-17", "2008-10-17"];
const NO_VARIABLES = "Version 2008-10-17 has none: write the value, or the version 2012-10-17.";

/**
 * Reads a policy that is to stand on a bucket of this name.
 *
 * Spec: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 * Fails: PolicyError, whose message points at what is wrong.
 */
export function readNewBucketPolicy(text: string, bucket: string): BucketPolicy {
  return read(text, { bucket, isNew: true });
}

/** The same of a policy that stands there already, and may be of a time that took more. */
export function readBucketPolicy(text: string, bucket: string): BucketPolicy {
  return read(text, { bucket, isNew: false });
}

function read(text: string, place: Pick<Reading, "bucket" | "isNew">): BucketPolicy {
  const document = readPolicyJson(text, BYTES_MAX);
  refuseOrganizationPolicy(document);
  const fields = fieldsOf(document, ["Version", "Id", "Statement"]);
  const noVariables = variablesOf(fields, document);
  const reading = { ...place, lists: new PatternLists(), noVariables };
  const id = fields.get("Id");
  if (id !== undefined) nameAt(id);
  const list = oneOrMany(required(fields, "Statement", document), ELEMENTS_MAX);
  const statements = list.map((each) => readStatement(each, reading));
  requireUniqueNames(list, statements);
  return { rules: new Rules(statements), isPublic: statements.some(isPublicStatement) };
}

/** Why there are no policy variables, undefined when there are. Fails: PolicyError. */
function variablesOf(fields: Fields, document: Place): string | undefined {
  const version = fields.get("Version");
  if (version === undefined || !VERSIONS.includes(version.value as string)) {
    const problem = 'The policy must contain a valid version string. Write "2012-10-17".';
    throw new PolicyError(version?.path ?? document.path, problem);
  }
  return version.value === "2012-10-17" ? undefined : NO_VARIABLES;
}

/** The two are easily taken for each other. */
function refuseOrganizationPolicy({ value }: Place): void {
  const names = Object.keys(value as object);
  if (!names.includes("policy") && !names.includes("statements")) return;
  const problem = "This is an organization policy. Put it with the control API, or write it as";
  throw new PolicyError("", `${problem} {"Version": "2012-10-17", "Statement": […]}.`);
}

/** Fails: PolicyError for a Sid that two statements have. */
function requireUniqueNames(places: readonly Place[], statements: readonly Statement[]): void {
  const seen = new Set<string>();
  for (const [index, { name }] of statements.entries()) {
    if (seen.has(name.statement)) {
      const problem = `${quote(name.statement)} is the Sid of another statement too.`;
      throw new PolicyError(`${places[index]?.path}.Sid`, problem);
    }
    seen.add(name.statement);
  }
}

const FIELDS = [
  "Sid",
  "Effect",
  "Principal",
  "NotPrincipal",
  "Action",
  "NotAction",
  "Resource",
  "NotResource",
  "Condition",
];

interface Reading {
  readonly bucket: string;
  readonly isNew: boolean;
  readonly lists: PatternLists;
  readonly noVariables: string | undefined;
}

function readStatement(place: Place, reading: Reading): Statement {
  const fields = fieldsOf(place, FIELDS);
  const sid = fields.get("Sid");
  const effect = effectAt(required(fields, "Effect", place));
  const who = either(fields, "Principal", place);
  if (reading.isNew && who.negated && effect === "Allow") throw allowsAllBut(who.place);
  const principals = readBucketPrincipals(who.place);
  const what = either(fields, "Action", place);
  const actions = oneOrMany(what.place, ELEMENTS_MAX)
    .map(textAt)
    .map((text) => readAction(text, { services: ["s3"], ignoreCase: true }));
  const where = either(fields, "Resource", place);
  const resources = oneOrMany(where.place, ELEMENTS_MAX)
    .map(textAt)
    .map((text) => readBucketResource(text, reading.bucket, reading));
  if (!what.negated && !where.negated) requireTargets(actions, resources);
  const block = fields.get("Condition");
  const conditions = block === undefined ? [] : readConditions(block, reading);
  const named = sid === undefined || sid.value === "" ? place.path : nameAt(sid);
  return {
    name: { kind: "bucket", policy: reading.bucket, statement: named },
    effect,
    acts: (action) => actions.some(({ matches }) => matches(action)) !== what.negated,
    ...speaking(principals, who.negated),
    covers: covering(resources, where.negated, reading.lists),
    // It stands on one bucket, and is about that.
    reaches: () => true,
    conditions,
    needed: [...resources, ...conditions].flatMap(({ needed }) => needed),
  };
}

/** Spec: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html */
function allowsAllBut({ path }: Place): PolicyError {
  const problem =
    'Allow with NotPrincipal is not allowed: it would let in everybody else, strangers too. Name whom it is for in Principal, or write "Effect": "Deny".';
  return new PolicyError(path, problem);
}

/**
 * Differs: where AWS's NotPrincipal must name a user's account besides the user, here it leaves out
 * exactly those whom it names.
 */
function speaking(
  { everyone, includes }: BucketPrincipals,
  negated: boolean,
): Pick<Statement, "everyone" | "speaksOf"> {
  // All but a few are strangers too.
  return {
    everyone: everyone !== negated,
    speaksOf: (principal) => includes(principal) !== negated,
  };
}

function covering(
  resources: readonly BucketResource[],
  negated: boolean,
  lists: PatternLists,
): TextTest {
  const list = lists.of(resources.flatMap(({ pattern }) => (pattern ? [pattern] : [])));
  const varying = resources.filter(({ pattern }) => pattern === undefined);
  if (varying.length === 0) return (resource) => list.matches(resource) !== negated;
  return (resource, resolve) =>
    (list.matches(resource) || varying.some(({ test }) => test(resource, resolve))) !== negated;
}

interface Either {
  readonly place: Place;
  readonly negated: boolean;
}

/** An element or its Not…. Fails: PolicyError unless there is exactly one of them. */
function either(fields: Fields, name: string, statement: Place): Either {
  const opposite = fields.get(`Not${name}`);
  if (opposite === undefined) return { place: required(fields, name, statement), negated: false };
  if (fields.has(name)) {
    throw new PolicyError(opposite.path, `stands beside ${name}. Leave one of the two out.`);
  }
  return { place: opposite, negated: true };
}

/** An action on no resource of the statement is a mistake: a Deny of it would deny nothing. */
function requireTargets(
  actions: readonly ActionPattern[],
  resources: readonly BucketResource[],
): void {
  for (const { known, place } of actions) {
    const targets = known.flatMap((action) => ACTIONS.get(action) ?? []);
    if (targets.some((target) => resources.some((each) => each.targets.has(target)))) continue;
    const [target] = targets;
    const problem = `Action does not apply to any resource(s) in statement: ${quote(place.value)} is`;
    throw new PolicyError(place.path, `${problem} ${NEEDS[target ?? "none"]}`);
  }
}

const NEEDS: Readonly<Record<ActionTarget, string>> = {
  object: 'on objects. Add "arn:aws:s3:::<bucket>/*" to Resource.',
  bucket: 'on the bucket. Add "arn:aws:s3:::<bucket>" to Resource.',
  none: "on no bucket: organization policies alone decide it.",
};
