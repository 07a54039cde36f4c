/** How a form is written: what is one, and what is none. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { post, postBody, postUnsigned } from "#test/s3/post-form.ts";
import { assertRefused, only } from "#test/s3/xml.ts";
import { BOUNDARY, multipart } from "#test/support/form.ts";
import { startServer, type TestServer } from "#test/support/server.ts";

const TYPE = { "content-type": `multipart/form-data; boundary=${BOUNDARY}` };
const NAMED = (name: string) => `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"`;
const KEY = `${NAMED("key")}\r\n\r\nkey\r\n`;
const FILE = `${NAMED("file")}; filename="f"\r\n\r\nbytes`;
const END = `\r\n--${BOUNDARY}--\r\n`;

const part = (head: string) => `--${BOUNDARY}\r\n${head}\r\n\r\nx\r\n`;
const many = (count: number) =>
  Array.from({ length: count }, (_, at) =>
    part(`Content-Disposition: form-data; name="f${at}"`),
  ).join("");

/** Everybody may write, so that a form of two fields does. */
async function open(s3: TestServer): Promise<void> {
  const Resource = ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"];
  const statement = { Effect: "Allow", Principal: "*", Action: "s3:*", Resource };
  const body = JSON.stringify({ Version: "2012-10-17", Statement: statement });
  assert.equal((await s3.request({ method: "PUT", path: "/bucket?policy", body })).status, 204);
}

const QUOTED = { "content-type": `Multipart/Form-Data; charset=utf-8; Boundary="${BOUNDARY}"` };
/** Bodies that are a form with the file "bytes" for the key "key". */
const FORMS: Readonly<
  Record<string, readonly [body: string, headers?: Readonly<Record<string, string>>]>
> = {
  "as browsers write it": [KEY + FILE + END],
  "with a boundary in quotes": [KEY + FILE + END, QUOTED],
  "without a line break at its end": [KEY + FILE + END.trimEnd()],
  "with a line break before it and text behind it": [`\r\n${KEY}${FILE}${END}behind`],
  "with fields behind the file, and even another file": [
    `${KEY}${FILE}\r\n${NAMED("key")}\r\n\r\nother\r\n${FILE}${END}`,
  ],
  "with names in capitals": [
    KEY.replace('"key"', '"KEY"') + FILE.replace('"file"', '"FILE"') + END,
  ],
  "with further headers in its parts": [
    KEY.replace(
      "\r\n\r\n",
      "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: binary\r\nX: y\r\n\r\n",
    ) +
      FILE +
      END,
  ],
  "with 100 fields": [many(99) + KEY + FILE + END],
  "with names that are not in quotes": [(KEY + FILE).replaceAll(/"(key|file)"/g, "$1") + END],
  "with a name for each field as if it were a file": [
    KEY.replace('"key"', '"key"; filename="key"') + FILE + END,
  ],
};
for (const [how, [body, headers = TYPE]] of Object.entries(FORMS)) {
  test(`PostObject takes a form ${how}`, async (t) => {
    const s3 = await startServer(t);
    await open(s3);

    const reply = await postBody(s3, { body, headers });

    assert.equal(reply.status, 204, reply.text);
    assert.equal((await s3.get("/bucket/key")).text, "bytes");
    assert.equal((await s3.get("/bucket")).text.split("<Contents>").length, 2);
  });
}

/** Bodies that are none, whatever they are called. */
const MALFORMED: Readonly<Record<string, string>> = {
  "is empty": "",
  "has no boundary": "key=key",
  "has another boundary": (KEY + FILE + END).replaceAll(BOUNDARY, "other"),
  "begins with something else": `before\r\n${KEY}${FILE}${END}`,
  "is not closed": KEY + FILE,
  "ends in a field": `${KEY}${NAMED("acl")}\r\n\r\npriv`,
  "ends in the head of a part": `${KEY}--${BOUNDARY}\r\nContent-Disp`,
  "ends in a boundary": `${KEY}${FILE}\r\n--${BOUNDARY}`,
  "goes on behind a boundary": `${KEY}${FILE}\r\n--${BOUNDARY}x`,
  "has more than a boundary in a line": `${KEY}--${BOUNDARY} \r\n${FILE}${END}`,
  "has a header in the line of a boundary": `--${BOUNDARY}X: y\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n${KEY}${FILE}${END}`,
  "has a part without a head": `${KEY}--${BOUNDARY}\r\n\r\nx\r\n${FILE}${END}`,
  "has a part without a name": part("Content-Disposition: form-data") + KEY + FILE + END,
  "has a part with an empty name":
    part('Content-Disposition: form-data; name=""') + KEY + FILE + END,
  "has a part with two names":
    part('Content-Disposition: form-data; name="a"; name="b"') + KEY + FILE + END,
  "has a part of another kind":
    part('Content-Disposition: attachment; name="a"') + KEY + FILE + END,
  "has a part that is named twice":
    part('Content-Disposition: form-data; name="a"\r\nContent-Disposition: form-data; name="b"') +
    KEY +
    FILE +
    END,
  "has a line without a colon in a head":
    part('Content-Disposition: form-data; name="a"\r\nx') + KEY + FILE + END,
  "has a quote that does not end":
    part('Content-Disposition: form-data; name="a') + KEY + FILE + END,
  "has a field in another coding":
    part('Content-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64') +
    KEY +
    FILE +
    END,
  "has 101 fields": many(100) + KEY + FILE + END,
};
for (const [what, body] of Object.entries(MALFORMED)) {
  test(`PostObject refuses a form that ${what} with MalformedPOSTRequest`, async (t) => {
    const s3 = await startServer(t);
    await open(s3);

    assertRefused(await postBody(s3, { body, headers: TYPE }), 400, "MalformedPOSTRequest");

    assertRefused(await s3.get("/bucket/key"), 404, "NoSuchKey");
  });
}

test("PostObject refuses a form with a field that is not UTF-8", async (t) => {
  const s3 = await startServer(t);
  const body = Buffer.from(`${NAMED("key")}\r\n\r\n\xff\r\n${FILE}${END}`, "latin1");

  assertRefused(await postBody(s3, { body, headers: TYPE }), 400, "MalformedPOSTRequest");
});

test("PostObject refuses a body that is no form with PreconditionFailed", async (t) => {
  const s3 = await startServer(t);
  const types = [
    "application/x-www-form-urlencoded",
    "multipart/mixed; boundary=a",
    "multipart/form-data-x",
    "",
  ];

  for (const type of types) {
    const reply = await postBody(s3, { body: KEY + FILE + END, headers: { "content-type": type } });
    assertRefused(reply, 412, "PreconditionFailed");
    const condition = "Bucket POST must be of the enclosure-type multipart/form-data";
    assert.equal(only(reply.text, "Condition"), condition);
  }
});

test("PostObject refuses a form whose boundary is not given, or is none", async (t) => {
  const s3 = await startServer(t);
  const boundaries = [
    "",
    "; boundary=",
    '; boundary=""',
    `; boundary=${"a".repeat(71)}`,
    '; boundary="a',
    "; boundary=a b",
  ];

  for (const boundary of boundaries) {
    const headers = { "content-type": `multipart/form-data${boundary}` };
    assertRefused(
      await postBody(s3, { body: KEY + FILE + END, headers }),
      400,
      "MalformedPOSTRequest",
    );
  }
});

test("PostObject refuses a form without a file", async (t) => {
  const s3 = await startServer(t);

  const reply = await postBody(s3, { body: `${KEY}--${BOUNDARY}--`, headers: TYPE });

  assertRefused(reply, 400, "InvalidArgument");
  assert.equal(only(reply.text, "ArgumentName"), "file");
  assert.equal(only(reply.text, "ArgumentValue"), "0");
});

test("PostObject refuses a form whose key is missing, empty, or behind the file", async (t) => {
  const s3 = await startServer(t);
  const empty = KEY.replace("\r\n\r\nkey", "\r\n\r\n");
  const late = `${FILE}\r\n${KEY}`;

  for (const body of [FILE + END, empty + FILE + END, late + END]) {
    const reply = await postBody(s3, { body, headers: TYPE });
    assertRefused(reply, 400, "InvalidArgument");
    assert.equal(only(reply.text, "ArgumentName"), "key");
  }
});

test("PostObject refuses a form with a field that is there twice, in whatever case", async (t) => {
  const s3 = await startServer(t);
  await open(s3);

  const reply = await postUnsigned(s3, [
    ["key", "a"],
    ["acl", "private"],
    ["KEY", "b"],
  ]);

  assertRefused(reply, 400, "InvalidArgument");
  assert.equal(only(reply.text, "ArgumentName"), "KEY");
});

test("PostObject takes 20 KiB beside the file, and refuses a byte more", async (t) => {
  const s3 = await startServer(t);
  await open(s3);
  const around = (fill: string) => ({
    before: [
      ["key", "key"],
      ["x-ignore-a", fill],
    ] as const,
    behind: [] as const,
  });
  const after = (fill: string) => ({
    before: [["key", "key"]] as const,
    behind: [["x-ignore-a", fill]] as const,
  });

  for (const shape of [around, after]) {
    const size = (fill: string) => {
      const { before, behind } = shape(fill);
      return multipart([...before, ["file", ""], ...behind]).body.length;
    };
    const room = 20 * 1_024 - size("");
    for (const file of ["bytes", "x".repeat(200_000)]) {
      const send = async (fill: string) => {
        const { before, behind } = shape(fill);
        return await postUnsigned(s3, before, { file, behind });
      };
      assert.equal((await send("x".repeat(room))).status, 204);
      for (const over of [1, 10_000]) {
        const reply = await send("x".repeat(room + over));
        assertRefused(reply, 400, "MaxPostPreDataLengthExceededError");
        assert.equal(only(reply.text, "MaxPostPreDataLengthBytes"), "20480");
      }
    }
  }
});

test("PostObject refuses a body without a length with MissingContentLength", async (t) => {
  const s3 = await startServer(t);
  const unsigned = { "transfer-encoding": "chunked" };

  const reply = await postBody(s3, { body: KEY + FILE + END, headers: TYPE, unsigned });

  assertRefused(reply, 411, "MissingContentLength");
});

test("PostObject refuses over 5 GiB with EntityTooLarge before the file is sent", async (t) => {
  const s3 = await startServer(t);
  await open(s3);
  const unsigned = { "content-length": String(5 * 2 ** 30 + 100_000) };

  const reply = await postBody(s3, { body: KEY + FILE, headers: TYPE, unsigned });

  assertRefused(reply, 400, "EntityTooLarge");
});

test("PostObject asks for the form of a client that waits", async (t) => {
  const s3 = await startServer(t);
  await open(s3);
  const ask = { body: KEY + FILE + END, headers: TYPE, expectContinue: true };

  const reply = await postBody(s3, ask);

  assert.equal(reply.continued, true);
  assert.equal(reply.status, 204);
  const type = { "content-type": "text/plain" };
  assert.equal((await postBody(s3, { ...ask, headers: type })).continued, false);
});

test("a connection goes on after a form that was refused", async (t) => {
  const s3 = await startServer(t);

  for (const file of ["bytes", "x".repeat(1_000_000)]) {
    assertRefused(await postUnsigned(s3, [["key", "key"]], { file }), 403, "AccessDenied");
    assertRefused(await post(s3, { file, more: [["acl", "private"]] }), 403, "AccessDenied");
    assert.equal((await post(s3, { file })).status, 204);
  }
});
