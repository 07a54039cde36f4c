/** Keys that a URL, an XML document, a header or a path could mangle. */
export const ODD_KEYS: readonly string[] = [
  "a key with spaces ",
  "plus+plus and space",
  "100%25 of 50%",
  "double//slash///three",
  "/leading slash",
  "trailing slash/",
  "up/../and/./down",
  "../outside",
  "emoji 🎉 and é",
  "line\nbreak\ttab",
  "quotes \" and ' and `",
  "<xml> & ]]> entities &amp;",
  "question?mark#hash;semi&and=equals",
  "brackets[]{}()|\\^~*!$,:@",
  "\u{10ffff} after \ue000",
];
