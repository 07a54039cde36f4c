import { ACTIONS } from "#access/actions.ts";
import { isExistingTag } from "#access/condition-keys.ts";
import { type Attempt, applies, resolverOf, type Statement } from "#access/statement.ts";

interface ActionRules {
  readonly statements: readonly Statement[];
  /** Filled as principals ask about buckets. */
  readonly speaking: Map<string, Speaking>;
  readonly asksForObjectTags: boolean;
}

/** Statements about one action, one principal and one bucket. */
export interface Speaking {
  readonly denies: readonly Statement[];
  /** Those of them that speak of everybody. */
  readonly deniesToAll: readonly Statement[];
  readonly allows: readonly Statement[];
}

/** How often the rules about an action remember what of them speaks of whom, and of what. */
const KNOWN_MAX = 1_000;

/**
 * Statements, sorted by the actions they act on, whom they speak of and what they reach, so that a decision
 * looks at few of them.
 */
export class Rules {
  readonly #statements: readonly Statement[];
  /** Filled as actions are asked for; there are no more than are known. */
  readonly #byAction = new Map<string, ActionRules>();

  constructor(statements: readonly Statement[]) {
    this.#statements = statements;
  }

  get isEmpty(): boolean {
    return this.#statements.length === 0;
  }

  /** The statements that speak of the attempt's action and principal, and may be about its resource. */
  about({ action, principal, resource }: Attempt): Speaking {
    const { statements, speaking } = this.#of(action);
    const slash = resource.indexOf("/");
    const bucket = slash < 0 ? resource : resource.slice(0, slash);
    // All that a statement may go by to speak of somebody or not. Only the last may have a slash.
    const { kind, organizationId = "", name } = principal;
    const asked = `${kind} ${organizationId}/${bucket}/${name}`;
    const known = speaking.get(asked);
    if (known !== undefined) return known;
    const found = sorted(
      statements.filter(({ speaksOf, reaches }) => speaksOf(principal) && reaches(bucket)),
    );
    if (speaking.size >= KNOWN_MAX) speaking.clear();
    speaking.set(asked, found);
    return found;
  }

  /** Whether a decision about the action may ask for the tags that the object has. */
  asksForObjectTags(action: string): boolean {
    return this.#of(action).asksForObjectTags;
  }

  #of(action: string): ActionRules {
    const known = this.#byAction.get(action);
    if (known !== undefined) return known;
    const statements = this.#statements.filter(({ acts }) => acts(action));
    const speaking = new Map<string, Speaking>();
    const rules = { statements, speaking, asksForObjectTags: asksForObjectTags(statements) };
    if (ACTIONS.has(action)) this.#byAction.set(action, rules);
    return rules;
  }
}

function asksForObjectTags(statements: readonly Statement[]): boolean {
  return statements.some(({ conditions }) => conditions.some(({ key }) => isExistingTag(key)));
}

function sorted(statements: readonly Statement[]): Speaking {
  const denies = statements.filter(({ effect }) => effect === "Deny");
  return {
    denies,
    deniesToAll: denies.filter(({ everyone }) => everyone),
    allows: statements.filter(({ effect }) => effect === "Allow"),
  };
}

/** The first of them that applies to the attempt. */
export function firstApplying(
  statements: readonly Statement[],
  attempt: Attempt,
): Statement | undefined {
  if (statements.length === 0) return undefined;
  const resolve = resolverOf(attempt);
  for (const statement of statements) if (applies(statement, attempt, resolve)) return statement;
  return undefined;
}
