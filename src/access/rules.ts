import { ACTIONS } from "#access/actions.ts";
import { isExistingTag } from "#access/condition-keys.ts";
import { type Attempt, applies, resolverOf, type Statement } from "#access/statement.ts";

interface ActionRules {
  readonly denies: readonly Statement[];
  readonly allows: readonly Statement[];
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
    const denies = this.#of(attempt.action).denies.filter(({ everyone }) => everyone);
    return firstOf(denies, attempt);
  }

  /** The first statement that allows the attempt. */
  allowing(attempt: Attempt): Statement | undefined {
    return firstOf(this.#of(attempt.action).allows, attempt);
  }

  /** Whether a decision about the action may ask for the tags that the object has. */
  asksForObjectTags(action: string): boolean {
    const { denies, allows } = this.#of(action);
    return [...denies, ...allows].some(({ conditions }) =>
      conditions.some(({ key }) => isExistingTag(key)),
    );
  }

  #of(action: string): ActionRules {
    const known = this.#byAction.get(action);
    if (known !== undefined) return known;
    const acting = this.#statements.filter(({ acts }) => acts(action));
    const rules = {
      denies: acting.filter(({ effect }) => effect === "Deny"),
      allows: acting.filter(({ effect }) => effect === "Allow"),
    };
    if (ACTIONS.has(action)) this.#byAction.set(action, rules);
    return rules;
  }
}

function firstOf(statements: readonly Statement[], attempt: Attempt): Statement | undefined {
  const resolve = resolverOf(attempt);
  for (const statement of statements) if (applies(statement, attempt, resolve)) return statement;
  return undefined;
}
