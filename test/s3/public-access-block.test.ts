import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

const BLOCK = (inner: string) =>
  `<PublicAccessBlockConfiguration>${inner}</PublicAccessBlockConfiguration>`;

test("a public access block is put, got with every switch, and deleted", async (t) => {
  const s3 = await startServer(t);
  const on = "<BlockPublicPolicy>true</BlockPublicPolicy>";

  const put = await s3.put("/bucket?publicAccessBlock", BLOCK(on));
  const got = await s3.get("/bucket?publicAccessBlock");
  const deleted = await s3.request({ method: "DELETE", path: "/bucket?publicAccessBlock" });

  assert.deepEqual([put.status, got.status, deleted.status], [200, 200, 204]);
  assert.match(got.text, /<BlockPublicAcls>false<\/BlockPublicAcls>.*<BlockPublicPolicy>true</s);
  assertRefused(
    await s3.get("/bucket?publicAccessBlock"),
    404,
    "NoSuchPublicAccessBlockConfiguration",
  );
});

test("PutPublicAccessBlock refuses a switch that is neither true nor false", async (t) => {
  const s3 = await startServer(t);
  const body = BLOCK("<BlockPublicAcls>perhaps</BlockPublicAcls>");

  assertRefused(await s3.put("/bucket?publicAccessBlock", body), 400, "MalformedXML");
});
