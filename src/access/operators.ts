import { rangeTest, readAddressRange } from "#access/address-range.ts";
import type { ValueKind } from "#access/condition-keys.ts";
import { readMoment } from "#access/moment.ts";
import type { Place } from "#access/place.ts";
import { PolicyError, quote } from "#access/policy-error.ts";
import {
  arnParts,
  arnTexts,
  foldedTestOf,
  isFixed,
  readTemplate,
  type TemplateReading,
  type TextTest,
  testOf,
} from "#access/template.ts";

/** A value of a policy, made ready to be compared with values of requests. */
export interface Comparison {
  readonly test: TextTest;
  /** Variables that must have a value. */
  readonly needed: readonly string[];
  /** Whether it is one value only: no wildcard, no variable. */
  readonly fixed: boolean;
}

export interface Operator {
  /** Holds when no value matches, and when there is nothing to match. */
  readonly negated: boolean;
  /** Kinds of keys it can be asked of. */
  readonly kinds: readonly ValueKind[];
  /** Fails: PolicyError for a value that could never be compared. */
  readonly compile: (value: Place<string>, reading: VariableReading) => Comparison;
}

export type VariableReading = Pick<TemplateReading, "noVariables">;

type Compile = Operator["compile"];
type Order = (value: number, wanted: number) => boolean;

const ANY_KIND = ["text", "number", "moment", "boolean", "address", "arn"] as const;
const ORDERS: Readonly<Record<string, Order>> = {
  Equals: (value, wanted) => value === wanted,
  LessThan: (value, wanted) => value < wanted,
  LessThanEquals: (value, wanted) => value <= wanted,
  GreaterThan: (value, wanted) => value > wanted,
  GreaterThanEquals: (value, wanted) => value >= wanted,
};

/**
 * By their names, without `ForAnyValue:`, `ForAllValues:` and `IfExists`.
 *
 * Spec: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ...pair("StringEquals", "StringNotEquals", { kinds: ANY_KIND, compile: text(false, testOf) }),
  ...pair("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", {
    kinds: ANY_KIND,
    compile: text(false, foldedTestOf),
  }),
  ...pair("StringLike", "StringNotLike", { kinds: ANY_KIND, compile: text(true, testOf) }),
  // AWS compares ARNs part by part, and with wildcards whatever the operator is called.
  ...pair("ArnEquals", "ArnNotEquals", { kinds: ["arn", "text"], compile: arn }),
  ...pair("ArnLike", "ArnNotLike", { kinds: ["arn", "text"], compile: arn }),
  ...ordered("Numeric", { kinds: ["number", "text"], read: readNumber, mend: "a number" }),
  ...ordered("Date", {
    kinds: ["moment", "text"],
    read: readMoment,
    mend: "seconds since 1970 or a date as 2030-01-31T00:00:00Z",
  }),
  ["Bool", { negated: false, kinds: ["boolean", "text"], compile: boolean }],
  ...pair("IpAddress", "NotIpAddress", { kinds: ["address", "text"], compile: address }),
]);

function pair(
  name: string,
  opposite: string,
  operator: Omit<Operator, "negated">,
): readonly (readonly [string, Operator])[] {
  return [
    [name, { ...operator, negated: false }],
    [opposite, { ...operator, negated: true }],
  ];
}

interface Ordered {
  readonly kinds: readonly ValueKind[];
  readonly read: (text: string) => number | undefined;
  /** What a value must be. */
  readonly mend: string;
}

function ordered(family: string, { kinds, read, mend }: Ordered) {
  const compileAs =
    (order: Order): Compile =>
    ({ path, value: text }) => {
      const wanted = read(text);
      if (wanted === undefined) throw new PolicyError(path, `${quote(text)} is not ${mend}.`);
      return constant((value) => {
        const given = read(value);
        return given !== undefined && order(given, wanted);
      });
    };
  const operators = Object.entries(ORDERS).map(
    ([name, order]) =>
      [family + name, { negated: false, kinds, compile: compileAs(order) }] as const,
  );
  const unequal = { negated: true, kinds, compile: compileAs((value, wanted) => value === wanted) };
  return [...operators, [`${family}NotEquals`, unequal] as const];
}

function text(wildcards: boolean, make: typeof testOf): Compile {
  return (place, { noVariables }) => {
    const template = readTemplate(place, { wildcards, noVariables });
    return { test: make(template), needed: template.needed, fixed: isFixed(template) };
  };
}

function arn(place: Place<string>, { noVariables }: VariableReading): Comparison {
  const template = readTemplate(place, { wildcards: true, noVariables });
  const tests = arnParts(template)?.map(testOf);
  if (tests === undefined) {
    const problem = `${quote(place.value)} is no ARN. Write all six parts, as arn:aws:iam::ab1cd2:*.`;
    throw new PolicyError(place.path, problem);
  }
  const test: TextTest = (value, resolve) => {
    const parts = arnTexts(value);
    return parts?.every((part, index) => tests[index]?.(part, resolve)) ?? false;
  };
  return { test, needed: template.needed, fixed: isFixed(template) };
}

function boolean({ path, value: text }: Place<string>): Comparison {
  const wanted = text.toLowerCase();
  if (wanted !== "true" && wanted !== "false") {
    throw new PolicyError(path, `${quote(text)} is neither "true" nor "false".`);
  }
  return constant((value) => value.toLowerCase() === wanted);
}

function address({ path, value: text }: Place<string>): Comparison {
  const range = readAddressRange(text);
  if (range === undefined) {
    const mend = "Write an address or a range, as 203.0.113.0/24 or 2001:db8::/32.";
    throw new PolicyError(path, `Invalid IP address in Conditions: ${quote(text)}. ${mend}`);
  }
  return constant(rangeTest(range));
}

function constant(test: (value: string) => boolean): Comparison {
  return { test, needed: [], fixed: true };
}

const NUMBER = /^-?\d{1,15}(?:\.\d{1,15})?$/;

function readNumber(text: string): number | undefined {
  return NUMBER.test(text) ? Number(text) : undefined;
}
