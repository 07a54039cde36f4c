import { invalidArgument, S3Error } from "#base/error.ts";
import { child, children, childText, type Element, tag, wrap } from "#base/xml.ts";
import type { ObjectInfo, Tag } from "#object/attributes.ts";

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html */
const OBJECT_TAGS_MAX = 10;
/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/CostAllocTagging.html */
const BUCKET_TAGS_MAX = 50;
const KEY_CHARS_MAX = 128;
const VALUE_CHARS_MAX = 256;
/** Letters, digits and white space of any language, and + - = . _ : / @ */
const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** Of tags that AWS sets itself. */
const SYSTEM = /^aws:/i;

/**
 * Checks the S3 limits on one tag set. Lengths count UTF-16 units, as AWS does.
 *
 * Observed: 2022-04-27, as others measured AWS (scality/cloudserver#4451): each tag is looked at before their number.
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
 * Fails: InvalidTag; BadRequest when there are more than the most.
 */
function tagSet(pairs: readonly Tag[], most: number): readonly Tag[] {
  const seen = new Set<string>();
  for (const [key, value] of pairs) {
    if (SYSTEM.test(key)) throw badTag("System tags cannot be added/updated by requester", key);
    if (key === "" || key.length > KEY_CHARS_MAX || !ALLOWED.test(key)) {
      throw badTag("The TagKey you have provided is invalid", key);
    }
    if (value.length > VALUE_CHARS_MAX || !ALLOWED.test(value)) {
      throw badTag("The TagValue you have provided is invalid", key, value);
    }
    if (seen.has(key)) throw badTag("Cannot provide multiple Tags with the same key", key);
    seen.add(key);
  }
  if (pairs.length > most) {
    throw new S3Error("BadRequest", {}, { message: `Tags cannot be more than ${most}` });
  }
  return [...pairs].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** Observed: 2026-02-23, as others recorded AWS: the value is told where it is what is wrong. */
function badTag(message: string, key: string, value?: string): S3Error {
  const detail = { TagKey: key, ...(value === undefined ? {} : { TagValue: value }) };
  return new S3Error("InvalidTag", detail, { message });
}

/**
 * `x-amz-tagging: a=1&b=2`, where an "&" too many does no harm.
 *
 * Observed: 2026-02-23, as others recorded AWS: a pair with two "=", or nothing before it, is not well-formed.
 * Fails: InvalidArgument, and as tagSet.
 */
export function readTagHeader(text: string | undefined): readonly Tag[] | undefined {
  if (text === undefined) return undefined;
  const written = text.split("&").filter((pair) => pair !== "");
  const pairs = written.map((pair): Tag => {
    const [key = "", value = "", ...more] = pair.split("=").map(decode);
    if (key === "" || more.length > 0) throw badTagHeader(text);
    return [key, value];
  });
  if (new Set(pairs.map(([key]) => key)).size < pairs.length) throw badTagHeader(text);
  return tagSet(pairs, OBJECT_TAGS_MAX);
}

/** The header that says the same. */
export function writeTagHeader(tags: readonly Tag[]): string {
  return tags.map((pair) => pair.map(encodeURIComponent).join("=")).join("&");
}

/** Of an object. Fails: MalformedXML, and as tagSet. */
export function readTagging(root: Element): readonly Tag[] {
  return readTags(child(root, "TagSet"), OBJECT_TAGS_MAX);
}

/** The same of a bucket. */
export function readBucketTagging(root: Element): readonly Tag[] {
  return readBucketTags(child(root, "TagSet"));
}

/** Of an element with a Tag for each. Fails: as readTagging. */
export function readBucketTags(set: Element | undefined): readonly Tag[] {
  return readTags(set, BUCKET_TAGS_MAX);
}

/** Observed: 2026-02-23, as others recorded AWS: a document without a TagSet has no tags. */
function readTags(set: Element | undefined, most: number): readonly Tag[] {
  if (set === undefined) return [];
  const pairs = children(set, "Tag").map((element): Tag => {
    const [key, value] = [childText(element, "Key"), childText(element, "Value")];
    if (key === undefined || value === undefined) throw new S3Error("MalformedXML", {});
    return [key, value];
  });
  return tagSet(pairs, most);
}

/** The children of a Tagging element. */
export function writeTagging(tags: readonly Tag[]): string {
  const inner = tags.map(([key, value]) => wrap("Tag", tag("Key", key) + tag("Value", value)));
  return wrap("TagSet", inner.join(""));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw badTagHeader(text);
  }
}

function badTagHeader(text: string): S3Error {
  return invalidArgument(
    "x-amz-tagging",
    text,
    "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
  );
}

/** What the tagging calls tell of the version they touched. */
export function versionHeader({ versionId }: ObjectInfo): Record<string, string> {
  return versionId === undefined ? {} : { "x-amz-version-id": versionId };
}
