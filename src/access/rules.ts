import { ACTIONS } from "#access/actions.ts";
import { isExistingTag } from "#access/condition-keys.ts";
import { type Attempt, applies, resolverOf, type Statement } from "#access/statement.ts";

interface ActionRules {
  readonly denies: readonly Statement[];
  /** Those of them that speak of everybody. */
  readonly deniesToAll: readonly Statement[];
  readonly allows: readonly Statement[];
  readonly asksForObjectTags: boolean;
}

/** Statements, sorted by the actions they act on, so that a decision looks at few of them. */
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

  /** The first statement that denies the attempt. */
  denying(attempt: Attempt): Statement | undefined {
    return firstOf(this.#of(attempt.action).denies, attempt);
  }

  /** The first that denies it to everybody: names of one organization mean nobody of another. */
  denyingEveryone(attempt: Attempt): Statement | undefined {
    return firstOf(this.#of(attempt.action).deniesToAll, attempt);
  }

  /** The first statement that allows the attempt. */
  allowing(attempt: Attempt): Statement | undefined {
    return firstOf(this.#of(attempt.action).allows, attempt);
  }

  /** Whether a decision about the action may ask for the tags that the object has. */
  asksForObjectTags(action: string): boolean {
    return this.#of(action).asksForObjectTags;
  }

  #of(action: string): ActionRules {
    const known = this.#byAction.get(action);
    if (known !== undefined) return known;
    const rules = rulesOf(this.#statements.filter(({ acts }) => acts(action)));
    if (ACTIONS.has(action)) this.#byAction.set(action, rules);
    return rules;
  }
}

function rulesOf(acting: readonly Statement[]): ActionRules {
  const denies = acting.filter(({ effect }) => effect === "Deny");
  return {
    denies,
    deniesToAll: denies.filter(({ everyone }) => everyone),
    allows: acting.filter(({ effect }) => effect === "Allow"),
    asksForObjectTags: acting.some(({ conditions }) =>
      conditions.some(({ key }) => isExistingTag(key)),
    ),
  };
}

function firstOf(statements: readonly Statement[], attempt: Attempt): Statement | undefined {
  const resolve = resolverOf(attempt);
  for (const statement of statements) if (applies(statement, attempt, resolve)) return statement;
  return undefined;
}
