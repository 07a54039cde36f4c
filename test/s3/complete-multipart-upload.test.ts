import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import {
  completeDocument,
  completeUpload,
  type PartName,
  sendPart,
  startUpload,
  uploadWhole,
} from "#test/s3/multipart.ts";
import { assertRefused, only, s3Document } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

// Checksums are in a file of their own.
const PATH = "/bucket/key";
const md5 = (data: string | Buffer) => createHash("md5").update(data).digest();

test("CompleteMultipartUpload makes one object of the parts and answers this document", async (t) => {
  const s3 = await startServer(t);

  const reply = await uploadWhole(s3, PATH, ["12345", "6789"]);

  const etag = `${md5(Buffer.concat([md5("12345"), md5("6789")])).toString("hex")}-2`;
  assert.equal(reply.headers["content-type"], "application/xml");
  assert.equal(
    reply.text,
    s3Document(
      "CompleteMultipartUploadResult",
      `<Location>http://127.0.0.1:${s3.port}/bucket/key</Location><Bucket>bucket</Bucket><Key>key</Key><ETag>&quot;${etag}&quot;</ETag><ChecksumCRC64NVME>rosUhgp5mIg=</ChecksumCRC64NVME><ChecksumType>FULL_OBJECT</ChecksumType>`,
    ),
  );
  const got = await s3.get(PATH);
  assert.equal(got.text, "123456789");
  assert.equal(got.headers["etag"], `"${etag}"`);
});

test("CompleteMultipartUpload takes ETags with quotes and without, and any namespace", async (t) => {
  const s3 = await startServer(t);
  const uploadId = await startUpload(s3, PATH);
  const one = await sendPart(s3, PATH, { uploadId, number: 1, body: "12345" });
  const two = await sendPart(s3, PATH, { uploadId, number: 2, body: "6789" });
  const parts = [
    { ...one, etag: one.etag.replaceAll('"', "") },
    { ...two, etag: `&quot;${two.etag.slice(1, -1)}&quot;` },
  ];
  const body = `<?xml version="1.0"?>\n${completeDocument(parts).replace(">", ' xmlns="urn:else">')}\n`;

  const reply = await s3.request({ method: "POST", path: PATH, query: { uploadId }, body });

  assert.equal(reply.status, 200, reply.text);
});

test("CompleteMultipartUpload throws parts away that it does not name", async (t) => {
  const s3 = await startServer(t);
  const uploadId = await startUpload(s3, PATH);
  const parts: PartName[] = [];
  test("CompleteMultipartUpload without a document looks for the upload first", async (t) => {
    const s3 = await startServer(t);

    const query = { uploadId: "0".repeat(32) };
    const reply = await s3.request({ method: "POST", path: "/bucket/key", query });

    assertRefused(reply, 404, "NoSuchUpload");
  });

  for (const [number, body] of [
    [2, "second"],
    [5, "fifth"],
    [9, "ninth"],
  ] as const) {
    parts.push(await sendPart(s3, PATH, { uploadId, number, body }));
  }

  await completeUpload(s3, PATH, { uploadId, parts: parts.filter(({ number }) => number !== 5) });

  assert.equal((await s3.get(PATH)).text, "secondninth");
  assertRefused(await s3.get(`${PATH}?uploadId=${uploadId}`), 404, "NoSuchUpload");
});

test("CompleteMultipartUpload that is sent again answers the same", async (t) => {
  const s3 = await startServer(t);
  const uploadId = await startUpload(s3, PATH);
  const parts = [await sendPart(s3, PATH, { uploadId, number: 1, body: "bytes" })];

  const [first, again] = [
    await completeUpload(s3, PATH, { uploadId, parts }),
    await completeUpload(s3, PATH, { uploadId, parts }),
  ];

  assert.equal(again.status, 200);
  assert.equal(again.text, first.text);
});

test("CompleteMultipartUpload for an object that was replaced since refuses with NoSuchUpload", async (t) => {
  const s3 = await startServer(t);
  const uploadId = await startUpload(s3, PATH);
  const parts = [await sendPart(s3, PATH, { uploadId, number: 1, body: "bytes" })];
  await completeUpload(s3, PATH, { uploadId, parts });
  await s3.put(PATH, "after");

  assertRefused(await completeUpload(s3, PATH, { uploadId, parts }), 404, "NoSuchUpload");
  assert.equal((await s3.get(PATH)).text, "after");
});

test("CompleteMultipartUpload answers the version that it made", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");

  const reply = await uploadWhole(s3, PATH, ["bytes"]);

  const got = await s3.get(PATH);
  assert.equal(reply.headers["x-amz-version-id"], got.headers["x-amz-version-id"]);
  assert.match(got.headers["x-amz-version-id"] ?? "", /^[0-9a-f]{16}$/);
});

test("CompleteMultipartUpload takes a last part of any size, and x-amz-mp-object-size when true", async (t) => {
  const s3 = await startServer(t);
  const uploadId = await startUpload(s3, PATH);
  const parts = [
    await sendPart(s3, PATH, { uploadId, number: 1, body: "12345" }),
    await sendPart(s3, PATH, { uploadId, number: 2, body: "6" }),
  ];
  const complete = (size: string) =>
    completeUpload(s3, PATH, { uploadId, parts, headers: { "x-amz-mp-object-size": size } });

  const REFUSED = [
    ["7", "The provided 'x-amz-mp-object-size' header value 7 does not match what was computed: 6"],
    ["six", "Value for x-amz-mp-object-size header is invalid: 'six'"],
    ["", "Value for x-amz-mp-object-size header is invalid: ''"],
    ["-1", "Value for x-amz-mp-object-size header is less than zero: '-1'"],
  ] as const;
  for (const [size, message] of REFUSED) {
    const reply = await complete(size);
    assertRefused(reply, 400, "InvalidRequest");
    assert.equal(only(reply.text, "Message"), message);
  }
  assert.equal((await complete("6")).status, 200);
});

test("CompleteMultipartUpload refuses a part below 5 MiB that is not the last with EntityTooSmall", async (t) => {
  const s3 = await startServer(t, { partBytesMin: 5 * 2 ** 20 });
  const uploadId = await startUpload(s3, PATH);
  const parts = [
    await sendPart(s3, PATH, { uploadId, number: 3, body: "12345" }),
    await sendPart(s3, PATH, { uploadId, number: 4, body: "6789" }),
  ];

  const reply = await completeUpload(s3, PATH, { uploadId, parts });

  assertRefused(reply, 400, "EntityTooSmall");
  assert.equal(only(reply.text, "ProposedSize"), "5");
  assert.equal(only(reply.text, "MinSizeAllowed"), "5242880");
  assert.equal(only(reply.text, "PartNumber"), "3");
  assert.equal((await completeUpload(s3, PATH, { uploadId, parts: parts.slice(1) })).status, 200);
});

const PART = (number: number | string, etag = md5("12345").toString("hex")) =>
  `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`;
const WHOLE = (parts: string) => `<CompleteMultipartUpload>${parts}</CompleteMultipartUpload>`;
const MANY = PART(1).repeat(10_001);
const REFUSED = [
  { why: "a part that was not uploaded", body: WHOLE(PART(1) + PART(3)), code: "InvalidPart" },
  { why: "a part by another ETag", body: WHOLE(PART(1, "0".repeat(32))), code: "InvalidPart" },
  { why: "parts that do not ascend", body: WHOLE(PART(2) + PART(1)), code: "InvalidPartOrder" },
  {
    why: "parts that do not ascend, one of which was not uploaded",
    body: WHOLE(PART(3) + PART(1)),
    code: "InvalidPartOrder",
  },
  {
    why: "a part by another ETag before parts that do not ascend",
    body: WHOLE(PART(1, "0".repeat(32)) + PART(2) + PART(2)),
    code: "InvalidPartOrder",
  },
  { why: "a part named twice", body: WHOLE(PART(1) + PART(1)), code: "InvalidPartOrder" },
  { why: "no document", body: "", code: "InvalidRequest" },
  { why: "no parts", body: WHOLE(""), code: "MalformedXML" },
  {
    why: "a part without a number",
    body: WHOLE("<Part><ETag>a</ETag></Part>"),
    code: "MalformedXML",
  },
  {
    why: "a part without an ETag",
    body: WHOLE("<Part><PartNumber>1</PartNumber></Part>"),
    code: "MalformedXML",
  },
  { why: "a document that is cut", body: WHOLE(PART(1)).slice(0, -5), code: "MalformedXML" },
  { why: "another document", body: "<Delete/>", code: "MalformedXML" },
  { why: "10,001 parts", body: WHOLE(MANY), code: "MalformedXML" },
  { why: "part number 0", body: WHOLE(PART(0)), code: "InvalidArgument" },
  { why: "part number -1", body: WHOLE(PART(-1)), code: "InvalidArgument" },
  { why: "part number 10001", body: WHOLE(PART(10_001)), code: "InvalidPart" },
  { why: "a part number that is none", body: WHOLE(PART("one")), code: "MalformedXML" },
];
for (const { why, body, code } of REFUSED) {
  test(`CompleteMultipartUpload refuses ${why} with ${code} and keeps the upload`, async (t) => {
    const s3 = await startServer(t);
    const uploadId = await startUpload(s3, PATH);
    const parts = [await sendPart(s3, PATH, { uploadId, number: 1, body: "12345" })];
    await sendPart(s3, PATH, { uploadId, number: 2, body: "12345" });

    const reply = await s3.request({ method: "POST", path: PATH, query: { uploadId }, body });

    assertRefused(reply, 400, code);
    assertRefused(await s3.get(PATH), 404, "NoSuchKey");
    assert.equal((await completeUpload(s3, PATH, { uploadId, parts })).status, 200);
  });
}

for (const [uploadId, path] of [
  ["never", PATH],
  ["0".repeat(32), PATH],
  ["", PATH],
] as const) {
  test(`CompleteMultipartUpload refuses the upload id "${uploadId}" with NoSuchUpload`, async (t) => {
    const s3 = await startServer(t);
    const query = `uploadId=${uploadId}`;

    assertRefused(
      await s3.request({ method: "POST", path, query, body: WHOLE(PART(1)) }),
      404,
      "NoSuchUpload",
    );
  });
}

const CONDITIONS = [
  { headers: { "if-none-match": "*" }, there: true, status: 412, code: "PreconditionFailed" },
  { headers: { "if-none-match": "*" }, there: false, status: 200, code: undefined },
  { headers: { "if-none-match": '"a"' }, there: false, status: 400, code: "InvalidRequest" },
  { headers: { "if-match": '"a"' }, there: true, status: 412, code: "PreconditionFailed" },
  { headers: { "if-match": '"a"' }, there: false, status: 404, code: "NoSuchKey" },
  {
    headers: { "if-match": `"${md5("before").toString("hex")}"` },
    there: true,
    status: 200,
    code: undefined,
  },
];
for (const { headers, there, status, code } of CONDITIONS) {
  const [shown] = Object.entries(headers).map(([name, value]) => `${name}: ${value.slice(0, 6)}`);
  test(`CompleteMultipartUpload with ${shown} over ${there ? "an object" : "nothing"} answers ${status}`, async (t) => {
    const s3 = await startServer(t);
    if (there) await s3.put(PATH, "before");
    const uploadId = await startUpload(s3, PATH);
    const parts = [await sendPart(s3, PATH, { uploadId, number: 1, body: "after" })];

    const reply = await completeUpload(s3, PATH, { uploadId, parts, headers });

    assert.deepEqual([reply.status, reply.code], [status, code]);
    const { text } = await s3.get(PATH);
    assert.equal(text.includes("after"), status === 200);
    if (status !== 200)
      assert.equal((await completeUpload(s3, PATH, { uploadId, parts })).status, 200);
  });
}
