import { S3Error } from "#base/error.ts";
import { child, children, childText, type Element, tag, wrap } from "#base/xml.ts";
import type { Tag } from "#object/attributes.ts";

/** Which objects a rule is about; every condition must hold. */
export interface LifecycleFilter {
  readonly prefix: string;
  readonly tags: readonly Tag[];
  /** Only objects larger, or smaller, than this. */
  readonly overBytes: number | undefined;
  readonly underBytes: number | undefined;
  /** The inner XML in which it was written: AWS answers it in the same, and Terraform waits until it does. */
  readonly text: string;
}

export interface LifecycleRule {
  readonly id: string;
  readonly enabled: boolean;
  readonly filter: LifecycleFilter;
  /** Of current versions. */
  readonly expiration:
    | { readonly days: number }
    | { readonly dateMs: number }
    | { readonly lonelyMarkers: true }
    | undefined;
  readonly noncurrent: { readonly days: number; readonly keep: number } | undefined;
  readonly abortDays: number | undefined;
}

const RULES_MAX = 1_000;
const ID_CHARS_MAX = 255;
const KEEP_MAX = 100;
const RULE_ELEMENTS = [
  ...["ID", "Status", "Filter", "Prefix", "Expiration"],
  ...["NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"],
];
const CONDITIONS = ["Prefix", "Tag", "ObjectSizeGreaterThan", "ObjectSizeLessThan"];

/**
 * Reads a LifecycleConfiguration.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html;
 * CoreWeave AI Object Storage: no transitions, no rule-level Prefix, at most 1,000 rules.
 * Fails: MalformedXML, InvalidArgument, InvalidRequest, NotImplemented.
 */
export function readLifecycle(root: Element): readonly LifecycleRule[] {
  const elements = children(root, "Rule");
  if (elements.length === 0 || elements.length > RULES_MAX) throw new S3Error("MalformedXML", {});
  const given = new Set<string>();
  for (const element of elements) {
    const id = childText(element, "ID") ?? "";
    if (given.has(id))
      throw argument("ID", id, "Rule ID must be unique. Found same ID for more than one rule");
    if (id !== "") given.add(id);
  }
  return elements.map((element, index) => readRule(element, freeId(given, index)));
}

/** The rules in canonical form. */
export function writeLifecycle(rules: readonly LifecycleRule[]): string {
  return rules.map(writeRule).join("");
}

/** A name for a rule that has none, which no other rule has. */
function freeId(given: ReadonlySet<string>, index: number): string {
  let id = `rule-${index + 1}`;
  while (given.has(id)) id += "-";
  return id;
}

/**
 * Differs: AWS still takes a Prefix directly in a Rule, and rules that change the storage class of an object.
 * Both are refused, the first as CoreWeave does.
 */
function readRule(element: Element, idIfNone: string): LifecycleRule {
  for (const name of ["Transition", "NoncurrentVersionTransition"]) {
    if (child(element, name) === undefined) continue;
    const message = `${name} is not implemented: storage classes are chosen at the upload.`;
    throw new S3Error("NotImplemented", { Operation: name }, { message });
  }
  requireKnown(element, RULE_ELEMENTS);
  const status = childText(element, "Status");
  if (status !== "Enabled" && status !== "Disabled") throw new S3Error("MalformedXML", {});
  const id = childText(element, "ID") || idIfNone;
  if (id.length > ID_CHARS_MAX)
    throw argument("ID", id, `ID length should not exceed ${ID_CHARS_MAX}`);
  const actions = {
    expiration: readExpiration(child(element, "Expiration")),
    noncurrent: readNoncurrent(child(element, "NoncurrentVersionExpiration")),
    abortDays: readAbort(child(element, "AbortIncompleteMultipartUpload")),
  };
  if (child(element, "Prefix") !== undefined) {
    throw refused("Prefix directly in a Rule is not supported. Put it into the rule's Filter.");
  }
  const filter = readFilter(child(element, "Filter"));
  const rule = { id, enabled: status === "Enabled", filter, ...actions };
  if (
    rule.expiration === undefined &&
    rule.noncurrent === undefined &&
    rule.abortDays === undefined
  ) {
    throw refused("At least one action needs to be specified in a rule");
  }
  requireCompatible(rule);
  return rule;
}

/** What AWS refuses to combine: uploads and delete markers have neither tags nor sizes. */
function requireCompatible({ filter, expiration, abortDays }: LifecycleRule): void {
  const narrow =
    filter.tags.length > 0 || filter.overBytes !== undefined || filter.underBytes !== undefined;
  if (!narrow) return;
  if (abortDays !== undefined) {
    throw refused("AbortIncompleteMultipartUpload cannot be specified with tags or object sizes.");
  }
  if (expiration !== undefined && "lonelyMarkers" in expiration) {
    throw refused("ExpiredObjectDeleteMarker cannot be specified with tags or object sizes.");
  }
}

function readFilter(filter: Element | undefined): LifecycleFilter {
  if (filter === undefined) throw new S3Error("MalformedXML", {});
  const both = child(filter, "And");
  requireKnown(filter, ["And", ...CONDITIONS]);
  const conditions = both ?? filter;
  if (both !== undefined) requireKnown(both, CONDITIONS);
  if (filter.children.length > 1) throw new S3Error("MalformedXML", {});
  const sizes = {
    overBytes: readSize(conditions, "ObjectSizeGreaterThan"),
    underBytes: readSize(conditions, "ObjectSizeLessThan"),
  };
  const prefix = childText(conditions, "Prefix");
  const tags = children(conditions, "Tag").map(readTag);
  if (new Set(tags.map(([key]) => key)).size < tags.length) {
    throw refused("Duplicate Tag Keys are not allowed.");
  }
  const text = writeConditions({ ...sizes, prefix, tags });
  return {
    prefix: prefix ?? "",
    tags,
    ...sizes,
    text: both === undefined ? text : wrap("And", text),
  };
}

/** Fails: MalformedXML. */
function readTag(pair: Element): Tag {
  const [key, value] = [childText(pair, "Key"), childText(pair, "Value")];
  if (key === undefined || key === "" || value === undefined) throw new S3Error("MalformedXML", {});
  return [key, value];
}

interface Conditions extends Omit<LifecycleFilter, "prefix" | "text"> {
  readonly prefix: string | undefined;
}

function writeConditions({ prefix, tags, overBytes, underBytes }: Conditions): string {
  const conditions = [
    prefix === undefined ? "" : tag("Prefix", prefix),
    ...tags.map(([key, value]) => wrap("Tag", tag("Key", key) + tag("Value", value))),
    overBytes === undefined ? "" : tag("ObjectSizeGreaterThan", overBytes),
    underBytes === undefined ? "" : tag("ObjectSizeLessThan", underBytes),
  ];
  return conditions.join("");
}

function readSize(element: Element, name: string): number | undefined {
  const text = childText(element, name);
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new S3Error("MalformedXML", {});
  return Number(text);
}

function readExpiration(element: Element | undefined): LifecycleRule["expiration"] {
  if (element === undefined) return undefined;
  requireKnown(element, ["Days", "Date", "ExpiredObjectDeleteMarker"]);
  const days = childText(element, "Days");
  const date = childText(element, "Date");
  const marker = childText(element, "ExpiredObjectDeleteMarker");
  if ([days, date, marker].filter((given) => given !== undefined).length !== 1) {
    throw new S3Error("MalformedXML", {});
  }
  if (days !== undefined) return { days: readDays("Days", days) };
  if (date !== undefined) return { dateMs: readDate(date) };
  return marker?.toLowerCase() === "true" ? { lonelyMarkers: true } : undefined;
}

function readNoncurrent(element: Element | undefined): LifecycleRule["noncurrent"] {
  if (element === undefined) return undefined;
  requireKnown(element, ["NoncurrentDays", "NewerNoncurrentVersions"]);
  const days = childText(element, "NoncurrentDays");
  const keep = childText(element, "NewerNoncurrentVersions");
  if (days === undefined) throw new S3Error("MalformedXML", {});
  const kept = keep === undefined ? 0 : readDays("NewerNoncurrentVersions", keep);
  if (kept > KEEP_MAX) {
    throw argument(
      "NewerNoncurrentVersions",
      keep ?? "",
      `At most ${KEEP_MAX} versions can be kept.`,
    );
  }
  return { days: readDays("NoncurrentDays", days), keep: kept };
}

function readAbort(element: Element | undefined): number | undefined {
  if (element === undefined) return undefined;
  requireKnown(element, ["DaysAfterInitiation"]);
  const days = childText(element, "DaysAfterInitiation");
  if (days === undefined) throw new S3Error("MalformedXML", {});
  return readDays("DaysAfterInitiation", days);
}

function readDays(name: string, text: string): number {
  const days = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (days < 1)
    throw argument(name, text, `'${name}' for lifecycle actions must be a positive integer`);
  return days;
}

/** Midnight UTC, as AWS demands. */
function readDate(text: string): number {
  const ms = Date.parse(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text);
  if (Number.isNaN(ms)) throw new S3Error("MalformedXML", {});
  if (ms % 86_400_000 !== 0) throw argument("Date", text, "'Date' must be at midnight GMT");
  return ms;
}

/** What a rule says and nobody here understands might have kept what the rest of it removes. */
function requireKnown(element: Element, known: readonly string[]): void {
  const unknown = element.children.find(({ name }) => !known.includes(name));
  if (unknown === undefined) return;
  const message = `A lifecycle rule of S3 has no ${unknown.name} in its ${element.name}: leave it out.`;
  throw new S3Error("MalformedXML", {}, { message });
}

function argument(name: string, value: string, message: string): S3Error {
  return new S3Error("InvalidArgument", { ArgumentName: name, ArgumentValue: value }, { message });
}

function refused(message: string): S3Error {
  return new S3Error("InvalidRequest", {}, { message });
}

function writeRule(rule: LifecycleRule): string {
  const { expiration, noncurrent, abortDays } = rule;
  const inner = [
    tag("ID", rule.id),
    tag("Status", rule.enabled ? "Enabled" : "Disabled"),
    wrap("Filter", rule.filter.text),
    expiration === undefined ? "" : wrap("Expiration", writeExpiration(expiration)),
    noncurrent === undefined
      ? ""
      : wrap(
          "NoncurrentVersionExpiration",
          tag("NoncurrentDays", noncurrent.days) +
            (noncurrent.keep === 0 ? "" : tag("NewerNoncurrentVersions", noncurrent.keep)),
        ),
    abortDays === undefined
      ? ""
      : wrap("AbortIncompleteMultipartUpload", tag("DaysAfterInitiation", abortDays)),
  ];
  return wrap("Rule", inner.join(""));
}

function writeExpiration(expiration: Exclude<LifecycleRule["expiration"], undefined>): string {
  if ("days" in expiration) return tag("Days", expiration.days);
  if ("dateMs" in expiration) return tag("Date", new Date(expiration.dateMs).toISOString());
  return tag("ExpiredObjectDeleteMarker", true);
}
