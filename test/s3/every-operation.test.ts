import assert from "node:assert/strict";
import { test } from "node:test";
import type { Operation } from "#s3/operation.ts";
import { OPERATIONS } from "#s3/operations.ts";
import { conditions } from "#s3/route.ts";
import { assertRefused } from "#test/s3/xml.ts";
import { type Ask, OTHER, ROOT, STRANGER, startServer } from "#test/support/server.ts";

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

/** A request that is this operation, on a bucket and key of these names. */
function requestOf({ name, route }: Operation, bucket: string): Ask {
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
  };
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
      const reply = await s3.request({ ...requestOf(operation, "bucket"), ...more });
      assert.equal(reply.status, 403, `${who}: ${reply.text}`);
    }
    assert.equal((await s3.get("/bucket/key")).text, "bytes");
  });

  // A session may be there before the bucket that it is for.
  if (route.on === "service" || ["CreateBucket", "CreateSession"].includes(name)) continue;
  test(`${name} refuses a bucket that is not there with 404, or is not offered at all`, async (t) => {
    const s3 = await startServer(t);

    const reply = await s3.request(requestOf(operation, "missing"));

    if (reply.code === "NotImplemented") assert.equal(reply.status, 501);
    else if (route.method === "HEAD") assert.equal(reply.status, 404);
    else assertRefused(reply, 404, "NoSuchBucket");
  });
}

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
