import fc from "fast-check";

/** Pieces about which readers of HTTP, XML and JSON disagree. */
const PIECES = [
  ...["a", "b", "Z", "0", "-", "_", ".", "..", "~", "/", "//", " ", "+", "%", "%2", "%2f", "%2F"],
  ...["%00", "%25", "%ZZ", "&", "=", "?", ";", ",", ":", "'", '"', "<", ">", "\\", "(", ")", "*"],
  ...["!", "@", "#", "$", "[", "]", "{", "}", "|", "^", "`", "\t", "\r", "\n", "\r\n", "\u0000"],
  ...["\u007F", "\u0080", "\u00A0", "é", "ü", "\u0301", "\u2028", "\uFEFF", "\uFFFD", "\uFFFF"],
  ...["\u{10000}", "\u{10FFFF}", "😀", "%C3%A9", "%E2%82%AC", "%FF", "%ED%A0%80"],
  ...["__proto__", "constructor", "toString", "hasOwnProperty"],
];

/** Text as somebody might send it to see what happens. */
export const nastyText = fc
  .array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: "binary", maxLength: 4 })), {
    maxLength: 12,
  })
  .map((pieces) => pieces.join(""));

/** Text of whole characters, none of them zero, as keys and names of fields are. */
export const cleanText = fc
  .array(
    fc.oneof(
      fc.constantFrom(...PIECES.filter((piece) => !piece.includes("\u0000"))),
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 3 }),
    ),
    { minLength: 1, maxLength: 10 },
  )
  .map((pieces) => pieces.join("").toWellFormed().replaceAll("\u0000", ""))
  .filter((text) => text !== "");

/** What is left without control characters, but those that are `kept`. */
export function withoutControls(text: string, kept: string): string {
  return [...text].filter((char) => kept.includes(char) || !/\p{Cc}/u.test(char)).join("");
}

/** The text, each byte of it spelled as it is, where it may be, or as %xx, upper or lower. */
export function percentEncoded(text: string, kept: RegExp): fc.Arbitrary<string> {
  const bytes = [...Buffer.from(text)];
  return fc
    .array(fc.constantFrom("as it is", "upper", "lower"), {
      minLength: bytes.length,
      maxLength: bytes.length,
    })
    .map((spellings) =>
      bytes
        .map((byte, at) => {
          const char = String.fromCharCode(byte);
          if (spellings[at] === "as it is" && kept.test(char)) return char;
          const hex = byte.toString(16).padStart(2, "0");
          return `%${spellings[at] === "lower" ? hex : hex.toUpperCase()}`;
        })
        .join(""),
    );
}

/** Bytes with some of them changed, left out, put in twice, or cut off. */
export function damaged(bytes: Buffer): fc.Arbitrary<Buffer> {
  const at = fc.nat(Math.max(0, bytes.length - 1));
  return fc.oneof(
    fc.tuple(at, fc.integer({ min: 1, max: 255 })).map(([where, flip]) => {
      const copy = Buffer.from(bytes);
      copy[where] = (copy[where] ?? 0) ^ flip;
      return copy;
    }),
    at.map((where) => bytes.subarray(0, where)),
    fc.tuple(at, fc.integer({ min: 1, max: 8 })).map(([where, count]) => {
      return Buffer.concat([bytes.subarray(0, where), bytes.subarray(where + count)]);
    }),
    fc.tuple(at, fc.uint8Array({ minLength: 1, maxLength: 4 })).map(([where, more]) => {
      return Buffer.concat([bytes.subarray(0, where), more, bytes.subarray(where)]);
    }),
  );
}

/** So much of the same as a hostile client can send: a reader that is not linear takes for ever. */
export const REPEATED = [
  ..."aA0 \t,;:=&?%+-./\\\"'<>[]{}()*|^$#@!~`_\u0000\u00e9",
  ...[
    "%2",
    "%25",
    "a=",
    "a&",
    "=,",
    ", ",
    ";;",
    "\r\n",
    "<a>",
    "</a>",
    "&lt;",
    "[[",
    '{"',
    "..",
    "/.",
  ],
];
