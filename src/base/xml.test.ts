import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { child, children, childText, document, escapeXml, readXml, tag, wrap } from "#base/xml.ts";

test("reads back any text it writes", () => {
  const text = fc.string({ unit: "grapheme" }).filter((value) => value.isWellFormed());
  fc.assert(
    fc.property(text, (key) => {
      assert.equal(childText(readXml(document("Delete", tag("Key", key))), "Key"), key);
    }),
  );
});

const TEXTS = {
  " a b ": " a b ",
  "a&#10;b&#13;c": "a\nb\rc",
  "&#x1F600;😀": "😀😀",
  "<![CDATA[<&]]> &lt;": "<& <",
  "a<!-- no -->b": "ab",
  "&amp;amp;": "&amp;",
  "a\r\nb\rc": "a\nb\nc",
  "\u00A0\uFEFF": "\u00A0\uFEFF",
};
for (const [source, text] of Object.entries(TEXTS)) {
  test(`reads ${JSON.stringify(source)} as ${JSON.stringify(text)}`, () => {
    assert.equal(childText(readXml(`<a><Key>${source}</Key></a>`), "Key"), text);
  });
}

const ROOTS = [
  "<Tagging/>",
  "<Tagging></Tagging>",
  '\uFEFF<?xml version="1.0" encoding="UTF-8"?>\r\n<Tagging/>\n',
  '<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>',
  '<s3:Tagging xmlns:s3="http://example.com/"/>',
  "<s3:Tagging/>",
  "<!-- first --><Tagging/><!-- last -->",
];
for (const source of ROOTS) {
  test(`accepts ${JSON.stringify(source)}`, () => {
    assert.deepEqual(readXml(source), { name: "Tagging", children: [], text: "" });
  });
}

test("an attribute with a prefix does not hide the element", () => {
  const grantee = '<Grantee xsi:type="CanonicalUser"><ID>42</ID></Grantee>';

  const grant = readXml(`<Grant>${grantee}<Permission>READ</Permission></Grant>`);

  assert.equal(childText(child(grant, "Grantee") ?? grant, "ID"), "42");
  assert.equal(childText(grant, "Permission"), "READ");
});

test("finds the first child, all children, and none", () => {
  const root = readXml("<a> <b>1</b> <c/> <b>2</b> </a>");

  assert.equal(childText(root, "b"), "1");
  assert.equal(childText(root, "c"), "");
  assert.equal(childText(root, "d"), undefined);
  assert.deepEqual(
    children(root, "b").map((b) => b.text),
    ["1", "2"],
  );
});

const REFUSED = [
  "",
  " ",
  "text",
  "{}",
  "<a>",
  "</a>",
  "<a></b>",
  "<a/><b/>",
  "<a/>text",
  "<a><b></a></b>",
  "<a>&nope;</a>",
  "<a>&toString;</a>",
  "<a>&</a>",
  "<a>&#0;</a>",
  "<a>&#x110000;</a>",
  "<a>\u0001</a>",
  "<a b=1/>",
  "<a b='1' b='2'/>",
  "<!DOCTYPE a><a/>",
  "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
  "<a><![CDATA[x</a>",
];
for (const source of REFUSED) {
  test(`refuses ${source || "an empty body"}`, () => {
    assert.throws(() => readXml(source), { name: "S3Error", code: "MalformedXML" });
  });
}

test("nests 32 deep and no deeper", () => {
  const nested = (depth: number) => `${"<a>".repeat(depth)}${"</a>".repeat(depth)}`;

  assert.equal(readXml(nested(32)).name, "a");
  assert.throws(() => readXml(nested(33)), { code: "MalformedXML" });
});

test("holds 60,000 elements and no more", () => {
  const wide = (count: number) => wrap("a", "<b/>".repeat(count - 1));

  assert.equal(readXml(wide(60_000)).children.length, 59_999);
  assert.throws(() => readXml(wide(60_001)), { code: "MalformedXML" });
});

test("reads CompleteMultipartUpload with 10,000 parts", () => {
  const parts = Array.from({ length: 10_000 }, (_, i) =>
    wrap("Part", tag("ETag", `"${i}"`) + tag("PartNumber", i + 1)),
  );

  const upload = readXml(document("CompleteMultipartUpload", parts.join("")));

  const numbers = children(upload, "Part").map((part) => childText(part, "PartNumber"));
  assert.equal(numbers.length, 10_000);
  assert.equal(numbers.at(-1), "10000");
});

test("plain text is written as it is, in any language", () => {
  for (const text of ["", "a/b c.txt\t\n", "naïve 日本 😀 '"]) assert.equal(escapeXml(text), text);
});

test("what XML reserves or cannot carry becomes a reference", () => {
  assert.equal(escapeXml(`a&b<c>d"e\r`), "a&amp;b&lt;c&gt;d&quot;e&#13;");
  assert.equal(escapeXml("\u0000\u001F\uFFFE\uFFFF"), "&#0;&#31;&#65534;&#65535;");
});

test("a document names its namespace unless told not to", () => {
  const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';

  assert.equal(
    document("R", tag("N", 1)),
    `${declaration}<R xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><N>1</N></R>`,
  );
  assert.equal(document("Error", "", { xmlns: false }), `${declaration}<Error></Error>`);
});
