import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeAwsChunked, readChunkedOptions } from "#s3/signature/aws-chunked.ts";
import { readPayloadMode } from "#s3/signature/payload.ts";

const UNSIGNED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
const CRC32 = "x-amz-checksum-crc32";

test("decodes what boto3 sends over HTTPS", async () => {
  assert.deepEqual(
    await read(tail(`${CRC32}:DUoRhQ==\r\n`), CRC32),
    new Map([[CRC32, "DUoRhQ=="]]),
  );
});

test("decodes what minio-go sends: trailers that end with LF before their CRLF", async () => {
  const trailers = await read(tail(`${CRC32}:DUoRhQ==\n\r\n`), CRC32);
  assert.deepEqual(trailers, new Map([[CRC32, "DUoRhQ=="]]));
});

test("unsigned chunks are passed on as they come, as views", async () => {
  const pieceOfStream = Buffer.from("b\r\nhello");
  async function* source() {
    yield pieceOfStream;
    throw new Error("the decoder waited for more");
  }
  const [slice] = await firstOf(decodeAwsChunked(source(), options({})));
  assert.equal(Buffer.from(slice ?? []).toString(), "hello");
  assert.equal(slice?.buffer, pieceOfStream.buffer);
});

test("short chunks that are here as a whole come as one run of bytes, and one alone as a view", async () => {
  const together = Buffer.from("1\r\nh\r\n000004  \r\nello\r\n1 \r\n \r\n5\r\nworld\r\n0\r\n\r\n");
  const alone = Buffer.from("b\r\nhello world\r\n0\r\n\r\n");

  const runs = await slices(together);
  const views = await slices(alone);

  assert.deepEqual(runs.map(String), ["hello world"]);
  assert.deepEqual(views.map(String), ["hello world"]);
  assert.equal(views[0]?.buffer, alone.buffer);
});

test("chunks of any size are decoded, long and short in any order, however the stream is cut", async () => {
  const sizes = fc.array(
    fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9_000 })),
  );
  const cuts = fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 10 });
  await fc.assert(
    fc.asyncProperty(sizes, cuts, async (lengths, pieces) => {
      const bodies = lengths.map((length, at) => Buffer.alloc(length, at));
      const framed = bodies.map((body) => [`${body.length.toString(16)}\r\n`, body, "\r\n"]);
      const parts = [...framed.flat(), "0\r\n\r\n"].map((part) => Buffer.from(part));
      const whole = Buffer.concat(bodies);

      const read = await slices(Buffer.concat(parts), { pieces, sizeBytes: whole.length });

      assert.ok(Buffer.concat(read).equals(whole));
    }),
    { numRuns: 100 },
  );
});

test("the source is returned when reading stops early", async () => {
  let returned = false;
  async function* source() {
    try {
      yield Buffer.from("b\r\nhello world\r\n");
    } finally {
      returned = true;
    }
  }
  await firstOf(decodeAwsChunked(source(), options({})));
  assert.ok(returned);
});

type Refusal = readonly [why: string, announced: string, body: string, code: string];

const REFUSED: readonly Refusal[] = [
  ["a payload shorter than announced", "", "a\r\nhello worl\r\n0\r\n\r\n", "IncompleteBody"],
  ["a payload longer than announced", "", "c\r\nhello world!\r\n0\r\n\r\n", "IncompleteBody"],
  [
    "an end before the payload's",
    "",
    "1\r\nh\r\n0\r\n\r\na\r\nello world\r\n0\r\n\r\n",
    "IncompleteBody",
  ],
  ["no frames", "", "hello world", "IncompleteBody"],
  ["LF for CRLF", "", "b\nhello world\n0\n\n", "IncompleteBody"],
  ["a negative size", "", "-b\r\nhello world\r\n0\r\n\r\n", "IncompleteBody"],
  ["a size beyond counting", "", `${"f".repeat(13)}\r\nhello`, "IncompleteBody"],
  ["a header without end", "", "0".repeat(300), "IncompleteBody"],
  ["a chunk without its CRLF", "", "b\r\nhello worldxx0\r\n\r\n", "IncompleteBody"],
  ["a later chunk without its CRLF", "", "5\r\nhello\r\n6\r\n worldxx0\r\n\r\n", "IncompleteBody"],
  [
    "short chunks longer than announced",
    "",
    "6\r\nhello \r\n6\r\nworld!\r\n0\r\n\r\n",
    "IncompleteBody",
  ],
  ["a size with other digits", "", "5\r\nhello\r\n6g\r\n world\r\n0\r\n\r\n", "IncompleteBody"],
  ["a size of no digits", "", "5\r\nhello\r\n  \r\n world\r\n0\r\n\r\n", "IncompleteBody"],
  ["a size of 13 digits", "", `${"0".repeat(12)}b\r\nhello world\r\n0\r\n\r\n`, "IncompleteBody"],
  [
    "a header of 300 bytes",
    "",
    `b${" ".repeat(299)}\r\nhello world\r\n0\r\n\r\n`,
    "IncompleteBody",
  ],
  [
    "an announced trailer that does not come",
    CRC32,
    "b\r\nhello world\r\n0\r\n\r\n",
    "MalformedTrailerError",
  ],
  ["a trailer nobody announced", "", tail(`${CRC32}:DUoRhQ==\r\n`), "MalformedTrailerError"],
  [
    "another trailer than announced",
    `${CRC32}c`,
    tail(`${CRC32}:DUoRhQ==\r\n`),
    "MalformedTrailerError",
  ],
  [
    "a further trailer",
    CRC32,
    tail(`${CRC32}:DUoRhQ==\r\nx-amz-meta-a:b\r\n`),
    "MalformedTrailerError",
  ],
  ["a trailer twice", CRC32, tail(`${CRC32}:a\r\n${CRC32}:b\r\n`), "MalformedTrailerError"],
  ["a trailer without a name", CRC32, tail(":DUoRhQ==\r\n"), "MalformedTrailerError"],
  ["a trailer without a colon", CRC32, tail(`${CRC32}\r\n`), "MalformedTrailerError"],
  [
    "a trailer after the empty line",
    CRC32,
    tail(`\r\n${CRC32}:DUoRhQ==\r\n`),
    "MalformedTrailerError",
  ],
  [
    "a signature of trailers in unsigned chunks",
    "",
    tail("x-amz-trailer-signature:0\r\n"),
    "MalformedTrailerError",
  ],
  ["trailers without end", CRC32, tail(`${CRC32}:${"a".repeat(5000)}\r\n`), "IncompleteBody"],
  [
    "many trailers",
    CRC32,
    tail(Array.from({ length: 999 }, (_, at) => `x-${at}:1\r\n`).join("")),
    "IncompleteBody",
  ],
];
for (const [why, announced, body, code] of REFUSED) {
  test(`refuses unsigned chunks with ${why}`, async () => {
    await assert.rejects(read(body, announced), { name: "S3Error", code });
  });
}

test("names of trailers are read in any case, announced with stray commas and spaces", async () => {
  const body = tail("X-Amz-Checksum-CRC32 : DUoRhQ== \r\n");
  const trailers = await read(body, "X-Amz-Checksum-Crc32, ,");
  assert.deepEqual([...trailers], [[CRC32, "DUoRhQ=="]]);
});

test("only checksums may be announced", () => {
  for (const announced of ["x-amz-meta-a", `${CRC32},content-md5`, "x-amz-trailer-signature"]) {
    assert.throws(() => options({ "x-amz-trailer": announced }), {
      code: "InvalidRequest",
      message: "The value specified in the x-amz-trailer header is not supported",
    });
  }
});

test("the length of the payload must be given as a number", () => {
  const name = "x-amz-decoded-content-length";
  for (const length of [undefined, "", "-1", "1.5", "0x1", "12x", "1".repeat(16)]) {
    assert.throws(() => options({ [name]: length }), { code: "MissingContentLength" });
  }
});

test("signed chunks need a signed request", () => {
  assert.throws(() => options({}, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), {
    code: "InvalidRequest",
  });
});

async function firstOf(body: AsyncIterable<Uint8Array>): Promise<readonly Uint8Array[]> {
  for await (const slice of body) return [slice];
  return [];
}

/** What comes out of a body that comes in as `pieces`, in turn again and again. */
async function slices(body: Buffer, how: { pieces?: readonly number[]; sizeBytes?: number } = {}) {
  const { pieces = [body.length], sizeBytes = 11 } = how;
  async function* source() {
    for (let at = 0, turn = 0; at < body.length; turn += 1) {
      const length = pieces[turn % pieces.length] ?? body.length;
      yield body.subarray(at, at + length);
      at += length;
    }
  }
  const read: Buffer[] = [];
  const length = { "x-amz-decoded-content-length": String(sizeBytes) };
  for await (const slice of decodeAwsChunked(source(), options(length))) {
    read.push(Buffer.from(slice.buffer, slice.byteOffset, slice.length));
  }
  return read;
}

function tail(trailers: string): string {
  return `b\r\nhello world\r\n0\r\n${trailers}\r\n`;
}

async function read(body: string, announced: string): Promise<ReadonlyMap<string, string>> {
  async function* source() {
    yield Buffer.from(body);
  }
  const decoded = decodeAwsChunked(source(), options({ "x-amz-trailer": announced }));
  for await (const slice of decoded) assert.ok(slice.length > 0);
  return decoded.trailers;
}

function options(headers: Readonly<Record<string, string | undefined>>, mode = UNSIGNED) {
  const payload = readPayloadMode(mode);
  assert.ok(payload.kind === "chunked");
  return readChunkedOptions(
    { "x-amz-decoded-content-length": "11", ...headers },
    payload,
    undefined,
  );
}
