import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused, only, s3Document, texts } from "#test/s3/xml.ts";
import { OTHER, startServer } from "#test/support/server.ts";

test("ListBuckets answers the caller, and each bucket's name, time and region", async (t) => {
  const s3 = await startServer(t);

  const reply = await s3.get("/");

  const owner = only(reply.text, "ID") ?? "";
  assert.match(owner, /^[0-9a-f]{64}$/);
  assert.equal(reply.status, 200);
  assert.equal(
    reply.text,
    s3Document(
      "ListAllMyBucketsResult",
      `<Owner><ID>${owner}</ID><DisplayName>${s3.organizationId}</DisplayName></Owner><Buckets><Bucket><Name>bucket</Name><CreationDate>2026-01-02T03:04:05.678Z</CreationDate><BucketRegion>us-east-1</BucketRegion><BucketArn>arn:aws:s3:::bucket</BucketArn></Bucket></Buckets>`,
    ),
  );
});

test("ListBuckets answers in order of names, whatever the order they were made in", async (t) => {
  const s3 = await startServer(t, { buckets: ["bbb", "aaa", "aa-b", "aab"] });

  const reply = await s3.get("/");

  assert.deepEqual(texts(reply.text, "Name"), ["aa-b", "aaa", "aab", "bbb"]);
});

test("ListBuckets shows each owner their own buckets only", async (t) => {
  const s3 = await startServer(t);
  await s3.request({ method: "PUT", path: "/theirs", as: OTHER });

  assert.deepEqual(texts((await s3.get("/")).text, "Name"), ["bucket"]);
  const theirs = await s3.request({ path: "/", as: OTHER });
  assert.deepEqual(texts(theirs.text, "Name"), ["theirs"]);
});

test("ListBuckets with a prefix answers the buckets that begin with it", async (t) => {
  const s3 = await startServer(t, { buckets: ["aaa", "app-1", "app-2", "apps", "bbb"] });

  const { text } = await s3.get("/?prefix=app-");

  assert.deepEqual(texts(text, "Name"), ["app-1", "app-2"]);
  assert.equal(only(text, "Prefix"), "app-");
});

test("ListBuckets in pages gives every bucket once", async (t) => {
  const s3 = await startServer(t, { buckets: ["aaa", "bb1", "bb2", "bb3", "ccc"] });
  const names: string[] = [];
  let token: string | undefined = "";
  for (let page = 0; token !== undefined && page < 5; page += 1) {
    // An empty one asks for the first page.
    const query = { prefix: "bb", "max-buckets": "2", "continuation-token": token };
    const { text } = await s3.request({ path: "/", query });
    names.push(...texts(text, "Name"));
    token = only(text, "ContinuationToken");
  }

  assert.deepEqual(names, ["bb1", "bb2", "bb3"]);
});

test("ListBuckets gives no token after a page that ends the list", async (t) => {
  const s3 = await startServer(t, { buckets: ["aaa", "bbb"] });

  const { text } = await s3.get("/?max-buckets=2");

  assert.deepEqual(texts(text, "Name"), ["aaa", "bbb"]);
  assert.equal(only(text, "ContinuationToken"), undefined);
});

test("ListBuckets with bucket-region answers the buckets of that region", async (t) => {
  const s3 = await startServer(t, { region: "eu-1" });
  const location = "<LocationConstraint>eu-2</LocationConstraint>";
  await s3.put("/far", `<CreateBucketConfiguration>${location}</CreateBucketConfiguration>`);

  const { text } = await s3.get("/?bucket-region=eu-2");

  assert.deepEqual(texts(text, "Name"), ["far"]);
});

for (const query of ["max-buckets=x", "max-buckets=-1", "continuation-token=%21%21"]) {
  test(`ListBuckets refuses ${query} with InvalidArgument`, async (t) => {
    const s3 = await startServer(t);

    assertRefused(await s3.get(`/?${query}`), 400, "InvalidArgument");
  });
}

test("ListBuckets refuses an anonymous caller with AccessDenied", async (t) => {
  const s3 = await startServer(t);

  assertRefused(await s3.request({ path: "/", sign: false }), 403, "AccessDenied");
});
