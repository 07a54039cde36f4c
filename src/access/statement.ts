import type { Condition } from "#access/condition.ts";
import type { Lookup } from "#access/condition-keys.ts";
import type { Effect } from "#access/effect.ts";
import { type Named, type Principal, principalArn, userName } from "#access/principal.ts";
import type { Resolve, TextTest } from "#access/template.ts";

/** What is asked of the policies. */
export interface Attempt {
  readonly principal: Principal;
  /** As `s3:GetObject`. */
  readonly action: string;
  /** `*`, `bucket` or `bucket/key`. */
  readonly resource: string;
  /** Asked for what the principal does not tell, and only when a condition needs it. */
  readonly lookup: Lookup;
}

/** A statement's name, for people who look for what decided. */
export interface StatementName {
  readonly kind: "organization" | "bucket";
  /** Of the organization policy, or the bucket. */
  readonly policy: string;
  /** Its name or Sid; its path in the document, as `Statement[2]`, when it has none. */
  readonly statement: string;
}

/** A statement made ready to be asked. */
export interface Statement {
  readonly name: StatementName;
  readonly effect: Effect;
  /** Whether it speaks of an action at all; asked once for each action there is. */
  readonly acts: (action: string) => boolean;
  /** Asked once for each principal. */
  readonly speaksOf: (principal: Named) => boolean;
  /** Whether it speaks of everybody, strangers too. */
  readonly everyone: boolean;
  readonly covers: TextTest;
  /** Whether it may cover a bucket of this name, or anything in it; asked once for each. */
  readonly reaches: (bucket: string) => boolean;
  readonly conditions: readonly Condition[];
  /** Variables that must have a value for it to allow anything. */
  readonly needed: readonly string[];
}

/**
 * Whether a statement that acts on the attempt's action and speaks of its principal is about the attempt. An Allow whose
 * variables have no value allows nothing, whatever is negated in it.
 */
export function applies(statement: Statement, attempt: Attempt, resolve: Resolve): boolean {
  const { principal, resource } = attempt;
  if (!statement.covers(resource, resolve)) return false;
  if (statement.effect === "Allow" && statement.needed.some((name) => resolve(name) === undefined))
    return false;
  return statement.conditions.every(({ key, holds }) => {
    const given = key.of === undefined ? attempt.lookup(key.name) : key.of(principal);
    return holds(given?.length === 0 ? undefined : given, resolve);
  });
}

/** The values of policy variables in an attempt. */
export function resolverOf({ principal }: Attempt): Resolve {
  return (variable) => {
    if (variable === "aws:username") return userName(principal);
    return variable === "aws:PrincipalArn" ? principalArn(principal) : principal.organizationId;
  };
}
