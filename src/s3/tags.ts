import { invalidArgument, S3Error } from "#base/error.ts";
import { child, children, childText, type Element, tag, wrap } from "#base/xml.ts";
import type { ObjectInfo, Tag } from "#object/attributes.ts";

/** Of an object, and of a bucket. */
const TAGS_MAX = 10;
const KEY_CHARS_MAX = 128;
const VALUE_CHARS_MAX = 256;
/** Letters, digits and white space of any language, and + - = . _ : / @ */
const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** Of tags that AWS sets itself. */
const SYSTEM = /^aws:/i;

/**
 * Checks the S3 limits on one tag set. Lengths count UTF-16 units, as AWS does.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
 * Fails: InvalidTag; BadRequest when there are more than ten.
 */
function tagSet(pairs: readonly Tag[]): readonly Tag[] {
  if (pairs.length > TAGS_MAX) {
    throw new S3Error("BadRequest", {}, { message: `Tags cannot be more than ${TAGS_MAX}` });
  }
  const seen = new Set<string>();
  for (const [key, value] of pairs) {
    if (SYSTEM.test(key)) {
      const message = "System tags cannot be added/updated by requester";
      throw new S3Error("InvalidTag", { TagKey: key }, { message });
    }
    if (key === "" || key.length > KEY_CHARS_MAX || !ALLOWED.test(key)) {
      throw new S3Error(
        "InvalidTag",
        { TagKey: key },
        { message: "The TagKey you have provided is invalid" },
      );
    }
    if (value.length > VALUE_CHARS_MAX || !ALLOWED.test(value)) {
      throw new S3Error(
        "InvalidTag",
        { TagKey: key },
        { message: "The TagValue you have provided is invalid" },
      );
    }
    if (seen.has(key)) {
      throw new S3Error(
        "InvalidTag",
        { TagKey: key },
        { message: "Cannot provide multiple Tags with the same key" },
      );
    }
    seen.add(key);
  }
  return [...pairs].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
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
  return tagSet(pairs);
}

/** Fails: MalformedXML, and as tagSet. */
export function readTagging(root: Element): readonly Tag[] {
  const set = child(root, "TagSet");
  if (set === undefined) throw new S3Error("MalformedXML", {});
  return readTags(set);
}

/** Of an element with a Tag for each. Fails: MalformedXML, and as tagSet. */
export function readTags(set: Element): readonly Tag[] {
  const pairs = children(set, "Tag").map((element): Tag => {
    const [key, value] = [childText(element, "Key"), childText(element, "Value")];
    if (key === undefined || value === undefined) throw new S3Error("MalformedXML", {});
    return [key, value];
  });
  return tagSet(pairs);
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
