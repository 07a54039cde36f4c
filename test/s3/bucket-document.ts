import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused, only, s3Document } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

/** One kind of bucket document, for the laws that all kinds share. */
export interface BucketDocumentCase {
  /** As in `Get…`, `Put…` and `Delete…`. */
  readonly name: string;
  readonly query: string;
  readonly root: string;
  /** What is put inside the root, and what is then read there. */
  readonly put: string;
  readonly got: string;
  /** What is inside another document, when there can be one. */
  readonly other: string | undefined;
  readonly putStatus: number;
  readonly missing: string;
  readonly refused: readonly RefusedDocument[];
}

interface RefusedDocument {
  readonly why: string;
  readonly body: string;
  readonly status?: number;
  readonly code: string;
}

export function bucketDocumentLaws(kind: BucketDocumentCase): void {
  const { name, query, missing } = kind;
  const path = `/bucket?${query}`;
  const whole = (inner: string) => `<${kind.root}>${inner}</${kind.root}>`;

  test(`Get${name} refuses a bucket without one with ${missing}`, async (t) => {
    const s3 = await startServer(t);

    const refused = await s3.get(path);
    assertRefused(refused, 404, missing);
    assert.equal(only(refused.text, "BucketName"), "bucket");
  });

  test(`Put${name} answers ${kind.putStatus} and Get${name} answers what was put`, async (t) => {
    const s3 = await startServer(t);

    const reply = await s3.put(path, whole(kind.put));

    assert.equal(reply.status, kind.putStatus);
    assert.equal(reply.bytes.length, 0);
    assert.equal((await s3.get(path)).text, s3Document(kind.root, kind.got));
  });

  test(`Put${name} takes back the document that Get${name} answers`, async (t) => {
    const s3 = await startServer(t);
    await s3.put(path, whole(kind.put));
    const { text } = await s3.get(path);

    assert.equal((await s3.put(path, text)).status, kind.putStatus);
    assert.equal((await s3.get(path)).text, text);
  });

  test(`Put${name} replaces the document and leaves other buckets and objects alone`, async (t) => {
    const s3 = await startServer(t, { buckets: ["bucket", "other"] });
    await s3.put("/bucket/key", "bytes");
    await s3.put(path, whole(kind.put));

    await s3.put(path, whole(kind.other ?? kind.put));

    const isOld = (await s3.get(path)).text === s3Document(kind.root, kind.got);
    assert.equal(isOld, kind.other === undefined);
    assertRefused(await s3.get(`/other?${query}`), 404, missing);
    assert.equal((await s3.get("/bucket/key")).text, "bytes");
  });

  test(`Delete${name} removes the document with 204, and succeeds when there is none`, async (t) => {
    const s3 = await startServer(t);
    await s3.put(path, whole(kind.put));

    for (const _ of ["first", "again"]) {
      assert.equal((await s3.request({ method: "DELETE", path })).status, 204);
    }

    assertRefused(await s3.get(path), 404, missing);
    assert.equal((await s3.get("/bucket")).status, 200);
  });

  test(`a bucket that is made again has no ${query} document of the one before`, async (t) => {
    const s3 = await startServer(t);
    await s3.put(path, whole(kind.put));
    await s3.request({ method: "DELETE", path: "/bucket" });
    await s3.put("/bucket", "");

    assertRefused(await s3.get(path), 404, missing);
  });

  const refused: readonly RefusedDocument[] = [
    { why: "no document", body: "", code: "MalformedXML" },
    { why: "another document", body: "<Delete/>", code: "MalformedXML" },
    { why: "a document that is cut", body: whole(kind.put).slice(0, -4), code: "MalformedXML" },
    ...kind.refused,
  ];
  for (const { why, body, status = 400, code } of refused) {
    test(`Put${name} refuses ${why} with ${code} and keeps the one before`, async (t) => {
      const s3 = await startServer(t);
      await s3.put(path, whole(kind.put));

      assertRefused(await s3.put(path, body), status, code);
      assert.equal((await s3.get(path)).text, s3Document(kind.root, kind.got));
    });
  }
}
