import { SaxesParser } from "saxes";
import { assert } from "#base/assert.ts";
import { S3Error } from "#base/error.ts";

/** One element of a request. Attributes are not kept: S3 gives meaning to none that we read. */
export interface Element {
  /** Without its namespace prefix. */
  readonly name: string;
  readonly children: readonly Element[];
  /** Unescaped, white space kept. Meaningful for a leaf; between children it is only layout. */
  readonly text: string;
}

/** An element of a document whose attributes mean something, by their names as they are written. */
export interface AttributedElement extends Element {
  readonly children: readonly AttributedElement[];
  readonly attributes: Readonly<Record<string, string>>;
}

interface Open extends Element {
  readonly children: Open[];
  readonly attributes?: AttributedElement["attributes"];
  text: string;
}

const DEPTH_MAX = 32;
/** CompleteMultipartUpload with 10,000 parts of five elements, and room. */
const ELEMENTS_MAX = 60_000;
const XMLNS = "http://s3.amazonaws.com/doc/2006-03-01/";

/**
 * Reads one document. Namespaces are not looked at, for clients send them right, wrong and not at
 * all. A document type is refused, so entity expansion and external references cannot exist here.
 * Fails: MalformedXML.
 */
export function readXml(text: string): Element {
  return read(text, { elementsMax: ELEMENTS_MAX, signed: false });
}

/**
 * Reads a document that somebody signed. Besides a document type it refuses comments, processing
 * instructions and CDATA: to some readers they cut a text in two, to others not.
 * Fails: MalformedXML.
 */
export function readSignedXml(text: string, elementsMax: number): AttributedElement {
  // Each element has its attributes then.
  return read(text, { elementsMax, signed: true }) as AttributedElement;
}

interface Reading {
  readonly elementsMax: number;
  readonly signed: boolean;
}

/** Fails: MalformedXML. */
function read(text: string, reading: Reading): Element {
  const root = { name: "", children: [], text: "" };
  const parser = new SaxesParser({ position: false });
  build(parser, root, reading);
  parser.on("doctype", () => parser.fail("a document type is refused"));
  const refused = reading.signed ? (["comment", "processinginstruction", "cdata"] as const) : [];
  for (const event of refused) parser.on(event, () => parser.fail(`a ${event} is refused`));
  try {
    parser.write(text).close();
  } catch (cause) {
    throw new S3Error("MalformedXML", {}, { cause });
  }
  const [only] = root.children;
  assert(only !== undefined, "a well-formed document has a root");
  return only;
}

/** The first child called `name`. */
export function child(element: Element, name: string): Element | undefined {
  return element.children.find((each) => each.name === name);
}

/** The text of the first child called `name`; empty for an empty element. */
export function childText(element: Element, name: string): string | undefined {
  return child(element, name)?.text;
}

/** All children called `name`, in order. */
export function children(element: Element, name: string): readonly Element[] {
  return element.children.filter((each) => each.name === name);
}

/** Any character but those that text can hold as they are. */
const SPECIAL = /[^\t\n !#-%'-;=?-\uFFFD]/;
const EVERY_SPECIAL = new RegExp(SPECIAL, "g");
const NAMED = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
]);

/**
 * Text for an element. A carriage return becomes `&#13;`, for a reader takes a plain one for a line
 * feed; characters that XML 1.0 cannot carry become references too, which strict readers refuse and
 * which S3 answers all the same: a client asks for encoding-type=url to be spared them.
 */
export function escapeXml(text: string): string {
  if (!SPECIAL.test(text)) return text;
  return text.replace(EVERY_SPECIAL, (char) => NAMED.get(char) ?? `&#${char.charCodeAt(0)};`);
}

/** An element with text, which is escaped. */
export function tag(name: string, text: string | number | boolean): string {
  return `<${name}>${typeof text === "string" ? escapeXml(text) : text}</${name}>`;
}

/** An element with other elements, already written. */
export function wrap(name: string, inner: string): string {
  return `<${name}>${inner}</${name}>`;
}

/** A whole document, in the namespace of S3 unless `xmlns` is false. */
export function document(
  rootName: string,
  inner: string,
  { xmlns = true }: { readonly xmlns?: boolean } = {},
): string {
  const [start, end] = documentTags(rootName, { xmlns });
  return start + inner + end;
}

/** What stands before and after all that the root of a document holds. */
export function documentTags(
  rootName: string,
  { xmlns = true }: { readonly xmlns?: boolean } = {},
): readonly [string, string] {
  const start = xmlns ? `${rootName} xmlns="${XMLNS}"` : rootName;
  return [`<?xml version="1.0" encoding="UTF-8"?>\n<${start}>`, `</${rootName}>`];
}

/** Makes the parser hang what it reads under `top`. */
function build(parser: SaxesParser, top: Open, { elementsMax, signed }: Reading): void {
  const path: Open[] = [];
  let current = top;
  let count = 0;
  parser.on("opentag", ({ name, attributes }) => {
    count += 1;
    if (count > elementsMax || path.length >= DEPTH_MAX) parser.fail("too large");
    path.push(current);
    const local = name.slice(name.indexOf(":") + 1);
    const plain = { name: local, children: [], text: "" };
    const opened: Open = signed ? { ...plain, attributes } : plain;
    current.children.push(opened);
    current = opened;
  });
  parser.on("closetag", () => {
    current = path.pop() ?? top;
  });
  parser.on("text", (text) => {
    current.text += text;
  });
  parser.on("cdata", (text) => {
    current.text += text;
  });
}
