import assert from "node:assert/strict";
import { test } from "node:test";
import { readConditions } from "#access/condition.ts";

const ABSENT = undefined;
const KEYS: Readonly<Record<string, string>> = {
  Arn: "aws:PrincipalArn",
  Bool: "aws:SecureTransport",
  Date: "aws:CurrentTime",
  IpAddress: "aws:SourceIp",
  NotIpAddress: "aws:SourceIp",
  Numeric: "s3:max-keys",
};

function holds(operator: string, wanted: unknown, given: readonly string[] | undefined): boolean {
  const plain = operator.replace(/^For\w+:/, "");
  const family = Object.keys(KEYS).find((name) => plain.startsWith(name)) ?? "";
  const block = { [operator]: { [KEYS[family] ?? "s3:prefix"]: wanted } };
  const conditions = readConditions(
    { path: "Condition", value: block },
    { noVariables: undefined },
  );
  return conditions.every((condition) =>
    condition.holds(given, (name) => (name === "aws:username" ? "alice" : undefined)),
  );
}

const ALICE = "arn:aws:iam::ab1cd2:coreweave/alice";
const CI = "arn:aws:iam::ab1cd2:role/https://token.example.com:repo:acme";
const NOON = "2026-05-01T12:00:00Z";

const CASES: readonly (readonly [
  operator: string,
  wanted: unknown,
  given: readonly string[] | undefined,
  expected: boolean,
])[] = [
  ["StringEquals", "a", ["a"], true],
  ["StringEquals", "a", ["A"], false],
  ["StringEquals", ["a", "b"], ["b"], true],
  ["StringEquals", "a*", ["ab"], false],
  ["StringEquals", "a*", ["a*"], true],
  ["StringEquals", "", [""], true],
  ["StringEquals", "a", ABSENT, false],
  ["StringNotEquals", "a", ["b"], true],
  ["StringNotEquals", ["a", "b"], ["b"], false],
  ["StringNotEquals", "a", ABSENT, true],
  ["StringEqualsIgnoreCase", "Äb", ["äB"], true],
  ["StringEqualsIgnoreCase", "a", ABSENT, false],
  ["StringNotEqualsIgnoreCase", "AB", ["ab"], false],
  ["StringNotEqualsIgnoreCase", "AB", ABSENT, true],
  ["StringLike", "home/*", ["home/x"], true],
  ["StringLike", "home/*", ["Home/x"], false],
  ["StringLike", ["a?", "b*"], ["ab"], true],
  ["StringLike", "*", ABSENT, false],
  ["StringNotLike", "home/*", ["home/x"], false],
  ["StringNotLike", "home/*", ABSENT, true],
  ["NumericEquals", "10", ["10.0"], true],
  ["NumericEquals", 10, ["10"], true],
  ["NumericEquals", 10, ["ten"], false],
  ["NumericEquals", 10, ABSENT, false],
  ["NumericNotEquals", 10, ["11"], true],
  ["NumericNotEquals", 10, ["ten"], true],
  ["NumericNotEquals", 10, ABSENT, true],
  ["NumericLessThan", "100", ["99"], true],
  ["NumericLessThan", "100", ["100"], false],
  ["NumericLessThanEquals", "100", ["100"], true],
  ["NumericGreaterThan", "100", ["1000"], true],
  ["NumericGreaterThan", "100", ["ten"], false],
  ["NumericGreaterThanEquals", -1.5, ["-1.5"], true],
  ["NumericLessThan", "100", ABSENT, false],
  ["DateEquals", "2026-05-01T14:00:00+02:00", [NOON], true],
  ["DateEquals", "1777636800", [NOON], true],
  ["DateNotEquals", "2026-05-01", [NOON], true],
  ["DateLessThan", "2026-05-02", [NOON], true],
  ["DateLessThanEquals", NOON, [NOON], true],
  ["DateGreaterThan", "2026-05-01", [NOON], true],
  ["DateGreaterThanEquals", "2026-05-02", [NOON], false],
  ["DateGreaterThan", "2020-01-01", ABSENT, false],
  ["Bool", "true", ["true"], true],
  ["Bool", "True", ["true"], true],
  ["Bool", "true", ["TRUE"], true],
  ["Bool", false, ["true"], false],
  ["Bool", ["true", "false"], ["false"], true],
  ["Bool", "false", ABSENT, false],
  ["IpAddress", "10.0.0.0/8", ["10.1.2.3"], true],
  ["IpAddress", ["10.0.0.0/8", "::1"], ["::1"], true],
  ["IpAddress", "10.0.0.0/8", ABSENT, false],
  ["NotIpAddress", "10.0.0.0/8", ["10.1.2.3"], false],
  ["NotIpAddress", "10.0.0.0/8", ["11.1.2.3"], true],
  ["NotIpAddress", "10.0.0.0/8", ABSENT, true],
  ["ArnEquals", ALICE, [ALICE], true],
  ["ArnEquals", "arn:aws:iam::ab1cd2:*", [ALICE], true],
  ["ArnEquals", "arn:aws:iam::ab1cd2:*", [CI], true],
  ["ArnLike", "arn:aws:iam::*:coreweave/al?ce", [ALICE], true],
  ["ArnLike", "arn:aws:iam::ab1cd2:role/https://*:repo:acme", [CI], true],
  // A star does not reach over a colon.
  ["ArnLike", "arn:aws:*:ab1cd2::coreweave/alice", [ALICE], false],
  ["ArnLike", "arn:aws:iam::*:*", ["alice"], false],
  ["ArnLike", "arn:aws:iam::*:*", ABSENT, false],
  ["ArnNotEquals", ALICE, [ALICE], false],
  ["ArnNotLike", "arn:aws:iam::ab1cd2:role/*", [ALICE], true],
  ["ArnNotLike", "arn:aws:iam::ab1cd2:role/*", ABSENT, true],
  ["Null", "true", ABSENT, true],
  ["Null", "true", [""], false],
  ["Null", false, ["a"], true],
  ["Null", "false", ABSENT, false],
  ["Null", ["true", "false"], ABSENT, true],
  ["StringEqualsIfExists", "a", ABSENT, true],
  ["StringEqualsIfExists", "a", ["b"], false],
  ["NumericLessThanIfExists", "10", ABSENT, true],
  ["BoolIfExists", "true", ABSENT, true],
  ["IpAddressIfExists", "10.0.0.0/8", ABSENT, true],
  ["StringNotEqualsIfExists", "a", ABSENT, true],
  ["ForAnyValue:StringEquals", ["a", "b"], ["c", "b"], true],
  ["ForAnyValue:StringEquals", ["a", "b"], ["c"], false],
  ["ForAnyValue:StringEquals", "a", ABSENT, false],
  ["ForAnyValue:StringNotEquals", ["a", "b"], ["a", "c"], true],
  ["ForAnyValue:StringNotEquals", ["a", "b"], ["a", "b"], false],
  ["ForAnyValue:StringNotEquals", "a", ABSENT, false],
  ["ForAnyValue:StringEqualsIfExists", "a", ABSENT, false],
  ["ForAllValues:StringEquals", ["a", "b"], ["a"], true],
  ["ForAllValues:StringEquals", ["a", "b"], ["a", "c"], false],
  ["ForAllValues:StringEquals", "a", ABSENT, true],
  ["ForAllValues:StringNotEquals", "a", ["b", "c"], true],
  ["ForAllValues:StringNotEquals", "a", ["b", "a"], false],
  ["ForAllValues:StringNotEquals", "a", ABSENT, true],
  ["ForAllValues:StringLikeIfExists", "a*", ["ab", "b"], false],
  // Several values without a set operator.
  ["StringEquals", "a", ["b", "a"], true],
  ["StringNotEquals", "a", ["b", "a"], false],
  // Variables.
  ["StringEquals", `home/${spoken("aws:username")}`, ["home/alice"], true],
  ["StringLike", `home/${spoken("AWS:Username")}/*`, ["home/alice/x"], true],
  ["StringNotEquals", spoken("aws:PrincipalArn"), ["a"], true],
  ["StringEquals", spoken("aws:PrincipalArn"), ["a"], false],
  ["StringEquals", `a${spoken("aws:PrincipalArn")}`, ["a"], false],
  ["StringEquals", spoken("aws:PrincipalArn, 'a'"), ["a"], true],
  ["StringEqualsIgnoreCase", spoken("aws:PrincipalArn, 'A'"), ["a"], true],
  ["StringLike", `a${spoken("*")}`, ["ab"], false],
  ["StringLike", `a${spoken("*")}${spoken("?")}${spoken("$")}`, ["a*?$"], true],
  ["ArnLike", `arn:aws:iam::*:coreweave/${spoken("aws:username")}`, [ALICE], true],
];

function spoken(variable: string): string {
  return `$\{${variable}}`;
}

for (const [operator, wanted, given, expected] of CASES) {
  const values = given === undefined ? "an absent key" : JSON.stringify(given);
  test(`${operator} ${JSON.stringify(wanted)} ${expected ? "holds" : "does not hold"} for ${values}`, () => {
    assert.equal(holds(operator, wanted, given), expected);
  });
}
