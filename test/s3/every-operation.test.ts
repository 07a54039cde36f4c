import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { userPrincipal } from "#catalog/users.ts";
import type { Operation } from "#s3/operation.ts";
import { OPERATIONS } from "#s3/operations.ts";
import { conditions } from "#s3/route.ts";
import { assertRefused } from "#test/s3/xml.ts";
import { multipart, signedForm } from "#test/support/form.ts";
import { type Ask, OTHER, type Reply, ROOT, STRANGER, startServer } from "#test/support/server.ts";

// Properties that every row of the operations table has. A new operation is covered on arrival.

/** What an operation needs besides its route to be understood. */
const NEEDS: Readonly<Record<string, Pick<Ask, "headers" | "body">>> = {
  CompleteMultipartUpload: {
    body: "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>a</ETag></Part></CompleteMultipartUpload>",
  },
  DeleteObjects: {
    body: "<Delete><Object><Key>key</Key></Object></Delete>",
    headers: { "content-md5": "VUxjCEXWiErKatrg6+J0xA==" },
  },
  GetObjectAttributes: { headers: { "x-amz-object-attributes": "ETag" } },
  PutBucketVersioning: {
    body: "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
  },
  PutBucketCors: {
    body: "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>",
  },
  PutBucketEncryption: {
    body: "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>",
  },
  PutBucketLifecycleConfiguration: {
    body: "<LifecycleConfiguration><Rule><Status>Enabled</Status><Filter/><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>",
  },
  PutBucketOwnershipControls: {
    body: "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>",
  },
  PutBucketPolicy: {
    body: '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::*"}}',
  },
  PutBucketTagging: { body: "<Tagging><TagSet/></Tagging>" },
  PutObjectTagging: { body: "<Tagging><TagSet/></Tagging>" },
  PutPublicAccessBlock: {
    body: "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>",
  },
  RenameObject: { headers: { "x-amz-rename-source": "bucket/key" } },
};

interface On {
  readonly bucket: string;
  readonly nowMs: number;
}

/** A request that is this operation, on a bucket and a key. */
function requestOf(operation: Operation, on: On, more: Partial<Ask> = {}): Ask {
  if (operation.body === "form") return formOf(on, more);
  const { bucket } = on;
  const { name, route } = operation;
  const path = { service: "/", bucket: `/${bucket}`, object: `/${bucket}/key` }[route.on];
  const query = (route.query ?? []).map((condition) =>
    condition === "partNumber" ? "partNumber=1" : condition,
  );
  const { headers = {}, body = "" } = NEEDS[name] ?? {};
  const copied = route.header === undefined ? {} : { [route.header]: `${bucket}/other` };
  return {
    method: route.method,
    path,
    query: query.join("&"),
    headers: { ...headers, ...copied },
    body,
    ...more,
  };
}

/** A form says itself who sends it. */
function formOf({ bucket, nowMs }: On, { as = ROOT, sign }: Partial<Ask>): Ask {
  const fields = { key: "key" };
  const said =
    sign === false ? Object.entries(fields) : signedForm({ ...as, bucket, fields, nowMs });
  const form = multipart([...said, ["file", "posted"]]);
  return { method: "POST", path: `/${bucket}`, sign: false, ...form };
}

/** DeleteObjects tells those whom it knows of each key by itself. */
function statusOf(name: string, { status, text }: Reply): number {
  const isOfKeys = name === "DeleteObjects" && status === 200 && !text.includes("<Deleted>");
  return isOfKeys && text.includes("<Code>AccessDenied</Code>") ? 403 : status;
}

const STRANGERS: Readonly<Record<string, Partial<Ask>>> = {
  "a caller without a signature": { sign: false },
  "a caller whom nothing is allowed": { as: STRANGER },
  "a wrong secret": { as: { ...ROOT, secret: OTHER.secret } },
  "a key that does not exist": { as: { ...ROOT, accessKeyId: "NOSUCHACCESSKEY" } },
};
for (const operation of OPERATIONS) {
  const { name, route } = operation;
  test(`${name} refuses strangers with 403 and changes nothing`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", "bytes");

    for (const [who, more] of Object.entries(STRANGERS)) {
      const on = { bucket: "bucket", nowMs: s3.clock.now() };
      const reply = await s3.request(requestOf(operation, on, more));
      assert.equal(statusOf(name, reply), 403, `${who}: ${reply.text}`);
    }
    assert.equal((await s3.get("/bucket/key")).text, "bytes");
  });

  // A session may be there before the bucket that it is for.
  if (route.on === "service" || ["CreateBucket", "CreateSession"].includes(name)) continue;
  test(`${name} refuses a bucket that is not there with 404, or is not offered at all`, async (t) => {
    const s3 = await startServer(t);

    const on = { bucket: "missing", nowMs: s3.clock.now() };
    const reply = await s3.request(requestOf(operation, on));

    if (reply.code === "NotImplemented") assert.equal(reply.status, 501);
    else if (route.method === "HEAD") assert.equal(reply.status, 404);
    else assertRefused(reply, 404, "NoSuchBucket");
  });
}

/** Keys that were good once, and what they are refused with now. */
const ENDED = {
  "a key that has expired": "ExpiredToken",
  "a key that is suspended": "InvalidAccessKeyId",
  "a key that was revoked": "InvalidAccessKeyId",
  "a key of a user who was removed": "InvalidAccessKeyId",
  "a key of a user who was removed, and came again": "InvalidAccessKeyId",
  "a session key that has expired": "ExpiredToken",
  "a session key that was revoked": "InvalidToken",
  "a session key without its token": "InvalidAccessKeyId",
} as const;
type Ended = keyof typeof ENDED;
const STATUS = { ExpiredToken: 400, InvalidAccessKeyId: 403, InvalidToken: 400 } as const;
const LIFE_SECONDS = 900;

/** A server where each of them was somebody's who may do everything. */
async function startWithEnded(t: TestContext) {
  const s3 = await startServer(t);
  const { organizationId, identities, clock } = s3;
  const { users, keys, sessionKeys, policies } = identities;
  const keyOf = async (uid: string, durationSeconds = 0) => {
    await users.create(organizationId, { uid, name: uid, groups: [] });
    const principal = userPrincipal({ organizationId, uid }, []);
    const ask = { principal, durationSeconds, attributes: {}, withSession: false };
    const { accessKeyId, secretKey } = await keys.create(ask);
    return { accessKeyId, secret: secretKey };
  };
  const sessionKeyOf = async (uid: string) => {
    await users.create(organizationId, { uid, name: uid, groups: [] });
    const principal = userPrincipal({ organizationId, uid }, []);
    const ask = { principal, durationSeconds: LIFE_SECONDS };
    const { accessKeyId, secretKey, sessionToken } = await sessionKeys.create(ask);
    return { accessKeyId, secret: secretKey, sessionToken };
  };
  const everything = { effect: "Allow", actions: ["*"], resources: ["*"], principals: ["*"] };
  const statements = [{ name: "everything", ...everything }];
  const policy = { version: "v1alpha1", name: "everybody", statements };
  await policies.ensure(organizationId, JSON.stringify(policy));
  const { sessionToken: _, ...tokenless } = await sessionKeyOf("tokenless");
  const made: Readonly<Record<Ended, NonNullable<Ask["as"]>>> = {
    "a key that has expired": await keyOf("late", LIFE_SECONDS),
    "a key that is suspended": await keyOf("suspended"),
    "a key that was revoked": await keyOf("revoked"),
    "a key of a user who was removed": await keyOf("removed"),
    "a key of a user who was removed, and came again": await keyOf("again"),
    "a session key that has expired": await sessionKeyOf("session-late"),
    "a session key that was revoked": await sessionKeyOf("session-revoked"),
    "a session key without its token": tokenless,
  };
  await s3.put("/bucket/key", "bytes");
  for (const [who, as] of Object.entries(made)) {
    if (as === tokenless) continue;
    assert.equal((await s3.request({ path: "/bucket/key", as })).text, "bytes", `${who}, before`);
  }
  const revoked = made["a session key that was revoked"].accessKeyId;
  await keys.setSuspended(organizationId, made["a key that is suspended"].accessKeyId, true);
  await keys.revoke(organizationId, made["a key that was revoked"].accessKeyId);
  await keys.revoke(organizationId, revoked);
  for (const uid of ["removed", "again"]) await users.remove({ organizationId, uid });
  await users.create(organizationId, { uid: "again", name: "again", groups: [] });
  clock.move(LIFE_SECONDS * 1_000);
  return { s3, made: Object.entries(made) as [Ended, NonNullable<Ask["as"]>][] };
}

test("every operation refuses keys that were good once, and changes nothing", async (t) => {
  const { s3, made } = await startWithEnded(t);

  for (const operation of OPERATIONS) {
    const on = { bucket: "bucket", nowMs: s3.clock.now() };
    for (const [who, as] of made) {
      const { status, code, text } = await s3.request(requestOf(operation, on, { as }));
      const wanted = ENDED[who];
      assert.equal(status, STATUS[wanted], `${operation.name}, ${who}: ${text}`);
      if (operation.route.method !== "HEAD")
        assert.equal(code, wanted, `${operation.name}, ${who}`);
    }
  }
  assert.equal((await s3.get("/bucket/key")).text, "bytes");
});

test("every operation on a bucket refuses a key of another organization with AccessDenied", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");

  for (const operation of OPERATIONS) {
    const { name, route } = operation;
    // Nobody's bucket is touched by these: they ask for one's own, and for a name that is taken.
    if (route.on === "service" || name === "CreateBucket") continue;
    const on = { bucket: "bucket", nowMs: s3.clock.now() };
    const reply = await s3.request(requestOf(operation, on, { as: OTHER }));
    assert.equal(statusOf(name, reply), 403, `${name}: ${reply.text}`);
    if (route.method !== "HEAD") assert.match(reply.text, /<Code>AccessDenied<\/Code>/, name);
  }
  assert.equal((await s3.get("/bucket/key")).text, "bytes");
});

test("no request matches two operations equally well", () => {
  const seen = new Map<string, string>();
  for (const { name, route } of OPERATIONS) {
    const { method, on, query = [], header = "" } = route;
    const shape = [method, on, conditions(route), [...query].sort(), header].join(" ");
    assert.equal(seen.get(shape), undefined, `${name} and ${seen.get(shape)} have one route`);
    seen.set(shape, name);
  }
});

test("no two operations have one name", () => {
  assert.equal(new Set(OPERATIONS.map(({ name }) => name)).size, OPERATIONS.length);
});
