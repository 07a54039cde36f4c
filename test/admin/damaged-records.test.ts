/** The control API while the disk has damaged one record, of whatever kind. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Rules } from "#access/rules.ts";
import { StorageError } from "#base/error.ts";
import { packRecord, unpackRecord } from "#base/json-record.ts";
import { type DocumentKind, documentsKey } from "#catalog/catalog.ts";
import { newBucketName } from "#object/name.ts";
import { type Json, openControl, type TestControl } from "#test/admin/control.ts";

const DAMAGE: Readonly<Record<string, (value: Buffer) => Buffer>> = {
  // As a sector of zeros would leave it.
  "cut short": (value) => value.fill(0, Math.min(20, value.length >> 1)),
  "of another shape": () => Buffer.from('{"format":1,"id":7,"name":true}'),
  "no object": () => Buffer.from("null"),
};
const NEVER = "1970-01-01T00:00:00.000Z";

for (const [how, damage] of Object.entries(DAMAGE)) {
  test(`organizations are listed past one whose record is ${how}: it has its id and the time 1970, and is told`, async (t) => {
    const api = await openControl(t);
    for (const orgId of ["aaa", "bbb", "ccc"]) {
      await api.ok("POST", "/v1/lode/organization", { orgId, name: `The ${orgId}` });
    }
    await spoil(api, "Obbb", damage);

    const { organizations } = await api.ok("GET", "/v1/lode/organization?limit=1000");

    told(api, /record Obbb/);
    const made = organizations.filter(({ orgId }: Json) => orgId !== api.organizationId);
    assert.deepEqual(
      made.map(({ orgId, name }: Json) => [orgId, name]),
      [
        ["aaa", "The aaa"],
        ["bbb", ""],
        ["ccc", "The ccc"],
      ],
    );
    assert.equal(made[1].creationTime, NEVER);
    // Nobody can tell whether it wants records, and its buckets are served.
    assert.deepEqual(await api.control.organizations.settings("bbb"), {
      controlPlaneAuditLoggingEnabled: true,
      bucketAuditLoggingEnabled: true,
    });
    assert.equal(await api.control.organizations.isDeleted("bbb"), false);
  });

  test(`users are listed past one whose record is ${how}, who is of no group and can be deleted`, async (t) => {
    const api = await openControl(t);
    for (const uid of ["ada", "bob", "cleo"]) {
      await api.ok("POST", "/v1/lode/user", { uid, groups: ["research"] });
    }
    await spoil(api, `U${api.organizationId}/bob`, damage);

    const { users } = await api.ok("GET", "/v1/lode/user");
    const { users: ofGroup } = await api.ok("GET", "/v1/lode/user?group=research");

    told(api, /record U\w+\/bob/);
    const bob = { uid: "bob", principalName: "coreweave/bob", name: "", groups: [] };
    assert.deepEqual(users[2], { ...bob, creationTime: NEVER });
    assert.deepEqual(uids(users), ["ada", "admin", "bob", "cleo"]);
    assert.deepEqual(uids(ofGroup), ["ada", "cleo"]);
    await api.ok("DELETE", "/v1/lode/user/bob");
    assert.deepEqual(uids((await api.ok("GET", "/v1/lode/user")).users), ["ada", "admin", "cleo"]);
  });

  test(`tokens are listed past one whose record is ${how}, which lets nobody in and can be revoked`, async (t) => {
    const api = await openControl(t);
    const tokens = [await api.userToken({ uid: "ada" }), await api.userToken({ uid: "bob" })];
    const before = (await api.ok("GET", "/v1/lode/api-token")).tokens;
    const { id, uid } = before[0];
    const [spoilt, whole] = tokens.sort((a) => (a.includes(id) ? -1 : 1));
    await spoil(api, `T${api.organizationId}/${id}`, damage);

    const { tokens: listed } = await api.ok("GET", "/v1/lode/api-token");
    const { tokens: ofUser } = await api.ok("GET", `/v1/lode/api-token?uid=${uid}`);

    told(api, new RegExp(`record T\\w+/${id}`));
    assert.deepEqual(listed, [{ id, uid: "", name: "", creationTime: NEVER }, before[1]]);
    assert.deepEqual(ofUser, []);
    assert.equal((await api.call({ path: WHOAMI, token: whole })).status, 200);
    assert.equal((await api.call({ path: WHOAMI, token: spoilt })).status, 500);
    told(api, new RegExp(`record T\\w+/${id}`));
    await api.ok("DELETE", `/v1/lode/api-token/${id}`);
    assert.equal((await api.call({ path: WHOAMI, token: spoilt })).status, 401);
    assert.deepEqual((await api.ok("GET", "/v1/lode/api-token")).tokens, [before[1]]);
  });

  test(`buckets are told of past one whose record is ${how}, and one whose settings are`, async (t) => {
    const api = await openControl(t);
    const { catalog } = api.control;
    const owner = { id: api.organizationId, region: "here" };
    for (const name of ["aaa", "bbb", "ccc"]) await catalog.create(newBucketName(name), owner);
    await api.ok("PUT", "/v1/cwobject/bucket/settings", {
      bucketName: "ccc",
      settings: { auditLoggingEnabled: true },
    });
    const { id } = await catalog.bucket(newBucketName("ccc"));
    await spoil(api, "bbbb", damage);
    await spoil(api, `d${id}/settings`, damage);
    await api.meta.commit({
      guards: [],
      writes: [{ key: documentsKey({ id }), value: Buffer.of(0) }],
    });

    const { info } = await api.ok("GET", "/v1/cwobject/bucket-info");

    told(api, /bucket "bbb"|bucket "ccc"/);
    assert.deepEqual(
      info.map(({ name, location, creationTime }: Json) => [
        name,
        location,
        creationTime === NEVER,
      ]),
      [
        ["aaa", "here", false],
        ["bbb", "", true],
        ["ccc", "here", false],
      ],
    );
    assert.deepEqual(info[1].usage, []);
  });

  test(`a bucket whose documents are ${how} is as strict as it may be, loses nothing to its rules, and can be set anew`, async (t) => {
    const { control, meta, organizationId, failures } = await openControl(t);
    const { catalog } = control;
    const name = newBucketName("bucket");
    await catalog.create(name, { id: organizationId, region: "here" });
    const bucket = await catalog.bucket(name);
    const put = async () => {
      for (const [kind, text] of Object.entries(DOCUMENTS)) {
        await catalog.setDocument(bucket, kind as DocumentKind, text);
      }
    };
    await put();
    const before = await catalog.settings(bucket);
    assert.equal((await catalog.lifecycle(bucket)).length, 1);
    for (const kind of Object.keys(DOCUMENTS)) {
      await spoil({ meta }, `d${bucket.id}/${kind}`, damage);
    }
    await meta.commit({ guards: [], writes: [{ key: documentsKey(bucket), value: Buffer.of(0) }] });

    const {
      policy,
      restrictPublic,
      lifecycle,
      encrypts,
      control: set,
    } = await catalog.settings(bucket);

    assert.deepEqual(policy, { rules: new Rules([]), isPublic: false });
    assert.deepEqual({ restrictPublic, lifecycle, encrypts }, STRICT);
    assert.deepEqual(set, { auditLoggingEnabled: true, capacityCapBytes: undefined, rates: {} });
    const refused = await catalog.lifecycle(bucket).catch((cause) => failures.push(cause));
    assert.equal(refused, 1);
    told({ failures }, /the document "\w+" of bucket "bucket"/);
    assert.equal(await catalog.changeControlSettings(bucket, (now) => now), set);
    await put();
    assert.deepEqual(await catalog.settings(bucket), before);
  });

  test(`policies that are ${how} allow nothing, and those of another organization stand`, async (t) => {
    const api = await openControl(t);
    await api.ok("POST", "/v1/lode/organization", { orgId: "other", name: "Other" });
    const [own, others] = [
      await api.userToken({ uid: "ada" }),
      await api.userToken({ uid: "bob", organizationId: "other" }),
    ];
    const policy = policyOf("coreweave/bob");
    await api.control.policies.ensure("other", policy);
    await api.allow("coreweave/ada", ["cwobject:*"]);
    const list = { path: "/v1/lode/user" };
    assert.equal((await api.call({ ...list, token: own })).status, 200);
    await spoil(api, `P${api.organizationId}`, damage);

    assert.equal((await api.call({ ...list, token: own })).status, 500);
    told(api, /record P/);
    assert.equal((await api.call({ ...list, token: others })).status, 200);
  });

  test(`what was revoked is ${how}: all session keys of the organization are, until its next revocation, and those of then`, async (t) => {
    const api = await openControl(t);
    await api.ok("POST", "/v1/lode/user", { uid: "ada" });
    const { sessionKeys, keys } = api.control;
    const principal = { ...ADA, organizationId: api.organizationId };
    const session = async () => {
      const made = await sessionKeys.create({ principal, durationSeconds: 900 });
      return async () => await sessionKeys.find(made.accessKeyId, made.sessionToken);
    };
    const stored = await keys.create({
      ...{ principal, durationSeconds: 0, attributes: {}, withSession: false },
    });
    await keys.revokeOf(api.organizationId, "coreweave/bob");
    const find = await session();
    assert.notEqual(await find(), undefined);
    await spoil(api, `X${api.organizationId}`, damage);

    await assert.rejects(find, { name: "StorageError" });
    assert.equal(await keys.revokeOf(api.organizationId, principal.name), 1);

    assert.equal(await keys.find(stored.accessKeyId), undefined);
    assert.equal(await find(), undefined);
    api.clock.move(1);
    assert.notEqual(await (await session())(), undefined);
  });
}

test("a policy that is no JSON any more is listed by its name, allows nothing beside others, and can be deleted", async (t) => {
  const api = await openControl(t);
  const token = await api.userToken({ uid: "ada" });
  await api.allow("coreweave/ada", ["cwobject:*"]);
  await spoil(api, `P${api.organizationId}`, (value) => {
    const { documents, ...record } = unpackRecord(value) as { readonly documents: object };
    const broken = { ...documents, broken: '{"version":"v1alpha1","na' };
    return packRecord({ ...record, documents: broken });
  });

  const { policies } = await api.ok("GET", "/v1/cwobject/access-policy");
  assert.deepEqual(
    policies.map(({ name, statements }: Json) => [name, statements.length]),
    [
      ["administrator", 1],
      ["broken", 0],
      ["coreweave-ada cwobject:*", 1],
    ],
  );
  told(api, /policy "broken"/);
  assert.equal((await api.call({ path: "/v1/lode/user", token })).status, 500);
  told(api, /access policies of organization/);
  await api.ok("DELETE", "/v1/cwobject/access-policy/broken");
  assert.equal((await api.call({ path: "/v1/lode/user", token })).status, 200);
});

/** As their operations store them. */
const DOCUMENTS = {
  policy: JSON.stringify({
    Version: "2012-10-17",
    Statement: { Effect: "Allow", Principal: "*", Action: "s3:*", Resource: "arn:aws:s3:::bucket" },
  }),
  publicAccessBlock: "<RestrictPublicBuckets>false</RestrictPublicBuckets>",
  lifecycle:
    "<LifecycleConfiguration><Rule><ID>r</ID><Status>Enabled</Status><Filter><Prefix></Prefix></Filter><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>",
  encryption: "<ServerSideEncryptionConfiguration/>",
  settings: JSON.stringify({ auditLoggingEnabled: false, rates: { requestsPerSecond: 7 } }),
};
const STRICT = { restrictPublic: true, lifecycle: [], encrypts: true };
const WHOAMI = "/v1/lode/whoami";
const ADA = { kind: "user", name: "coreweave/ada", groups: [] } as const;

function policyOf(principal: string): string {
  const allowed = { effect: "Allow", actions: ["cwobject:*"], resources: ["*"] };
  const statements = [{ name: "allow", ...allowed, principals: [principal] }];
  return JSON.stringify({ version: "v1alpha1", name: "policy", statements });
}

function uids(users: Json): readonly string[] {
  return users.map(({ uid }: Json) => uid);
}

/** What the log says: of damage, and of nothing else. */
function told({ failures }: Pick<TestControl, "failures">, pattern: RegExp): void {
  assert.ok(failures.length > 0, "it is told");
  for (const failure of failures) {
    assert.ok(failure instanceof StorageError, String(failure));
    assert.equal(failure.kind, "corrupt");
    assert.match(failure.message, pattern);
  }
  failures.length = 0;
}

async function spoil(
  { meta }: Pick<TestControl, "meta">,
  name: string,
  how: (value: Buffer) => Buffer,
): Promise<void> {
  const key = Buffer.from(name);
  const stored = (await meta.get(key))?.value;
  assert.ok(stored !== undefined, `${name} is there`);
  await meta.commit({ guards: [], writes: [{ key, value: how(Buffer.from(stored)) }] });
}
