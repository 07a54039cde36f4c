import { ACTIONS, type ActionPattern, readAction } from "#access/actions.ts";
import { readConditions } from "#access/condition.ts";
import { effectAt } from "#access/effect.ts";
import { reachesBelow, tokensOf } from "#access/pattern.ts";
import { PatternList } from "#access/pattern-list.ts";
import {
  type Fields,
  fieldsOf,
  listAt,
  nameAt,
  type Place,
  required,
  textAt,
} from "#access/place.ts";
import { PolicyError, quote } from "#access/policy-error.ts";
import { readPolicyJson } from "#access/policy-json.ts";
import type { Statement } from "#access/statement.ts";

/** What an organization lets its own principals do, everywhere. */
export interface OrganizationPolicy {
  /** Unique in the organization. */
  readonly name: string;
  readonly statements: readonly Statement[];
}

const BYTES_MAX = 65_536;
const STATEMENTS_MAX = 200;
const ELEMENTS_MAX = 500;
const VERSION = "v1alpha1";
const NO_VARIABLES =
  "Organization policies have none: write the value, or use a bucket policy of version 2012-10-17.";

/**
 * Reads a policy, alone or as `{"policy": …}`.
 *
 * Spec: https://docs.coreweave.com/products/storage/object-storage/auth-access/organization-policies/manage
 * Fails: PolicyError, whose message points at what is wrong.
 */
export function readOrganizationPolicy(text: string): OrganizationPolicy {
  const document = readPolicyJson(text, BYTES_MAX);
  const isEnvelope = Object.keys(document.value as object).includes("policy");
  if (!isEnvelope) return readPolicy(document);
  return readPolicy(required(fieldsOf(document, ["policy"]), "policy", document));
}

function readPolicy(place: Place): OrganizationPolicy {
  // "Statement" stands in the vendor's own example of a policy for renaming objects.
  const fields = fieldsOf(place, ["version", "name", "statements", "Statement"]);
  const version = required(fields, "version", place);
  if (version.value !== VERSION) {
    throw new PolicyError(version.path, `must be "${VERSION}".`);
  }
  const name = policyName(required(fields, "name", place));
  const other = fields.get("Statement");
  if (other !== undefined && fields.has("statements")) {
    throw new PolicyError(other.path, "is statements again. Leave one of the two out.");
  }
  const list = other ?? required(fields, "statements", place);
  const names = new Set<string>();
  const statements = listAt(list, STATEMENTS_MAX).map((each) => {
    const statement = readStatement(each, name);
    if (names.has(statement.name.statement)) {
      const problem = `${quote(statement.name.statement)} is the name of another statement too.`;
      throw new PolicyError(`${each.path}.name`, problem);
    }
    names.add(statement.name.statement);
    return statement;
  });
  return { name, statements };
}

/** A policy is fetched and deleted by its name in a path. */
function policyName(place: Place): string {
  const name = nameAt(place);
  if (name.includes("/"))
    throw new PolicyError(place.path, `${quote(name)} must not have a slash.`);
  return name;
}

const FIELDS = ["name", "effect", "actions", "resources", "principals", "conditions"];

function readStatement(place: Place, policy: string): Statement {
  const fields = fieldsOf(place, FIELDS);
  const name = nameAt(required(fields, "name", place));
  const effect = effectAt(required(fields, "effect", place));
  const actions = texts(fields, "actions", place).map((text) =>
    readAction(text, { services: ["s3", "cwobject"], ignoreCase: false }),
  );
  const resources = texts(fields, "resources", place).map(readResource);
  requireEverywhere(actions, resources, place);
  const principals = texts(fields, "principals", place).map(readPrincipal);
  const who = new PatternList(principals.map(tokensOf));
  const patterns = resources.map(tokensOf);
  const where = new PatternList(patterns);
  const block = fields.get("conditions");
  const conditions =
    block === undefined ? [] : readConditions(block, { noVariables: NO_VARIABLES });
  return {
    name: { kind: "organization", policy, statement: name },
    effect,
    acts: (action) => actions.some(({ matches }) => matches(action)),
    speaksOf: (principal) => who.matches(principal.name),
    everyone: principals.includes("*"),
    covers: resources.includes("*")
      ? () => true
      : (resource) => where.matches(resource) && resource !== "*",
    reaches: (bucket) =>
      where.matches(bucket) || patterns.some((tokens) => reachesBelow(tokens, `${bucket}/`)),
    conditions,
    needed: [],
  };
}

function texts(fields: Fields, name: string, statement: Place): readonly Place<string>[] {
  return listAt(required(fields, name, statement), ELEMENTS_MAX).map(textAt);
}

const RESOURCE = /^[a-z0-9*?][a-z0-9*?-]*(?:\/.*)?$/s;

function readResource({ path, value }: Place<string>): string {
  if (value.startsWith("arn:")) {
    const short = value.replace(/^arn:[^:]*:s3:[^:]*:[^:]*:/, "");
    throw new PolicyError(path, `${quote(value)} is an ARN. Write ${quote(short)}.`);
  }
  if (value.includes("${")) {
    throw new PolicyError(path, `${quote(value)} has a policy variable. ${NO_VARIABLES}`);
  }
  if (!RESOURCE.test(value)) {
    const mend =
      'Write "*", "my-bucket", or "my-bucket/*" for its objects; buckets are lower case.';
    throw new PolicyError(path, `${quote(value)} is no resource. ${mend}`);
  }
  return value;
}

/** Actions that are on no bucket would never be matched by a statement about buckets. */
function requireEverywhere(
  actions: readonly ActionPattern[],
  resources: readonly string[],
  { path }: Place,
): void {
  if (resources.includes("*")) return;
  const global = actions.find(({ known }) =>
    known.every((action) => ACTIONS.get(action) === "none"),
  );
  if (global === undefined) return;
  const problem = `${quote(global.place.value)} is on no bucket, so its resources must be ["*"].`;
  throw new PolicyError(`${path}.resources`, `${problem} Write that, in a statement of its own.`);
}

const PRINCIPAL = /^(?:coreweave|role)\/./;
const ARN = /^arn:aws:iam::[^:]*:(.*)$/s;

function readPrincipal({ path, value }: Place<string>): string {
  if (value === "*" || PRINCIPAL.test(value)) return value;
  const short = ARN.exec(value)?.[1];
  if (short !== undefined) {
    const mend = `Write ${quote(short.replace(/^saml\//, "role/"))}.`;
    throw new PolicyError(path, `${quote(value)} is a full ARN. ${mend}`);
  }
  const groups = value.startsWith("group") ? " For a group use the condition iam:<id>:groups." : "";
  const mend = 'Write "*", "coreweave/<user>", "role/<role>" or "role/<issuer>:<sub>".';
  throw new PolicyError(path, `${quote(value)} is no principal. ${mend}${groups}`);
}
