/** Who may store a form's file: its signature, its policy, and the policies of bucket and organization. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { userPrincipal } from "#catalog/users.ts";
import { type Posting, post, postBody, postUnsigned } from "#test/s3/post-form.ts";
import { assertRefused, only } from "#test/s3/xml.ts";
import { type Field, multipart, signedForm } from "#test/support/form.ts";
import {
  OTHER,
  type Reply,
  ROOT,
  STRANGER,
  startServer,
  type TestServer,
} from "#test/support/server.ts";

const BUCKET = { bucket: "bucket" };
const KEY = ["starts-with", "$key", ""];

function assertDenied(reply: Reply, problem: string): void {
  assertRefused(reply, 403, "AccessDenied");
  assert.equal(only(reply.text, "Message"), `Invalid according to Policy: ${problem}`);
}

async function assertNothingStored(s3: TestServer): Promise<void> {
  assert.doesNotMatch((await s3.get("/bucket")).text, /<Contents>/);
}

/** Forms that their policies allow. */
const ALLOWED: Readonly<Record<string, Posting>> = {
  "an exact match in a list": { conditions: [BUCKET, ["eq", "$key", "key"]] },
  "a start": {
    conditions: [
      ["eq", "$bucket", "bucket"],
      ["starts-with", "$key", "ke"],
    ],
  },
  "any start": { conditions: [BUCKET, KEY] },
  "names and operators in any case": {
    fields: { kEy: "key", "Content-Type": "text/plain" },
    conditions: [
      { bUcKeT: "bucket" },
      ["StArTs-WiTh", "$KeY", "k"],
      { "content-TYPE": "text/plain" },
    ],
  },
  "a field that is to be ignored": { more: [["x-ignore-this", "x"]] },
  "several content types that all start so": {
    fields: { key: "key", "Content-Type": "text/plain, text/html" },
    conditions: [BUCKET, KEY, ["starts-with", "$Content-Type", "text/"]],
  },
  "a backslash before a dollar sign": {
    fields: { key: "\\$foo" },
    conditions: [BUCKET, ["starts-with", "$key", "\\$foo"]],
  },
  "a number in a list": {
    fields: { key: "key", success_action_status: "204" },
    conditions: [BUCKET, KEY, ["eq", "$success_action_status", 204]],
  },
  "the bucket as a field": { fields: { key: "key", bucket: "bucket" } },
  "a range that the file is in": { conditions: [BUCKET, KEY, ["content-length-range", 5, 5]] },
  "a range in quotes": { conditions: [BUCKET, KEY, ["content-length-range", "1", "10"]] },
  "an expiry with its zone": { expiration: "2026-01-02T13:04:05+09:00" },
  "an expiry without fractions": { expiration: "2026-01-02T03:04:06Z" },
  "a policy in lines": {
    policy: Buffer.from(
      JSON.stringify({
        expiration: "2027-01-01T00:00:00Z",
        conditions: [
          BUCKET,
          KEY,
          ["starts-with", "$x-amz-algorithm", ""],
          ["starts-with", "$x-amz-credential", ""],
          ["starts-with", "$x-amz-date", ""],
        ],
      }),
    )
      .toString("base64")
      .replace(/.{64}/g, "$&\r\n"),
  },
};
for (const [what, posting] of Object.entries(ALLOWED)) {
  test(`PostObject allows ${what}`, async (t) => {
    const s3 = await startServer(t);

    const reply = await post(s3, posting);

    assert.equal(reply.status, 204, reply.text);
  });
}

/** Forms that their policies do not allow, and what is said of them. */
const DENIED: Readonly<Record<string, readonly [Posting, string]>> = {
  "another value": [
    { conditions: [BUCKET, { key: "other" }] },
    'Policy Condition failed: ["eq", "$key", "other"]',
  ],
  "another start": [
    { conditions: [BUCKET, ["starts-with", "$Key", "KEY"]] },
    'Policy Condition failed: ["starts-with", "$Key", "KEY"]',
  ],
  "a policy for another bucket": [
    { conditions: [{ bucket: "other" }, KEY] },
    'Policy Condition failed: ["eq", "$bucket", "other"]',
  ],
  "a policy for the bucket that the form names, not the address": [
    { fields: { key: "key", bucket: "other" } },
    'Policy Condition failed: ["eq", "$bucket", "other"]',
  ],
  "a policy for no bucket": [{ conditions: [KEY] }, "Extra input fields: bucket"],
  "a field that is not in it": [
    { more: [["x-amz-meta-A", "1"]] },
    "Extra input fields: x-amz-meta-a",
  ],
  "a field that is not there": [
    { conditions: [BUCKET, KEY, ["starts-with", "$x-amz-meta-a", ""]] },
    'Policy Condition failed: ["starts-with", "$x-amz-meta-a", ""]',
  ],
  "a field that is not empty": [
    {
      fields: { key: "key", "x-amz-meta-a": "1" },
      conditions: [BUCKET, KEY, ["eq", "$x-amz-meta-a", ""]],
    },
    'Policy Condition failed: ["eq", "$x-amz-meta-a", ""]',
  ],
  "a condition on no field": [
    { conditions: [BUCKET, KEY, ["eq", "key", "key"]] },
    'Policy Condition failed: ["eq", "key", "key"]',
  ],
  "one content type of several that starts otherwise": [
    {
      fields: { key: "key", "content-type": "text/plain, image/png" },
      conditions: [BUCKET, KEY, ["starts-with", "$content-type", "text/"]],
    },
    'Policy Condition failed: ["starts-with", "$content-type", "text/"]',
  ],
  "a file whose name makes another key": [
    // biome-ignore lint/suspicious/noTemplateCurlyInString: so it stands in forms.
    { fields: { key: "${filename}" }, conditions: [BUCKET, ["starts-with", "$key", "user/"]] },
    'Policy Condition failed: ["starts-with", "$key", "user/"]',
  ],
  "an expired one": [{ expiration: "2026-01-02T03:04:05.677Z" }, "Policy expired."],
};
for (const [what, [posting, problem]] of Object.entries(DENIED)) {
  test(`PostObject refuses ${what} with AccessDenied`, async (t) => {
    const s3 = await startServer(t);

    assertDenied(await post(s3, posting), problem);

    await assertNothingStored(s3);
  });
}

const SIMPLE = "Invalid Simple-Condition:";
const ONE = `${SIMPLE} Simple-Conditions must have exactly one property specified.`;
const NO_TEST = "Invalid condition test: must be a List or Object.";
/** A policy of one condition. */
const of = (condition: unknown) => ({
  expiration: "2027-01-01T00:00:00Z",
  conditions: [condition],
});
const until = (expiration: unknown) => ({ expiration, conditions: [] });
/** Policies that mean nothing. */
const INVALID: Readonly<Record<string, readonly [unknown, string]>> = {
  "that is not JSON": ["{", "Invalid JSON."],
  "that is not UTF-8": [Buffer.from('{"a":"\xff"}', "latin1"), "Invalid JSON."],
  "that is a list": [[], "Invalid JSON."],
  "without an expiry": [{ conditions: [] }, "Policy missing expiration."],
  "with a field of another spelling": [{ EXPIRATION: "" }, "Unexpected: 'EXPIRATION'"],
  "without conditions": [{ expiration: "2027-01-01T00:00:00Z" }, "Policy missing conditions."],
  "with conditions that are no list": [
    { ...until("2027-01-01T00:00:00Z"), conditions: {} },
    "Invalid 'conditions' value: must be a List.",
  ],
  "with an expiry that is a number": [until(1), "Invalid JSON."],
  "with an expiry that is a day": [until("2027-01-01"), "Invalid 'expiration' value: '2027-01-01'"],
  "with an expiry that is written otherwise": [
    until("2027-01-01 00:00:00+00:00"),
    "Invalid 'expiration' value: '2027-01-01 00:00:00+00:00'",
  ],
  "with a condition that is a text": [of("x"), NO_TEST],
  "with a condition that is null": [of(null), NO_TEST],
  "with an empty condition": [of({}), ONE],
  "with two conditions in one": [of({ acl: "a", key: "b" }), ONE],
  "with a value that is no text": [of({ acl: 1 }), `${SIMPLE} value must be a string.`],
  "without an operator": [of([]), "Invalid Condition: missing operation identifier."],
  "with an operator that is no text": [of([1, "$key", "a"]), "Invalid JSON."],
  "with another operator": [
    of(["like", "$key", "a"]),
    "Invalid Condition: unknown operation 'like'.",
  ],
  "with too few values": [
    of(["content-length-range", 0]),
    "Invalid content-length-range: wrong number of arguments.",
  ],
  "with too many values": [of(["eq", "$key", "a", "b"]), "Invalid eq: wrong number of arguments."],
  "with a name that is no text": [of(["eq", false, "a"]), "Invalid JSON."],
  "with a list for a value": [of(["eq", "$key", []]), "Invalid JSON."],
  "with a size that is none": [of(["content-length-range", 0, "many"]), "Invalid JSON."],
  "with a size of half a byte": [of(["content-length-range", 0.5, 1]), "Invalid JSON."],
};
for (const [what, [document, problem]] of Object.entries(INVALID)) {
  test(`PostObject refuses a policy ${what} with InvalidPolicyDocument`, async (t) => {
    const s3 = await startServer(t);
    const isWritten = typeof document === "string" || document instanceof Uint8Array;
    const policy = Buffer.from(isWritten ? document : JSON.stringify(document)).toString("base64");

    const reply = await post(s3, { policy });

    assertRefused(reply, 400, "InvalidPolicyDocument");
    assert.equal(only(reply.text, "Message"), `Invalid Policy: ${problem}`);
    await assertNothingStored(s3);
  });
}

test("PostObject refuses a policy that is not in base64, or empty", async (t) => {
  const s3 = await startServer(t);

  for (const policy of ["{}", "a-b_", "", "é"]) {
    assertRefused(await post(s3, { policy }), 400, "InvalidPolicyDocument");
  }
});

test("PostObject holds the file to the sizes of its policy, and tells both", async (t) => {
  const s3 = await startServer(t);
  const ask = async (file: string, ...range: readonly number[]) =>
    await post(s3, { file, conditions: [BUCKET, KEY, ["content-length-range", ...range]] });

  const large = await ask("0123456789", 0, 9);
  const small = await ask("0123456789", 11, 100);
  const never = await ask("0123456789", 10, 9);
  const huge = await ask("x".repeat(500_000), 0, 400_000);

  assertRefused(large, 400, "EntityTooLarge");
  assert.equal(only(large.text, "ProposedSize"), "10");
  assert.equal(only(large.text, "MaxSizeAllowed"), "9");
  assertRefused(small, 400, "EntityTooSmall");
  assert.equal(only(small.text, "ProposedSize"), "10");
  assert.equal(only(small.text, "MinSizeAllowed"), "11");
  assertRefused(never, 400, "EntityTooLarge");
  assertRefused(huge, 400, "EntityTooLarge");
  await assertNothingStored(s3);
  assert.equal((await ask("0123456789", 10, 10)).status, 204);
  assert.equal((await ask("", 0, 0)).status, 204);
});

test("PostObject refuses a file that is too large before it is sent, where that can be known", async (t) => {
  const s3 = await startServer(t);
  const conditions = [BUCKET, KEY, ["content-length-range", 0, 10]];
  const given = { ...ROOT, ...BUCKET, fields: { key: "key" }, nowMs: s3.clock.now() };
  const form = multipart([...signedForm({ ...given, conditions }), ["file", ""]]);
  const unsigned = { "content-length": "1000000" };

  assertRefused(await postBody(s3, { ...form, unsigned }), 400, "EntityTooLarge");
});

test("PostObject holds to the narrowest of several ranges", async (t) => {
  const s3 = await startServer(t);
  const ranges = [
    ["content-length-range", 0, 4],
    ["content-length-range", 0, 100],
  ];

  const reply = await post(s3, { conditions: [BUCKET, KEY, ...ranges] });

  assertRefused(reply, 400, "EntityTooLarge");
});

const FIELDS = ["policy", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature"];
for (const left of FIELDS) {
  test(`PostObject refuses a form that is signed without ${left}`, async (t) => {
    const s3 = await startServer(t);
    const given = { ...ROOT, ...BUCKET, fields: { key: "key" }, nowMs: s3.clock.now() };
    const fields = signedForm(given).filter(([name]) => name !== left);

    const reply = await postUnsigned(s3, fields);

    assertRefused(reply, 400, "InvalidArgument");
    assert.equal(only(reply.text, "ArgumentName")?.toLowerCase(), left);
  });
}

/** The form of root with some of its fields changed. */
async function changed(s3: TestServer, changes: Readonly<Record<string, string>>): Promise<Reply> {
  const given = { ...ROOT, ...BUCKET, fields: { key: "key" }, nowMs: s3.clock.now() };
  const fields = signedForm(given).map(([name, value]): Field => [name, changes[name] ?? value]);
  return await postUnsigned(s3, fields);
}

const SCOPE = "20260102/us-east-1/s3/aws4_request";
const CHANGES: Readonly<
  Record<string, readonly [Readonly<Record<string, string>>, number, string]>
> = {
  "a signature of something else": [
    { "x-amz-signature": "0".repeat(64) },
    403,
    "SignatureDoesNotMatch",
  ],
  "a signature that is none": [{ "x-amz-signature": "x" }, 403, "SignatureDoesNotMatch"],
  "another policy than was signed": [{ policy: "e30=" }, 403, "SignatureDoesNotMatch"],
  "another region than was signed": [
    { "x-amz-credential": `ROOTACCESSKEY/${SCOPE.replace("us", "eu")}` },
    403,
    "SignatureDoesNotMatch",
  ],
  "a key that does not exist": [
    { "x-amz-credential": `NOBODY/${SCOPE}` },
    403,
    "InvalidAccessKeyId",
  ],
  "another algorithm": [{ "x-amz-algorithm": "AWS4-HMAC-MD5" }, 400, "InvalidArgument"],
  "Signature Version 4A": [{ "x-amz-algorithm": "AWS4-ECDSA-P256-SHA256" }, 501, "NotImplemented"],
  "a credential that is none": [{ "x-amz-credential": "ROOTACCESSKEY" }, 400, "InvalidArgument"],
  "a credential of another service": [
    { "x-amz-credential": `ROOTACCESSKEY/${SCOPE.replace("s3/", "ec2/")}` },
    400,
    "InvalidArgument",
  ],
  "a credential of another day": [
    { "x-amz-credential": `ROOTACCESSKEY/${SCOPE.replace("0102", "0101")}` },
    400,
    "InvalidArgument",
  ],
  "a date that is none": [{ "x-amz-date": "2026-01-02" }, 400, "InvalidArgument"],
};
for (const [what, [changes, status, code]] of Object.entries(CHANGES)) {
  test(`PostObject refuses ${what} with ${code}`, async (t) => {
    const s3 = await startServer(t);

    assertRefused(await changed(s3, changes), status, code);

    await assertNothingStored(s3);
  });
}

test("PostObject says which text it expected to be signed", async (t) => {
  const s3 = await startServer(t);

  const { text } = await changed(s3, { policy: "e30=" });

  assert.equal(only(text, "StringToSign"), "e30=");
  assert.equal(only(text, "StringToSignBytes"), "65 33 30 3d");
  assert.equal(only(text, "CanonicalRequest"), undefined);
});

test("PostObject refuses Signature Version 2, and says what to use", async (t) => {
  const s3 = await startServer(t);
  const v2 = [
    ["AWSAccessKeyId", "ROOTACCESSKEY"],
    ["policy", "e30="],
    ["signature", "x"],
  ] as const;

  const reply = await postUnsigned(s3, [["key", "key"], ...v2]);

  assertRefused(reply, 400, "InvalidRequest");
  assert.match(reply.text, /AWS4-HMAC-SHA256/);
});

test("PostObject refuses a form whose request is signed too", async (t) => {
  const s3 = await startServer(t);
  const headers = { authorization: "AWS4-HMAC-SHA256 Credential=secret" };

  const reply = await post(s3, { headers });

  assertRefused(reply, 400, "InvalidArgument");
  assert.doesNotMatch(reply.text, /secret/);
});

test("PostObject takes a form for as long as its policy is good, and not before it was signed", async (t) => {
  const s3 = await startServer(t);
  const nowMs = s3.clock.now();
  const day = 86_400_000;
  const ask = async (signedMs: number) =>
    await post(s3, { nowMs: signedMs, expiration: new Date(nowMs).toISOString() });

  assert.equal((await ask(nowMs - 30 * day)).status, 204);
  assert.equal((await ask(nowMs + 14 * 60_000)).status, 204);
  assertRefused(await ask(nowMs + 16 * 60_000), 403, "AccessDenied");
  s3.clock.move(1);
  assertDenied(await ask(nowMs - day), "Policy expired.");
});

test("PostObject takes a session key with its token, and only with it", async (t) => {
  const s3 = await startServer(t);
  const { users, sessionKeys, policies } = s3.identities;
  await users.create(s3.organizationId, { uid: "ann", name: "ann", groups: [] });
  const everything = { effect: "Allow", actions: ["*"], resources: ["*"], principals: ["*"] };
  const policy = { version: "v1alpha1", name: "all", statements: [{ name: "all", ...everything }] };
  await policies.ensure(s3.organizationId, JSON.stringify(policy));
  const principal = userPrincipal({ organizationId: s3.organizationId, uid: "ann" }, []);
  const made = await sessionKeys.create({ principal, durationSeconds: 900 });
  const { accessKeyId, secretKey: secret, sessionToken } = made;

  const good = await post(s3, { accessKeyId, secret, sessionToken });
  const other = await post(s3, { accessKeyId, secret, sessionToken: "other" });
  const none = await post(s3, { accessKeyId, secret });
  s3.clock.move(901_000);
  const expiration = "2027-01-01T00:00:00Z";
  const late = await post(s3, { accessKeyId, secret, sessionToken, expiration });

  assert.equal(good.status, 204, good.text);
  assertRefused(other, 400, "InvalidToken");
  assert.ok(none.status >= 400);
  assertRefused(late, 400, "ExpiredToken");
});

test("PostObject keeps to the bucket and the mode of a CreateSession", async (t) => {
  const s3 = await startServer(t, { buckets: ["one--x-s3", "other"] });
  const start = async (mode: string) => {
    const headers = { "x-amz-create-session-mode": mode };
    const { text } = await s3.get("/one--x-s3?session", headers);
    const part = (name: string) => only(text, name) ?? assert.fail(text);
    const session = { accessKeyId: part("AccessKeyId"), secret: part("SecretAccessKey") };
    return { ...session, sessionToken: part("SessionToken") };
  };

  const writing = { ...(await start("ReadWrite")), bucket: "one--x-s3" };
  const reading = { ...(await start("ReadOnly")), bucket: "one--x-s3" };

  assert.equal((await post(s3, writing)).status, 204);
  assertRefused(await post(s3, { ...writing, bucket: "other" }), 403, "AccessDenied");
  assertRefused(await post(s3, reading), 403, "AccessDenied");
});

test("PostObject is judged as PutObject of that key, by organization and bucket", async (t) => {
  const s3 = await startServer(t);
  const put = async (...statements: readonly object[]) => {
    const body = JSON.stringify({ Version: "2012-10-17", Statement: statements });
    const reply = await s3.request({ method: "PUT", path: "/bucket?policy", body });
    assert.equal(reply.status, 204, reply.text);
  };
  const on = { Principal: "*", Resource: "arn:aws:s3:::bucket/in/*" };
  const at = async (key: string, posting: Posting = {}) =>
    (await post(s3, { ...posting, fields: { key } })).status;
  const all = {
    Effect: "Allow",
    Principal: "*",
    Action: "s3:*",
    Resource: "arn:aws:s3:::bucket/*",
  };

  assert.equal(await at("in/a", STRANGER), 403);
  assert.equal(await at("in/a", OTHER), 403);
  await put({ ...on, Effect: "Allow", Action: "s3:PutObject" });
  assert.equal(await at("in/a", OTHER), 204);
  assert.equal(await at("out/a", OTHER), 403);
  const tagging = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>";
  assertRefused(
    await post(s3, { ...OTHER, fields: { key: "in/a", tagging } }),
    403,
    "AccessDenied",
  );
  const posts = { StringEquals: { "s3:authType": "POST" } };
  await put(all, { ...on, Effect: "Deny", Action: "s3:PutObject", Condition: posts });
  assert.equal(await at("in/a"), 403);
  assert.equal((await s3.put("/bucket/in/a", "x")).status, 200);
  for (const [key, value] of [
    ["s3:x-amz-content-sha256", "UNSIGNED-PAYLOAD"],
    ["s3:ObjectCreationOperation", "true"],
  ] as const) {
    const Condition = { StringEquals: { [key]: value } };
    await put(all, { ...on, Effect: "Deny", Action: "s3:PutObject", Condition });
    assert.equal(await at("in/a"), 403, key);
  }
  const unencrypted = { Null: { "s3:x-amz-server-side-encryption": "true" } };
  await put(all, { ...on, Effect: "Deny", Action: "s3:PutObject", Condition: unencrypted });
  assert.equal(await at("in/a"), 403);
  const fields = { key: "in/a", "x-amz-server-side-encryption": "AES256" };
  assert.equal((await post(s3, { fields })).status, 204);
  const tagged = { StringEquals: { "s3:RequestObjectTag/a": "b" } };
  await put(all, { ...on, Effect: "Deny", Action: "s3:PutObject", Condition: tagged });
  assert.equal(await at("in/a"), 204);
  assertRefused(await post(s3, { fields: { key: "in/a", tagging } }), 403, "AccessDenied");
});

test("PostObject of a form that nobody signed needs a bucket policy that allows it to everybody", async (t) => {
  const s3 = await startServer(t);
  const fields = [
    ["key", "open/a"],
    ["Content-Type", "text/plain"],
  ] as const;

  assertRefused(await postUnsigned(s3, fields), 403, "AccessDenied");
  const statement = {
    ...{ Effect: "Allow", Principal: "*", Action: ["s3:PutObject", "s3:GetObject"] },
    Resource: "arn:aws:s3:::bucket/open/*",
  };
  const body = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
  await s3.request({ method: "PUT", path: "/bucket?policy", body });

  assert.equal((await postUnsigned(s3, fields)).status, 204);
  // It speaks of signed bodies.
  const chunked = ["x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"] as const;
  assert.equal((await postUnsigned(s3, [...fields, chunked])).status, 204);
  assert.equal((await s3.get("/bucket/open/a")).headers["content-type"], "text/plain");
  assertRefused(await postUnsigned(s3, [["key", "shut/a"]]), 403, "AccessDenied");
});

test("PostObject refuses a bucket that is not there with NoSuchBucket", async (t) => {
  const s3 = await startServer(t);

  assertRefused(await post(s3, { bucket: "missing" }), 404, "NoSuchBucket");
});
