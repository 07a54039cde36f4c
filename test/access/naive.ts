/**
 * A second reading of the policies' rules, to hold the engine to: it goes through the raw JSON for
 * every question, as slowly and plainly as can be, and shares no code with the engine.
 */
import {
  bitsOf,
  conditionsHold,
  naiveGlob,
  substitute,
  variablesOf,
} from "#test/access/naive-condition.ts";
import {
  type Json,
  list,
  type NaiveBucket,
  type NaivePrincipal,
  type NaiveQuestion,
} from "#test/access/naive-question.ts";

export interface NaiveAnswer {
  readonly allowed: boolean;
  /** Name of the statement that decided. */
  readonly by: string | undefined;
}

const NO: NaiveAnswer = { allowed: false, by: undefined };

export function naiveDecide(question: NaiveQuestion): NaiveAnswer {
  const { principal, action, bucket } = question;
  const member = principal.kind === "user" || principal.kind === "role";
  const statements = (question.organization ?? []).flatMap(organizationStatements);
  const organization = verdict(statements.filter((each) => organizationApplies(each, question)));
  if (member && !organization.allowed) return organization;
  const alone =
    action.startsWith("cwobject:") ||
    action === "s3:ListAllMyBuckets" ||
    action === "s3:CreateBucket";
  if (alone || bucket === undefined) return member ? organization : NO;
  if (member && principal.organizationId === bucket.ownerId) {
    if (action === "s3:PutBucketPolicy" || bucket.policy === undefined) return organization;
    return bucketVerdict(bucket.policy, question);
  }
  return naiveStranger(question, bucket);
}

function naiveStranger(question: NaiveQuestion, bucket: NaiveBucket): NaiveAnswer {
  const { principal, action } = question;
  if (action === "s3:PutBucketPolicy" || action === "s3:DeleteBucketPolicy") return NO;
  const denying = (bucket.owner ?? [])
    .flatMap(organizationStatements)
    .filter(({ effect, json }) => effect === "Deny" && list(json["principals"]).includes("*"))
    .find((each) => organizationApplies(each, question));
  if (denying !== undefined) return { allowed: false, by: denying.name };
  if (bucket.policy === undefined) return NO;
  const kept = bucket.restrictPublic && principal.kind !== "service";
  if (kept && naiveIsPublic(bucket.policy)) return NO;
  return bucketVerdict(bucket.policy, question);
}

function bucketVerdict(policy: Json, question: NaiveQuestion): NaiveAnswer {
  return verdict(bucketStatements(policy).filter((each) => bucketApplies(each, policy, question)));
}

interface Named {
  readonly name: string;
  readonly effect: string;
  readonly json: Json;
}

function organizationStatements(policy: Json): Named[] {
  const statements = (policy["statements"] ?? policy["Statement"]) as Json[];
  return statements.map((json) => ({
    name: json["name"] as string,
    effect: json["effect"] as string,
    json,
  }));
}

function bucketStatements(policy: Json): Named[] {
  const isList = Array.isArray(policy["Statement"]);
  return (list(policy["Statement"]) as unknown as Json[]).map((json, index) => ({
    name: (json["Sid"] as string | undefined) || (isList ? `Statement[${index}]` : "Statement"),
    effect: json["Effect"] as string,
    json,
  }));
}

function verdict(applying: readonly Named[]): NaiveAnswer {
  const denying = applying.find(({ effect }) => effect === "Deny");
  if (denying !== undefined) return { allowed: false, by: denying.name };
  const allowing = applying.find(({ effect }) => effect === "Allow");
  return allowing === undefined ? NO : { allowed: true, by: allowing.name };
}

function organizationApplies({ json }: Named, question: NaiveQuestion): boolean {
  const { principal, action, resource } = question;
  const resources = list(json["resources"]);
  return (
    list(json["principals"]).some((each) => naiveGlob(each, principal.name)) &&
    list(json["actions"]).some((each) => naiveGlob(each, action)) &&
    (resource === "*"
      ? resources.includes("*")
      : resources.some((each) => naiveGlob(each, resource))) &&
    conditionsHold(json["conditions"], question, undefined)
  );
}

function bucketApplies({ json, effect }: Named, policy: Json, question: NaiveQuestion): boolean {
  const { principal, action, resource } = question;
  const variables = policy["Version"] === "2012-10-17" ? variablesOf(principal) : {};
  if (effect === "Allow") {
    const texts = [
      ...strings(json["Resource"]),
      ...strings(json["NotResource"]),
      ...strings(json["Condition"]),
    ];
    if (texts.some((text) => substitute(text, variables) === undefined)) return false;
  }
  const who = json["Principal"] ?? json["NotPrincipal"];
  if (names(who, principal) !== (json["Principal"] !== undefined)) return false;
  const acts = list(json["Action"] ?? json["NotAction"]).some((each) =>
    naiveGlob(each.toLowerCase(), action.toLowerCase()),
  );
  if (acts !== (json["Action"] !== undefined)) return false;
  const covers = list(json["Resource"] ?? json["NotResource"]).some((each) => {
    const pattern = substitute(each, variables);
    return pattern !== undefined && naiveGlob(pattern, `arn:aws:s3:::${resource}`);
  });
  if (covers !== (json["Resource"] !== undefined)) return false;
  return conditionsHold(json["Condition"], question, variables);
}

function names(element: unknown, { kind, organizationId, name }: NaivePrincipal): boolean {
  if (element === "*") return true;
  return Object.values(element as Json)
    .flatMap(list)
    .some((text) => {
      if (text === "*") return true;
      if (kind === "anonymous") return false;
      if (text === `arn:aws:iam::${organizationId}:${name}`) return true;
      if (text === `arn:aws:iam::${organizationId}:${name.replace("role/", "saml/")}`) return true;
      const whole = [`arn:aws:iam::${organizationId}:*`, `arn:aws:iam::${organizationId}:root`];
      return kind !== "service" && whole.includes(text);
    });
}

const NARROWING = ["aws:principalarn", "aws:principalorgid", "cw:principalorgid"];
const POSITIVE =
  /^(ForAnyValue:)?(StringEquals|StringEqualsIgnoreCase|StringLike|ArnEquals|ArnLike)$/;

export function naiveIsPublic(policy: Json): boolean {
  return bucketStatements(policy).some(({ effect, json }) => {
    const everybody =
      json["Principal"] === undefined
        ? !names(json["NotPrincipal"], STRANGER)
        : names(json["Principal"], STRANGER);
    if (effect !== "Allow" || !everybody) return false;
    const conditions = Object.entries((json["Condition"] ?? {}) as Record<string, Json>);
    return !conditions.some(([operator, keys]) =>
      Object.entries(keys).some(([key, wanted]) => narrows(operator, key, list(wanted))),
    );
  });
}

const STRANGER: NaivePrincipal = {
  kind: "anonymous",
  organizationId: undefined,
  name: "anonymous",
  groups: [],
};

/** A dollar sign, which is no variable although it is written as one. */
const DOLLAR = `$\{$}`;

function narrows(operator: string, key: string, wanted: readonly string[]): boolean {
  const lower = key.toLowerCase();
  if (NARROWING.includes(lower) || lower.startsWith("iam:")) {
    return (
      POSITIVE.test(operator) &&
      wanted.every((each) => !/[*?]|\$\{/.test(each.replaceAll(DOLLAR, "$")))
    );
  }
  if (lower !== "aws:sourceip" || !/^(ForAnyValue:)?IpAddress$/.test(operator)) return false;
  return wanted.every((range) => {
    const [host = "", length = host.includes(":") ? "128" : "32"] = range.split("/");
    const bits = Number(length) + (host.includes(":") ? 0 : 96);
    const isFour = bitsOf(host)?.startsWith("0".repeat(80) + "1".repeat(16)) && bits >= 96;
    if (isFour && (bits - 96 >= 8 || (host === "10.0.0.0" && bits - 96 >= 8))) return true;
    return !isFour && (bits >= 32 || (/^f[cd]/i.test(host) && bits >= 7));
  });
}

/** All texts below a value. */
function strings(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(strings);
}
