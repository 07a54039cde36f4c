/**
 * Our framing of HTTP/1.1 against llhttp's, which is node:http's: what ours accepts the other must accept too, and
 * read as the same requests with the same bodies. What ours alone refuses is refused on purpose.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Message, type Reading, readByLlhttp } from "#test/fuzz/llhttp.ts";
import { HEADER_BYTES_MAX, type OurReading, readByOurs } from "#test/fuzz/our-framing.ts";
import { runs } from "#test/support/runs.ts";

/** What two readers may take for different things, to be put anywhere. */
const TRICKS = [
  ...["\r\n", "\n", "\r", "\r\n\r\n", "\n\n", "\r\r\n", " ", "  ", "\t", "\0", "\x0b", "\x7f"],
  ...["\x80", "\xff", ":", ";", ",", '"', "\\", "#", "?", "@", "0", "1", "5", "f", "+", "-", "0x"],
  ...["\r\n ", "\r\n\t", " :", ": ", "chunked", "identity", ";a", ';a="b;"', ";a=b;c", "=", "/"],
  ...["HTTP/1.0", "HTTP/1.1", "HTTP/2.0", "HTTP/0.9", "HTTP/1.10", "http/1.1", "RTSP/1.0"],
  ...["Content-Length: 0\r\n", "Content-Length: 5\r\n", "Content-Length:\t5 \r\n"],
  ...["content-length : 5\r\n", "Content-Length: 5, 5\r\n", "Content-Length: 0x5\r\n"],
  ...["Content-Length: 005\r\n", "Content-Length: 18446744073709551616\r\n", "Content-Length:\r\n"],
  ...["Transfer-Encoding: chunked\r\n", "Transfer-Encoding: CHUNKED \r\n"],
  ...["Transfer-Encoding:\x0bchunked\r\n", "Transfer-Encoding: x, chunked\r\n"],
  ...["Transfer-Encoding : chunked\r\n", "Transfer-Encoding: chunked, x\r\n", "X: a\r\n b\r\n"],
  ...["Transfer-Encoding: chunked;q=1\r\n", 'Transfer-Encoding: "chunked"\r\n', " X: folded\r\n"],
  ...["Transfer-Encoding:\r\n chunked\r\n", "Transfer_Encoding: chunked\r\n", ": nameless\r\n"],
  ...["Connection: close\r\n", "Connection: keep-alive\r\n", "Connection: close, x\r\n"],
  ...[
    "Host: other\r\n",
    "Expect: 100-continue\r\n",
    "0\r\n\r\n",
    "0\r\nX: y\r\n\r\n",
    "5\r\nabcde\r\n",
  ],
  ...["GET / HTTP/1.1\r\nHost: h\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
];

const method = fc.constantFrom("GET", "GET", "PUT", "POST", "HEAD", "OPTIONS", "FROB", "CONNECT");
const target = fc.oneof(
  fc.constantFrom(
    ...["/", "/bucket/key", "/b?list-type=2&prefix=a%2F", "*", "http://h/x?y", "h:80", "/a#b", "x"],
    ...["https://u@h/", "http:///", "//h/x", "/{}|\\^`<>", "?x", "HTTP://H", "ftp://h/x"],
  ),
  fc.string({ maxLength: 6 }).map((text) => `/${text}`),
);
const header = fc.oneof(
  fc.constantFrom(...TRICKS.filter((trick) => trick.endsWith("\r\n"))),
  fc
    .tuple(
      fc.constantFrom("X-Amz-Date", "x-amz-meta-a", "User-Agent", "RANGE", "trailer", "a!#$%&'*"),
      fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map(String.fromCharCode) }),
    )
    .map(([name, value]) => `${name}: ${value}\r\n`),
);
const chunk = fc
  .tuple(fc.string({ minLength: 1, maxLength: 20 }), fc.constantFrom("", "", ";a", ';a="b"', "x"))
  .map(([text, extension]) => `${text.length.toString(16)}${extension}\r\n${text}\r\n`);
const trailers = fc.constantFrom("", "", "", "X-T: y\r\n", "Content-Length: 1\r\n");
const body = fc.oneof(
  fc.constant({ said: "", bytes: "" }),
  fc
    .string({ maxLength: 30 })
    .map((text) => ({ said: `Content-Length: ${text.length}\r\n`, bytes: text })),
  fc.tuple(fc.array(chunk, { maxLength: 3 }), trailers).map(([chunks, last]) => ({
    said: "Transfer-Encoding: chunked\r\n",
    bytes: `${chunks.join("")}0\r\n${last}\r\n`,
  })),
);
const request = fc
  .record({
    ...{ method, target, body, headers: fc.array(header, { maxLength: 2 }) },
    version: fc.constantFrom("1.1", "1.1", "1.1", "1.1", "1.0"),
    host: fc.constantFrom("Host: h\r\n", "Host: h\r\n", "Host: h\r\n", ""),
    separator: fc.constantFrom("", "", "", "\r\n"),
  })
  .map(({ method, target, version, host, headers, body, separator }) => {
    const line = `${separator}${method} ${target} HTTP/${version}\r\n`;
    return `${line}${host}${headers.join("")}${body.said}\r\n${body.bytes}`;
  });
const plain = fc
  .tuple(fc.constantFrom("GET", "PUT"), body)
  .map(([verb, { said, bytes }]) => `${verb} /b/k HTTP/1.1\r\nHost: h\r\n${said}\r\n${bytes}`);
const damage = fc.record({
  at: fc.nat(1_000_000),
  removed: fc.constantFrom(0, 0, 1, 2, 5),
  put: fc.constantFrom(...TRICKS, ""),
});
/** What comes on a connection, in latin1. */
const stream = fc
  .tuple(
    fc.array(fc.oneof(plain, request), { minLength: 1, maxLength: 3 }),
    fc.array(damage, { maxLength: 2 }),
  )
  .map(([requests, damages]) => damages.reduce(damaged, requests.join("")))
  .map((text) => Buffer.from(text, "latin1"));
const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });

function damaged(
  text: string,
  { at, removed, put }: { readonly at: number; readonly removed: number; readonly put: string },
): string {
  const from = at % (text.length + 1);
  return `${text.slice(0, from)}${put}${text.slice(from + removed)}`;
}

/**
 * What llhttp takes and ours does not, each with the text of such a request from its start: of a head, or of a
 * body whose head was taken.
 */
const ON_PURPOSE: Readonly<Record<string, RegExp>> = {
  "a lone LF, or a lone CR, before a request": /^(?:\r\n)*(?:\n|\r(?!\n))/,
  "more than one space in the request line": /^(?:\r\n)*[^\r\n]*? {2}/,
  "a method for other servers":
    /^(?:\r\n)*(?:M-SEARCH|NOTIFY|SUBSCRIBE|UNSUBSCRIBE|PURGE|SOURCE|QUERY) /,
  "another version or protocol": /^(?:\r\n)*\S+ +\S+(?=\s)(?! +HTTP\/1\.[01]\r\n)/,
  "a target of no known form": /^(?:\r\n)*\S+ +(?!\/|\*|https?:\/\/[^/?#@ ]+[/? ])/i,
  "a CONNECT to no host": /^(?:\r\n)*CONNECT +[^ ]*[^\w.~:[\]%!$&'()*+,;= -]/,
  "something behind the asterisk": /^(?:\r\n)*\S+ +\*\S/,
  "no host": /^(?![\s\S]*?\r\nhost:)/i,
  "two hosts": /\r\nhost:[\s\S]*?\r\nhost:/i,
  "a coding that is not just chunked, or is said twice":
    /\r\ntransfer-encoding:(?![\t ]*chunked[\t ]*\r\n)|\r\ntransfer-encoding:[\s\S]*?\r\ntransfer-encoding:/i,
  "a coding in HTTP/1.0": /^(?:\r\n)*\S+ \S+ HTTP\/1\.0\r\n[\s\S]*?\r\ntransfer-encoding:/i,
  "a length over 2^53": /\r\ncontent-length:[\t ]*\d{16}/i,
};

/** Of a chunk's size, with extensions; llhttp takes some without a name, or quoted half-way. */
const SIZE_LINE =
  /^[0-9a-f]+(?:;[!#$%&'*+.^_`|~\w-]+(?:=(?:[!#$%&'*+.^_`|~\w-]+|"(?:[^"\\]|\\.)*"))?)*$/i;

const FRAMING_TRAILER = /\r\n0+(?:;[^\r\n]*)?\r\n(?:[^\r\n]+\r\n)*?(?:connection|host|upgrade):/i;

function hasLooseExtension(text: string): boolean {
  return text.split("\r\n").some((line) => /^[0-9a-f]+;/i.test(line) && !SIZE_LINE.test(line));
}

test("what is accepted is what llhttp reads, and what is refused beyond it is refused on purpose", () => {
  const seen = { accepted: 0, refused: 0 };
  fc.assert(
    fc.property(stream, (bytes) => {
      const [ours, theirs] = [readByOurs([bytes]), readByLlhttp(bytes, HEADER_BYTES_MAX)];

      requireSame(bytes, ours, theirs);
      seen.accepted += ours.messages.length;
      if (ours.stopped === "malformed") {
        seen.refused += 1;
        assert.ok(isOnPurpose(bytes, ours, theirs), told(bytes, ours, theirs));
      }
    }),
    runs({ short: 20_000, long: 5_000_000 }),
  );
  assert.ok(seen.accepted > 100 && seen.refused > 100, JSON.stringify(seen));
});

test("however the bytes are cut into pieces, the same requests are read, or refused", () => {
  fc.assert(
    fc.property(stream, cuts, (bytes, sizes) => {
      assert.deepEqual(readByOurs(pieces(bytes, sizes)), readByOurs([bytes]));
    }),
    runs({ short: 5_000, long: 1_000_000 }),
  );
});

function requireSame(bytes: Buffer, ours: Reading, theirs: Reading): void {
  for (const [at, message] of ours.messages.entries()) {
    assert.deepEqual(comparable(theirs, at, message), message, told(bytes, ours, theirs));
  }
}

/** Whether llhttp refuses it too, or there is a reason why we do. */
function isOnPurpose(bytes: Buffer, ours: OurReading, theirs: Reading): boolean {
  if (theirs.messages[ours.refusedAt]?.isWhole !== true || theirs.stopped === "upgrade")
    return true;
  const text = bytes.toString("latin1", ours.refusedFrom);
  // A body, when its head was taken.
  if (ours.messages.length > ours.refusedAt) {
    return hasLooseExtension(text) || FRAMING_TRAILER.test(text);
  }
  const [head = ""] = /^(?:\r\n)*[\s\S]*?\r\n\r\n/.exec(text) ?? [];
  return Object.values(ON_PURPOSE).some((pattern) => pattern.test(head));
}

function told(bytes: Buffer, ours: Reading, theirs: Reading): string {
  const sent = JSON.stringify(bytes.toString("latin1"));
  return `${sent}\nours: ${JSON.stringify(ours)}\ntheirs: ${JSON.stringify(theirs)}`;
}

/** As far as both tell: of a body that is not whole, the bytes that ours has seen. */
function comparable(
  { messages, stopped }: Reading,
  at: number,
  ours: Message,
): Message | undefined {
  const theirs = messages[at];
  // Behind it llhttp sees a tunnel, and we the last body of the connection.
  if (stopped === "upgrade" && at === messages.length - 1) {
    return theirs && { ...theirs, isWhole: ours.isWhole, body: ours.body };
  }
  if (theirs === undefined || ours.isWhole) return theirs;
  return { ...theirs, isWhole: false, body: theirs.body.slice(0, ours.body.length) };
}

function pieces(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const all: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    all.push(bytes.subarray(at, at + size));
    at += size;
  }
  return all;
}
