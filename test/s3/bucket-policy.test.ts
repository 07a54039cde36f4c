import assert from "node:assert/strict";
import { test } from "node:test";
import { bucketName } from "#object/name.ts";
import { assertRefused, only } from "#test/s3/xml.ts";
import { OTHER, startServer } from "#test/support/server.ts";

const PATH = "/bucket?policy";
const HERE = ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"];
const statement = (more: object = {}) => ({
  Effect: "Allow",
  Principal: "*",
  Action: "s3:*",
  Resource: HERE,
  ...more,
});
const policy = (...statements: readonly object[]) =>
  JSON.stringify({ Version: "2012-10-17", Statement: statements });
const READS = policy(statement({ Action: "s3:GetObject", Resource: "arn:aws:s3:::bucket/*" }));
const REMOVE = { method: "DELETE", path: PATH };

test("GetBucketPolicy refuses a bucket without one with NoSuchBucketPolicy", async (t) => {
  const s3 = await startServer(t);

  assertRefused(await s3.get(PATH), 404, "NoSuchBucketPolicy");
});

test("PutBucketPolicy answers 204 and GetBucketPolicy answers JSON, byte for byte as it was put", async (t) => {
  const s3 = await startServer(t);
  const text = `{\n "Version" : "2012-10-17",\t"Id": "ä😀 \\u00e4",\r\n "Statement": [${JSON.stringify(statement())}] } \n`;

  const reply = await s3.put(PATH, text, { "x-amz-confirm-remove-self-bucket-access": "true" });

  assert.equal(reply.status, 204);
  assert.equal(reply.bytes.length, 0);
  const got = await s3.get(PATH);
  assert.equal(got.status, 200);
  assert.deepEqual(got.bytes, Buffer.from(text));
  assert.equal(got.headers["content-type"], "application/json");
});

test("PutBucketPolicy replaces the policy, and leaves other buckets and the objects alone", async (t) => {
  const s3 = await startServer(t, { buckets: ["bucket", "other"] });
  await s3.put("/bucket/key", "bytes");
  await s3.put(PATH, policy(statement()));

  await s3.put(PATH, READS);

  assert.equal((await s3.get(PATH)).code, "AccessDenied");
  assertRefused(await s3.get("/other?policy"), 404, "NoSuchBucketPolicy");
  assert.equal((await s3.get("/bucket/key")).text, "bytes");
});

test("DeleteBucketPolicy removes the policy with 204, and succeeds when there is none", async (t) => {
  const s3 = await startServer(t);
  await s3.put(PATH, policy(statement()));

  for (const _ of ["first", "again"]) {
    assert.equal((await s3.request(REMOVE)).status, 204);
  }

  assertRefused(await s3.get(PATH), 404, "NoSuchBucketPolicy");
});

test("a bucket that is made again has no policy of the one before", async (t) => {
  const s3 = await startServer(t);
  await s3.put(PATH, policy(statement()));
  await s3.request({ method: "DELETE", path: "/bucket" });
  await s3.put("/bucket", "");

  assertRefused(await s3.get(PATH), 404, "NoSuchBucketPolicy");
});

const REFUSED: Readonly<Record<string, readonly [body: string | Uint8Array, message: RegExp]>> = {
  "no document": ["", /first byte must be '\{'/],
  XML: ["<Policy/>", /first byte must be '\{'/],
  "JSON that is cut": ['{"Version"', /invalid Json/],
  "bytes that are not UTF-8": [
    Buffer.from(READS.replace('"2012', '"\xff2012'), "latin1"),
    /must be UTF-8/,
  ],
  "another bucket's resource": [
    policy(statement({ Resource: "arn:aws:s3:::bucket-2/*" })),
    /^Statement\[0\]\.Resource: Policy has invalid resource/,
  ],
  "an unknown action": [
    policy(statement(), statement({ Action: ["s3:GetObjekt"] })),
    /^Statement\[1\]\.Action\[0\]: Policy has invalid action: "s3:GetObjekt" .* Did you mean "s3:GetObject"\?$/,
  ],
  "an Allow for all but some": [
    policy(
      statement(),
      statement({ Principal: undefined, NotPrincipal: { AWS: "arn:aws:iam::ab1cd2:root" } }),
    ),
    /^Statement\[1\]\.NotPrincipal: Allow with NotPrincipal is not allowed/,
  ],
  "a document of more than 20 KB": [
    policy(
      statement({
        Sid: "x".repeat(100),
        Principal: { AWS: Array(600).fill("arn:aws:iam::ab1cd2:coreweave/somebody") },
      }),
    ),
    /maximum allowed document size of 20480 bytes/,
  ],
};

for (const [what, [body, message]] of Object.entries(REFUSED)) {
  test(`PutBucketPolicy refuses ${what} with MalformedPolicy and keeps the one before`, async (t) => {
    const s3 = await startServer(t);
    const before = policy(statement());
    await s3.put(PATH, before);

    const reply = await s3.put(PATH, body);

    assertRefused(reply, 400, "MalformedPolicy");
    assert.match(only(reply.text, "Message") ?? "", message);
    assert.equal((await s3.get(PATH)).text, before);
  });
}

test("an Allow for all but some that was put before counts as ever, for all but them", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");
  const named = { AWS: `arn:aws:iam::${s3.organizationId}:root` };
  const stored = policy(statement({ Principal: undefined, NotPrincipal: named }));
  await s3.catalog.setDocument(await s3.catalog.bucket(bucketName("bucket")), "policy", stored);
  const read = { path: "/bucket/key" };

  assert.equal((await s3.request({ ...read, sign: false })).status, 200);
  assert.equal((await s3.request({ ...read, as: OTHER })).status, 200);
  assertRefused(await s3.request(read), 403, "AccessDenied");
});

test("a public policy cannot be put while the public access block has BlockPublicPolicy", async (t) => {
  const s3 = await startServer(t);
  const block = (value: string) =>
    `<PublicAccessBlockConfiguration><BlockPublicPolicy>${value}</BlockPublicPolicy></PublicAccessBlockConfiguration>`;
  const narrow = policy(
    statement({ Condition: { StringEquals: { "cw:PrincipalOrgID": s3.organizationId } } }),
  );
  await s3.put("/bucket?publicAccessBlock", block("true"));

  const reply = await s3.put(PATH, policy(statement()));

  assertRefused(reply, 403, "AccessDenied");
  assert.match(reply.text, /BlockPublicPolicy/);
  assert.equal((await s3.put(PATH, narrow)).status, 204);
  await s3.put("/bucket?publicAccessBlock", block("false"));
  assert.equal((await s3.put(PATH, policy(statement()))).status, 204);
});

test("a policy counts from the next request on: for the anonymous, for other organizations, for the owner", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");
  const read = { path: "/bucket/key" };
  const statusOf = async (who: object) => (await s3.request({ ...read, ...who })).status;
  const all = async () => [
    await statusOf({ sign: false }),
    await statusOf({ as: OTHER }),
    await statusOf({}),
  ];
  assert.deepEqual(await all(), [403, 403, 200]);

  await s3.put(PATH, READS);
  assert.deepEqual(await all(), [200, 200, 200]);
  assert.equal((await s3.put("/bucket/key", "more")).status, 403);

  await s3.put(
    PATH,
    policy(statement({ Principal: { CW: `arn:aws:iam::${s3.organizationId}:*` } })),
  );
  assert.deepEqual(await all(), [403, 403, 200]);
});

test("a policy that denies everything to everybody can be replaced, and not read or removed", async (t) => {
  const s3 = await startServer(t);
  await s3.put(PATH, policy(statement({ Effect: "Deny" })));

  assert.equal((await s3.get("/bucket")).status, 403);
  assert.equal((await s3.get(PATH)).status, 403);
  assert.equal((await s3.request(REMOVE)).status, 403);
  assert.equal((await s3.put(PATH, policy(statement()))).status, 204);
  assert.equal((await s3.get("/bucket")).status, 200);
});

test("another organization can neither put nor delete a policy, whatever the policy says", async (t) => {
  const s3 = await startServer(t);
  const open = policy(statement());
  await s3.put(PATH, open);

  const put = await s3.request({ method: "PUT", path: PATH, body: READS, as: OTHER });
  const removed = await s3.request({ ...REMOVE, as: OTHER });

  assertRefused(put, 403, "AccessDenied");
  assertRefused(removed, 403, "AccessDenied");
  assert.equal((await s3.request({ path: PATH, as: OTHER })).text, open);
});

test("RestrictPublicBuckets keeps others out of a bucket whose policy is public", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");
  await s3.put(PATH, policy(statement()));
  const block =
    "<PublicAccessBlockConfiguration><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>";
  await s3.put("/bucket?publicAccessBlock", block);

  for (const who of [{ sign: false } as const, { as: OTHER }]) {
    assertRefused(await s3.request({ path: "/bucket/key", ...who }), 403, "AccessDenied");
  }
  assert.equal((await s3.get("/bucket/key")).text, "bytes");
});

test("conditions look at the request: prefix, headers, tags of the object, transport", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/open", "bytes", { "x-amz-tagging": "level=open" });
  await s3.put("/bucket/secret", "bytes");
  const text = policy(
    statement(),
    statement({
      Effect: "Deny",
      Action: "s3:ListBucket",
      Condition: { StringNotLike: { "s3:prefix": ["home/*"] } },
    }),
    statement({
      Effect: "Deny",
      Action: "s3:GetObject",
      Condition: { StringNotEquals: { "s3:ExistingObjectTag/level": "open" } },
    }),
    statement({
      Effect: "Deny",
      Action: "s3:PutObject",
      Condition: { Null: { "s3:if-none-match": "true" } },
    }),
  );
  await s3.put(PATH, text);

  assert.equal((await s3.get("/bucket?prefix=home/a")).status, 200);
  assert.equal((await s3.get("/bucket?prefix=other")).status, 403);
  assert.equal((await s3.get("/bucket")).status, 403);
  assert.equal((await s3.get("/bucket/open")).status, 200);
  assert.equal((await s3.get("/bucket/secret")).status, 403);
  assert.equal((await s3.put("/bucket/new", "bytes")).status, 403);
  assert.equal((await s3.put("/bucket/new", "bytes", { "if-none-match": "*" })).status, 200);
});

test("objects are renamed under a bucket policy that allows to put and delete them within the organization", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/checkpoint.tmp", "bytes");
  const within = { StringEquals: { "cw:PrincipalOrgID": [s3.organizationId] } };
  const allowed = (Action: readonly string[]) =>
    policy(statement({ Action, Resource: "arn:aws:s3:::bucket/*", Condition: within }));
  const rename = {
    method: "PUT",
    path: "/bucket/checkpoint?renameObject",
    headers: { "x-amz-rename-source": "/bucket/checkpoint.tmp" },
  };

  await s3.put(PATH, allowed(["s3:PutObject"]));
  assertRefused(await s3.request(rename), 403, "AccessDenied");
  await s3.put(PATH, allowed(["s3:PutObject", "s3:DeleteObject"]));
  assertRefused(await s3.request({ ...rename, as: OTHER }), 403, "AccessDenied");
  assert.equal((await s3.request(rename)).status, 200);
});
