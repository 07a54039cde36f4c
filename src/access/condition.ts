import type { ConditionKey } from "#access/condition-keys.ts";
import { readConditionKey } from "#access/condition-keys.ts";
import { didYouMean } from "#access/nearest.ts";
import {
  type Comparison,
  OPERATORS,
  type Operator,
  type VariableReading,
} from "#access/operators.ts";
import { bounded, entriesOf, oneOrMany, type Place } from "#access/place.ts";
import { PolicyError, quote } from "#access/policy-error.ts";
import type { Resolve } from "#access/template.ts";

/** One key of one operator: all of a statement's must hold. */
export interface Condition {
  readonly key: ConditionKey;
  /** As the policy writes it. */
  readonly operator: string;
  /** The values as the policy writes them; one that matches is enough. */
  readonly values: readonly string[];
  /** Holds for no request that lacks the key, and for none but those with one of the values. */
  readonly narrows: boolean;
  /** Variables that must have a value. */
  readonly needed: readonly string[];
  readonly holds: (given: readonly string[] | undefined, resolve: Resolve) => boolean;
}

const VALUES_MAX = 1_000;
const OPERATORS_MAX = 50;
const OPERATOR = /^(?:(ForAnyValue|ForAllValues):)?([A-Za-z]+?)(IfExists)?$/;
const NULL = "Null";

interface Spoken {
  readonly set: string | undefined;
  readonly name: string;
  readonly ifExists: boolean;
}

/**
 * Reads a Condition block.
 *
 * Spec: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html
 * Fails: PolicyError.
 */
export function readConditions(block: Place, reading: VariableReading): readonly Condition[] {
  const operators = entriesOf(block);
  if (operators.length > OPERATORS_MAX) {
    throw new PolicyError(block.path, `has more than ${OPERATORS_MAX} operators.`);
  }
  return operators.flatMap(([operator, keys]) => readOperator(operator, keys, reading));
}

function readOperator(
  operator: string,
  keys: Place,
  reading: VariableReading,
): readonly Condition[] {
  const spoken = readName(operator, keys);
  const seen = new Set<string>();
  const entries = entriesOf(keys);
  if (entries.length === 0) throw new PolicyError(keys.path, "must have at least one key.");
  return entries.map(([text, place]) => {
    const key = readConditionKey(text, place);
    if (seen.has(key.name)) {
      throw new PolicyError(place.path, `is ${key.name} again. Join the two lists.`);
    }
    seen.add(key.name);
    const values = oneOrMany(place, VALUES_MAX).map(valueAt);
    const given = { key, operator, values: values.map(({ value }) => value) };
    if (spoken.name === NULL) return { ...given, ...nullCondition(values) };
    return { ...given, ...comparing(spoken, { key, values, place, reading }) };
  });
}

function readName(operator: string, { path }: Place): Spoken {
  const [, set, name = "", ifExists] = OPERATOR.exec(operator) ?? [];
  const known = [...OPERATORS.keys(), NULL];
  if (!known.includes(name)) {
    const problem = `Invalid Condition type : ${quote(operator)} is no operator.`;
    throw new PolicyError(path, problem + didYouMean(name === "" ? operator : name, known));
  }
  if (name === NULL && operator !== NULL) {
    const problem = "Invalid Condition type : Null takes neither a prefix nor IfExists.";
    throw new PolicyError(path, `${problem} Write "Null".`);
  }
  return { set, name, ifExists: ifExists !== undefined };
}

/** JSON's numbers and booleans are taken for the texts they are written as. */
function valueAt({ path, value }: Place): Place<string> {
  if (typeof value === "number" || typeof value === "boolean") return { path, value: `${value}` };
  if (typeof value === "string") return { path, value: bounded(path, value) };
  throw new PolicyError(path, "must be a text, a number, true or false.");
}

type Test = Pick<Condition, "narrows" | "needed" | "holds">;

/** Whether the key is absent: `Null` asks for what is not there. */
function nullCondition(values: readonly Place<string>[]): Test {
  const wanted = values.map(({ path, value }) => {
    const word = value.toLowerCase();
    if (word !== "true" && word !== "false") {
      throw new PolicyError(path, `${quote(value)} is neither "true" nor "false".`);
    }
    return word === "true";
  });
  const holds = (given: readonly string[] | undefined) => wanted.includes(given === undefined);
  return { narrows: false, needed: [], holds };
}

interface Comparing {
  readonly key: ConditionKey;
  readonly values: readonly Place<string>[];
  readonly place: Place;
  readonly reading: VariableReading;
}

function comparing(spoken: Spoken, { key, values, place, reading }: Comparing): Test {
  const operator = operatorFor(spoken, key, place);
  const comparisons = values.map((value) => operator.compile(value, reading));
  const sure = !operator.negated && !spoken.ifExists && spoken.set !== "ForAllValues";
  return {
    narrows: sure && comparisons.every(({ fixed }) => fixed),
    needed: comparisons.flatMap(({ needed }) => needed),
    holds: holding(spoken, operator, comparisons),
  };
}

function operatorFor({ name }: Spoken, key: ConditionKey, { path }: Place): Operator {
  const operator = OPERATORS.get(name);
  if (operator === undefined || !operator.kinds.includes(key.kind)) {
    const problem = `${name} cannot be asked of ${key.name}, whose values are of another kind`;
    throw new PolicyError(path, `${problem} (${key.kind}).`);
  }
  return operator;
}

/**
 * A request's value matches when one of the policy's does; a negated operator asks that none does.
 *
 * Unverified: AWS tells authors to use a set operator where a key may have several values, and does
 * not document what happens without. We ask that one of them matches, and of a negated operator
 * that none does. `ForAnyValue:…IfExists` does not hold when the key is absent.
 */
function holding(
  { set, ifExists }: Spoken,
  { negated }: Operator,
  comparisons: readonly Comparison[],
): Condition["holds"] {
  const matches = (value: string, resolve: Resolve) =>
    comparisons.some(({ test }) => test(value, resolve));
  if (set === "ForAnyValue") {
    return (given, resolve) => given?.some((each) => matches(each, resolve) !== negated) ?? false;
  }
  if (set === "ForAllValues") {
    return (given, resolve) => given?.every((each) => matches(each, resolve) !== negated) ?? true;
  }
  const whenAbsent = negated || ifExists;
  return (given, resolve) => {
    if (given === undefined) return whenAbsent;
    return given.some((each) => matches(each, resolve)) !== negated;
  };
}
