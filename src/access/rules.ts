import { ACTIONS } from "#access/actions.ts";
import { isExistingTag } from "#access/condition-keys.ts";
import { type Attempt, applies, resolverOf, type Statement } from "#access/statement.ts";

interface ActionRules {
  readonly statements: readonly Statement[];
  readonly asksForObjectTags: boolean;
}

/** Statements about one action and one principal. */
export interface Speaking {
  readonly denies: readonly Statement[];
  /** Those of them that speak of everybody. */
  readonly deniesToAll: readonly Statement[];
  readonly allows: readonly Statement[];
}

/** How often rules remember what of them speaks of whom. */
const KNOWN_MAX = 1_000;

/**
 * Statements, sorted by the actions they act on and by whom they speak of, so that a decision looks at
 * few of them.
 */
export class Rules {
  readonly #statements: readonly Statement[];
  /** Filled as actions are asked for; there are no more than are known. */
  readonly #byAction = new Map<string, ActionRules>();
  /** Filled as principals ask. */
  readonly #byPrincipal = new Map<string, Speaking>();

  constructor(statements: readonly Statement[]) {
    this.#statements = statements;
  }

  get isEmpty(): boolean {
    return this.#statements.length === 0;
  }

  /** The statements that speak of the attempt's action and principal. */
  about({ action, principal }: Attempt): Speaking {
    // All that a statement may go by to speak of somebody or not.
    const { kind, organizationId = "", name } = principal;
    const asked = `${action} ${kind} ${organizationId} ${name}`;
    const known = this.#byPrincipal.get(asked);
    if (known !== undefined) return known;
    const speaking = sorted(
      this.#of(action).statements.filter(({ speaksOf }) => speaksOf(principal)),
    );
    if (this.#byPrincipal.size >= KNOWN_MAX) this.#byPrincipal.clear();
    this.#byPrincipal.set(asked, speaking);
    return speaking;
  }

  /** Whether a decision about the action may ask for the tags that the object has. */
  asksForObjectTags(action: string): boolean {
    return this.#of(action).asksForObjectTags;
  }

  #of(action: string): ActionRules {
    const known = this.#byAction.get(action);
    if (known !== undefined) return known;
    const statements = this.#statements.filter(({ acts }) => acts(action));
    const rules = { statements, asksForObjectTags: asksForObjectTags(statements) };
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
