/** Forms: what comes out is what went in, as another reader has it too, or nothing that counts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { S3Error } from "#base/error.ts";
import { readForm } from "#s3/form/form-reader.ts";
import { orRefusedLater, REFUSED } from "#test/fuzz/refusal.ts";
import { damaged, nastyText, REPEATED } from "#test/fuzz/text.ts";
import { BOUNDARY, type Field, multipart } from "#test/support/form.ts";
import { runs } from "#test/support/runs.ts";

/** Bytes that look like a boundary, or do not. */
const FILE_PIECES = [
  ...["\r", "\n", "\r\n", "-", "--", "\r\n--", `\r\n--${BOUNDARY.slice(0, -1)}`, `\n--${BOUNDARY}`],
  ...[BOUNDARY, "\u0000", "bytes", "x".repeat(5_000), "\r".repeat(700)],
];
const boundary = fc.constantFrom(BOUNDARY, "b", "-", "--", "'()+_,./:=?", "x".repeat(70));
/** Nothing in it is spelled in two ways. */
const plainName = fc.string({
  unit: fc.constantFrom(..."aZ09-_ é$.[]"),
  minLength: 1,
  maxLength: 9,
});
const name = plainName.filter((text) => text !== "file" && text === text.toLowerCase());
const form = fc
  .record({
    fields: fc.uniqueArray(fc.tuple(name, nastyText), { maxLength: 6, selector: ([key]) => key }),
    behind: fc.array(fc.tuple(name, nastyText), { maxLength: 2 }),
    file: fc.array(fc.constantFrom(...FILE_PIECES), { maxLength: 8 }).map((all) => all.join("")),
    filename: plainName,
    boundary,
    end: fc.constantFrom("\r\n", "", "\r\nbehind"),
  })
  .map((given) => ({ ...given, fields: given.fields.map(wellFormed) }))
  // A form is what it is only when its boundary is nowhere else.
  .filter(({ fields, behind, file, ...rest }) => {
    const texts = [...[...fields, ...behind].map(([, value]) => value), file];
    return !texts.some((text) => `\r\n${text}\r\n`.includes(`\r\n--${rest.boundary}`));
  })
  .map(({ fields, behind, file, ...how }) => {
    const { body } = multipart([...fields, ["file", file], ...behind], how);
    return { fields, file: Buffer.from(file), body, ...how };
  });
const cuts = fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 8 });

function wellFormed([key, value]: Field): Field {
  return [key, value.toWellFormed()];
}

test("a form comes out as it went in, wherever the connection cuts it", async () => {
  await fc.assert(
    fc.asyncProperty(form, cuts, async (given, sizes) => {
      const read = await readAll(given, given.body, sizes);

      assert.deepEqual([...read.fields], given.fields);
      assert.equal(read.filename, given.filename);
      assert.ok(read.file.equals(given.file));
    }),
    runs({ short: 500, long: 200_000 }),
  );
});

test("a damaged form is refused, or read as another reader reads it", async () => {
  const hurt = form.chain((given) => fc.tuple(fc.constant(given), damaged(given.body), cuts));
  let [refused, agreed] = [0, 0];
  await fc.assert(
    fc.asyncProperty(hurt, async ([given, body, sizes]) => {
      const read = await orRefusedLater(() => readAll(given, body, sizes));
      if (read === REFUSED) {
        refused += 1;
        return;
      }
      const other = await byFetch(given.boundary, body);
      // It is stricter about heads, and never takes a form that goes on behind its end.
      if (other === undefined) return;
      agreed += 1;
      assert.deepEqual([...read.fields], other.fields);
      assert.ok(read.file.equals(other.file));
    }),
    runs({ short: 1_000, long: 500_000 }),
  );
  assert.ok(refused > 50 && agreed > 50, `${refused} refused, ${agreed} agreed`);
});

test("a form that is cut is refused, wherever it is", async () => {
  const { body } = multipart(
    [
      ["key", "x"],
      ["file", "bytes\r\n-"],
    ],
    { end: "" },
  );
  for (let at = 0; at < body.length; at += 1) {
    const sent = body.subarray(0, at);
    async function* cut() {
      yield sent;
      throw new S3Error("IncompleteBody", {});
    }
    const cutOff = { boundary: BOUNDARY, sizeBytes: body.length, chunks: cut() };
    await assert.rejects(readWhole(cutOff), { code: "IncompleteBody" });
    // As it is when the length said no more.
    const short = { boundary: BOUNDARY, sizeBytes: at, chunks: toAsync(pieces(sent, [7])) };
    await assert.rejects(readWhole(short), { code: "MalformedPOSTRequest" });
  }
});

test("however long its framing is, a form is refused soon", { timeout: 30_000 }, async () => {
  const { body } = multipart([["key", "x"]], { boundary: "b" });
  const starts = [
    "",
    "--b\r\n",
    '--b\r\nContent-Disposition: form-data; name="',
    body.toString().slice(0, -8),
  ];
  for (const piece of [...REPEATED, "--b\r\n", "\r\n--b\r\n\r\n", '; a="\\', "a: b\r\n"]) {
    const long = Buffer.from(piece.repeat(500_000 / piece.length));
    for (const start of starts) {
      const bytes = Buffer.concat([Buffer.from(start), long]);
      let read = 0;
      async function* source() {
        for (const each of pieces(bytes, [1_000])) {
          read += each.length;
          yield each;
        }
      }
      const given = { boundary: "b", sizeBytes: bytes.length, chunks: source() };
      await assert.rejects(readForm(given), S3Error);
      assert.ok(read < 22_000, `${read} bytes were read`);
    }
  }
});

interface Read {
  readonly fields: ReadonlyMap<string, string>;
  readonly filename: string;
  readonly file: Buffer;
}

async function readAll(
  given: { readonly boundary: string },
  body: Buffer,
  sizes: readonly number[],
): Promise<Read> {
  const chunks = toAsync(pieces(body, sizes));
  return await readWhole({ boundary: given.boundary, sizeBytes: body.length, chunks });
}

async function readWhole(source: Parameters<typeof readForm>[0]): Promise<Read> {
  const { fields, file } = await readForm(source);
  const read: Uint8Array[] = [];
  for await (const chunk of file.chunks) read.push(chunk);
  const bytes = Buffer.concat(read);
  assert.ok(file.sizeBytesMin <= bytes.length && bytes.length <= file.sizeBytesMax);
  return { fields, filename: file.name, file: bytes };
}

/** The same by the reader of Node's fetch, as far as the file; undefined when it refuses it. */
async function byFetch(boundary: string, body: Buffer) {
  try {
    const headers = { "content-type": `multipart/form-data; boundary="${boundary}"` };
    const parts = [...(await new Response(new Uint8Array(body), { headers }).formData())];
    const at = parts.findIndex(([key]) => key.toLowerCase() === "file");
    const value = parts[at]?.[1] ?? "";
    const file =
      typeof value === "string" ? Buffer.from(value) : Buffer.from(await value.arrayBuffer());
    const fields = parts.slice(0, at).map(([key, text]) => [key.toLowerCase(), text]);
    if (at < 0 || fields.some(([, text]) => typeof text !== "string")) return undefined;
    return { fields, file };
  } catch {
    return undefined;
  }
}

async function* toAsync(chunks: Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* chunks;
}

function* pieces(bytes: Buffer, sizes: readonly number[]): Generator<Buffer, void, undefined> {
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}
