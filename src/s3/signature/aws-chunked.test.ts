import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeAwsChunked, readChunkedOptions } from "#s3/signature/aws-chunked.ts";
import { readClaim } from "#s3/signature/claim.ts";
import { readPayloadMode } from "#s3/signature/payload.ts";
import { verifyClaim } from "#s3/signature/verify.ts";
import { chunkedBody, type ToChunk } from "#test/support/sign.ts";

type Headers = Readonly<Record<string, string>>;

const WHO = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  nowMs: Date.UTC(2013, 4, 24),
};
const PUT = {
  ...WHO,
  method: "PUT",
  url: "https://s3.amazonaws.com/examplebucket/chunkObject.txt",
};
const TRAILERS = { "x-amz-checksum-crc32": "DUoRhQ==" };
const MODES = ["signed", "signed-trailer", "unsigned-trailer"] as const;

/** The examples of AWS's documentation: 66,560 times "a" in chunks of 65,536. */
const PUBLISHED = [
  {
    title: "a chunked upload",
    headers: {
      "content-encoding": "aws-chunked",
      "content-length": "66824",
      "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
      authorization:
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class,Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
    },
    signatures: [
      "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
      "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
      "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
    ],
    end: "",
  },
  {
    title: "a chunked upload with a trailer",
    headers: {
      "content-encoding": "aws-chunked",
      "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
      "x-amz-trailer": "x-amz-checksum-crc32c",
      authorization:
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer,Signature=106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
    },
    signatures: [
      "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
      "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
      "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
    ],
    end: "x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n",
  },
];
for (const { title, headers, signatures, end } of PUBLISHED) {
  test(`decodes AWS's example of ${title}`, async () => {
    const [first, second, last] = signatures;
    const [long, short] = ["a".repeat(65_536), "a".repeat(1024)];
    const body = `10000;chunk-signature=${first}\r\n${long}\r\n400;chunk-signature=${second}\r\n${short}\r\n0;chunk-signature=${last}\r\n${end}\r\n`;
    const common = {
      host: "s3.amazonaws.com",
      "x-amz-date": "20130524T000000Z",
      "x-amz-decoded-content-length": "66560",
      "x-amz-storage-class": "REDUCED_REDUNDANCY",
    };
    const { payload, trailers } = await decode({ ...common, ...headers }, [Buffer.from(body)]);
    assert.equal(payload, long + short);
    assert.equal(trailers.get("x-amz-checksum-crc32c"), end === "" ? undefined : "sOO8/Q==");
  });
}

test("decodes what minio-go sends: trailers that end with LF before their CRLF", async () => {
  const { headers, body } = chunked({ mode: "signed-trailer" });
  const text = body.toString("latin1").replace("==\r\nx-amz", "==\n\r\nx-amz");
  assert.equal((await decode(headers, [Buffer.from(text, "latin1")])).trailers.size, 1);
});

test("decodes chunk headers with spaces about their separators", async () => {
  const { headers, body } = chunked({ mode: "signed" });
  const text = body.toString("latin1").replaceAll(";chunk-signature=", " ; chunk-signature = ");
  await decode(headers, [Buffer.from(text, "latin1")]);
});

for (const mode of MODES) {
  test(`decodes any payload in ${mode} chunks, however the stream is cut`, async () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 40_000 }), cuts, async (bytes, sizes) => {
        const { headers, body } = chunked({ mode, body: bytes, chunkBytes: 8192 });
        const { payload, trailers } = await decode(headers, pieces(body, sizes));
        assert.equal(payload, Buffer.from(bytes).toString("latin1"));
        assert.deepEqual(Object.fromEntries(trailers), mode === "signed" ? {} : TRAILERS);
      }),
      { numRuns: 40 },
    );
  });

  test(`refuses ${mode} chunks that end at any byte too early`, async () => {
    const { headers, body } = chunked({ mode });
    for (let length = 0; length < body.length; length += 1) {
      const cut = decode(headers, [body.subarray(0, length)]);
      await assert.rejects(cut, { code: "IncompleteBody" }, `${length} bytes`);
    }
  });

  test(`refuses bytes after the end of ${mode} chunks`, async () => {
    const { headers, body } = chunked({ mode });
    await assert.rejects(decode(headers, [body, Buffer.from("\r\n")]), {
      code: "MalformedTrailerError",
    });
  });
}

for (const mode of ["signed", "signed-trailer"] as const) {
  test(`refuses ${mode} chunks with any byte changed`, async () => {
    const { headers, body } = chunked({ mode });
    for (let at = 0; at < body.length; at += 1) {
      const changed = Buffer.from(body);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const expected = ["IncompleteBody", "MalformedTrailerError", "SignatureDoesNotMatch"];
      await assert.rejects(decode(headers, [changed]), ({ code }: { code: string }) =>
        expected.includes(code),
      );
    }
  });
}

test("a signed chunk whose bytes were changed fails the body before its end", async () => {
  const bytes = Buffer.alloc(16_384, "a");
  const { headers, body } = chunked({ mode: "signed", body: bytes, chunkBytes: 8192 });
  body.write("b", 8192 + 300);
  let doneBytes = 0;
  const reading = async () => {
    for await (const slice of open(headers, [body])) doneBytes += slice.length;
  };
  await assert.rejects(reading, (error: { code: string; detail: Headers }) => {
    assert.equal(error.code, "SignatureDoesNotMatch");
    assert.match(
      error.detail["StringToSign"] ?? "",
      /^AWS4-HMAC-SHA256-PAYLOAD\n20130524T000000Z\n/,
    );
    assert.match(error.detail["CanonicalRequest"] ?? "", /^PUT\n\/examplebucket/);
    return true;
  });
  assert.equal(doneBytes, 16_384, "no byte is held back");
});

test("every signed chunk but the last has 8,192 bytes or more, and a chunk may be of any size", async () => {
  const small = chunked({ mode: "signed", body: Buffer.alloc(16_000), chunkBytes: 8191 });
  await assert.rejects(decode(small.headers, [small.body]), {
    code: "InvalidChunkSizeError",
    detail: { Chunk: "2", BadChunkSize: "8191" },
  });
  const large = chunked({ mode: "signed", body: Buffer.alloc(2 ** 24 + 1), chunkBytes: 2 ** 25 });
  const { payload } = await decode(large.headers, [large.body]);
  assert.equal(payload.length, 2 ** 24 + 1);
});

test("chunks in another order are refused", async () => {
  const bytes = Buffer.concat([Buffer.alloc(8192, "a"), Buffer.alloc(8192, "b")]);
  const { headers, body } = chunked({ mode: "signed", body: bytes, chunkBytes: 8192 });
  const chunkBytes = 8192 + "2000;chunk-signature=".length + 64 + 4;
  const [first, second] = [body.subarray(0, chunkBytes), body.subarray(chunkBytes, 2 * chunkBytes)];
  const swapped = [second, first, body.subarray(2 * chunkBytes)];
  await assert.rejects(decode(headers, swapped), { code: "SignatureDoesNotMatch" });
});

function chunked(given: Partial<ToChunk> & Pick<ToChunk, "mode">) {
  const trailers = given.mode === "signed" ? {} : TRAILERS;
  return chunkedBody({ ...PUT, body: "hello world", trailers, ...given });
}

function open(headers: Headers, source: readonly Uint8Array[]) {
  const request = { method: "PUT", path: "/examplebucket/chunkObject.txt", query: "", headers };
  const claim = readClaim(request);
  const options = { secret: WHO.secret, nowMs: WHO.nowMs, skewMsMax: 0 };
  const verified = claim && verifyClaim(request, claim, options);
  const payload = readPayloadMode(headers["x-amz-content-sha256"] ?? "");
  assert.ok(payload.kind === "chunked");
  return decodeAwsChunked(stream(source), readChunkedOptions(headers, payload, verified));
}

async function decode(headers: Headers, source: readonly Uint8Array[]) {
  const body = open(headers, source);
  let payload = "";
  for await (const slice of body) payload += Buffer.from(slice).toString("latin1");
  return { payload, trailers: body.trailers };
}

async function* stream(source: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  for (const piece of source) yield piece;
}

/** `body` in pieces of the given sizes, over and over. */
function pieces(body: Buffer, sizes: readonly number[]): Buffer[] {
  const result: Buffer[] = [];
  for (let from = 0; from < body.length; from += result.at(-1)?.length ?? 0) {
    result.push(body.subarray(from, from + (sizes[result.length % sizes.length] ?? 1)));
  }
  return result;
}
