/** aws-chunked bodies: what comes out is what went in, or nothing that counts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { S3Error } from "#base/error.ts";
import { decodeAwsChunked, readChunkedOptions } from "#s3/signature/aws-chunked.ts";
import { readClaim } from "#s3/signature/claim.ts";
import { verifyClaim } from "#s3/signature/verify.ts";
import { orRefusedLater, REFUSED } from "#test/fuzz/refusal.ts";
import { damaged, REPEATED } from "#test/fuzz/text.ts";
import { runs } from "#test/support/runs.ts";
import { chunkedBody, type ToChunk } from "#test/support/sign.ts";

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
const WHO = { accessKeyId: "AKID", secret: "secret", nowMs: NOW_MS };
const URL = "http://127.0.0.1:9000/bucket/key";

const upload = fc
  .record({
    mode: fc.constantFrom<ToChunk["mode"][]>("signed", "signed-trailer", "unsigned-trailer"),
    body: fc
      .tuple(fc.constantFrom(0, 1, 100, 8_191, 8_192, 8_193, 20_000), fc.nat(255))
      .map(([size, seed]) => Buffer.alloc(size, `${seed} `)),
    chunkBytes: fc.constantFrom(8_192, 8_200, 65_536),
    sum: fc.base64String({ minLength: 8, maxLength: 8 }),
  })
  .map(({ sum, ...given }): ToChunk => {
    const trailers = given.mode === "signed" ? {} : { "x-amz-checksum-crc32": sum };
    return { ...WHO, method: "PUT", url: URL, ...given, trailers };
  });
/** Where a connection cuts what is sent. */
const cuts = fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 8 });

test("a body comes out as it went in, wherever the connection cuts it", async () => {
  await fc.assert(
    fc.asyncProperty(upload, cuts, async (given, sizes) => {
      const decoded = await decode(given, (bytes) => pieces(bytes, sizes));

      assert.ok(decoded.bytes.equals(Buffer.from(given.body)));
      assert.deepEqual(Object.fromEntries(decoded.trailers), given.trailers);
    }),
    runs({ short: 300, long: 50_000 }),
  );
});

test("a damaged body is refused, unless it still says what was signed", async () => {
  const hurt = upload.chain((given) =>
    fc.tuple(fc.constant(given), damaged(chunkedBody(given).body), cuts),
  );
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(hurt, async ([given, bytes, sizes]) => {
      const decoded = await orRefusedLater(() => decode(given, () => pieces(bytes, sizes)));
      if (decoded === REFUSED) {
        refused += 1;
        return;
      }
      assert.equal(decoded.bytes.length, Buffer.from(given.body).length);
      // Nothing but the digest in the trailer vouches for the bytes of unsigned chunks.
      if (given.mode === "unsigned-trailer") return;
      assert.ok(decoded.bytes.equals(Buffer.from(given.body)));
      assert.deepEqual(Object.fromEntries(decoded.trailers), given.trailers);
    }),
    runs({ short: 300, long: 200_000 }),
  );
  assert.ok(refused > 100);
});

test("whatever is sent, no more comes out than was announced, and the connection is let go", async () => {
  const frame = fc.constantFrom(
    ...["0", "1", "a", "ffffffffffff", "10", ";chunk-signature=", "\r\n", "\n", "\r", "x", " "],
    ...["0\r\n\r\n", "x-amz-checksum-crc32:AAAAAA==", ":", "0;chunk-signature=", "\r\n\r\n"],
  );
  const bytes = fc.array(frame, { maxLength: 20 }).map((all) => Buffer.from(all.join("")));
  await fc.assert(
    fc.asyncProperty(upload, bytes, cuts, async (given, sent, sizes) => {
      let letGo = false;
      async function* source() {
        try {
          yield* pieces(sent, sizes);
        } finally {
          letGo = true;
        }
      }
      const decoded = await orRefusedLater(() => decode(given, source));

      assert.ok(letGo);
      if (decoded !== REFUSED) assert.equal(decoded.bytes.length, Buffer.from(given.body).length);
    }),
    runs({ short: 300, long: 200_000 }),
  );
});

test("however long its framing is, it is refused soon", { timeout: 30_000 }, async () => {
  const given: ToChunk = { ...WHO, method: "PUT", url: URL, body: "x", mode: "unsigned-trailer" };
  const announced = { ...given, trailers: { "x-amz-checksum-crc32": "AAAAAA==" } };
  for (const piece of REPEATED) {
    const long = Buffer.from(piece.repeat(500_000 / piece.length));
    for (const start of ["", "1\r\nx\r\n0\r\n"]) {
      let read = 0;
      async function* source() {
        for (const each of pieces(Buffer.concat([Buffer.from(start), long]), [1_000])) {
          read += each.length;
          yield each;
        }
      }
      await assert.rejects(decode(announced, source), S3Error);
      assert.ok(read < 10_000, `${read} bytes were read`);
    }
  }
});

async function decode(
  given: ToChunk,
  source: (bytes: Buffer) => Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
) {
  const { headers, body } = chunkedBody(given);
  const request = { method: "PUT", path: "/bucket/key", query: "", headers };
  const claim = readClaim(request);
  assert.ok(claim?.payload.kind === "chunked");
  const verified = verifyClaim(request, claim, { ...WHO, skewMsMax: 900_000 });
  const options = readChunkedOptions(headers, claim.payload, verified);
  async function* sent() {
    yield* source(body);
  }
  const decoded = decodeAwsChunked(sent(), options);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of decoded) {
    chunks.push(Buffer.from(chunk));
    bytes += chunk.length;
    assert.ok(bytes <= options.decodedLengthBytes);
  }
  return { bytes: Buffer.concat(chunks), trailers: decoded.trailers };
}

function* pieces(bytes: Buffer, sizes: readonly number[]): Generator<Buffer, void, undefined> {
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}
