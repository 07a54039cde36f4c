import assert from "node:assert/strict";
import { test } from "node:test";
import { openControl, ROOT_ACCESS_KEY_ID, type TestControl } from "#test/admin/control.ts";

const KEYS = "/v1/cwobject/access-key";

async function withAda(t: Parameters<typeof openControl>[0]) {
  const opened = await openControl(t);
  const token = await opened.userToken({ uid: "ada" });
  await opened.allow("coreweave/ada", ["cwobject:*"]);
  const make = async (body: unknown = { durationSeconds: 0 }) => {
    const { status, json } = await opened.call({ method: "POST", path: KEYS, body, token });
    assert.equal(status, 200, JSON.stringify(json));
    return json;
  };
  return { ...opened, token, make };
}

/** Whether the S3 front would verify a signature with it. */
async function works({ control }: TestControl, accessKeyId: string): Promise<boolean> {
  return (await control.keys.find(accessKeyId)) !== undefined;
}

test("CreateAccessKeyFromJWT makes a key of the caller's own, in CoreWeave's form, and shows its secret", async (t) => {
  const { make, control } = await withAda(t);

  const key = await make({ durationSeconds: 0, attributes: { name: "permanent-key" } });

  assert.match(key.accessKeyId, /^CW[A-Z]{14}$/);
  assert.match(key.secretKey, /^cwo[a-z0-9]{40}$/);
  assert.equal(key.principalName, "coreweave/ada");
  assert.deepEqual(key.attributes, { name: "permanent-key" });
  assert.equal(key.expiry, undefined, "absent: it does not expire");
  const found = await control.keys.find(key.accessKeyId);
  assert.equal(found?.secret, key.secretKey);
  assert.equal(found?.principal.name, "coreweave/ada");
});

test("a key of some seconds tells when it expires, and says so when it has", async (t) => {
  const { make, ok, clock } = await withAda(t);

  const { accessKeyId, expiry } = await make({ durationSeconds: 300 });

  assert.equal(expiry, "2026-01-02T03:09:05.678Z");
  const before = await ok("GET", `${KEYS}/${accessKeyId}`);
  assert.equal(before.info.status, "ACTIVE");
  clock.move(300_000);
  assert.equal((await ok("GET", `${KEYS}/${accessKeyId}`)).info.status, "EXPIRED");
});

test("GetAccessKeyInfo tells all but the secret", async (t) => {
  const { make, ok, organizationId } = await withAda(t);
  const { accessKeyId } = await make({ durationSeconds: 60, attributes: { team: "a" } });

  assert.deepEqual(await ok("GET", `${KEYS}/${accessKeyId}`), {
    info: {
      accessKeyId,
      principalName: "coreweave/ada",
      orgId: organizationId,
      expiry: "2026-01-02T03:05:05.678Z",
      status: "ACTIVE",
      attributes: { team: "a" },
      creationTime: "2026-01-02T03:04:05.678Z",
    },
  });
});

test("the operator makes keys for users by name, and has none of its own", async (t) => {
  const { ok, call } = await withAda(t);

  const { principalName } = await ok("POST", "/v1/lode/user/ada/access-key", {
    durationSeconds: 60,
  });
  assert.equal(principalName, "coreweave/ada");

  const own = await call({ method: "POST", path: KEYS, body: { durationSeconds: 60 } });
  assert.equal(own.status, 400);
  assert.equal(own.json.code, 9);
  assert.match(own.json.message, /make one for a user with POST \/v1\/lode\/user/);
  const nobody = await call({
    method: "POST",
    path: "/v1/lode/user/nobody/access-key",
    body: { durationSeconds: 60 },
  });
  assert.equal(nobody.status, 404);
});

test("attributes are held to CoreWeave's rules", async (t) => {
  const { call, token } = await withAda(t);

  const bad = [
    { "cw-name": "x" },
    { role: "x" },
    { groups1: "x" },
    { Upper: "x" },
    { ["a".repeat(64)]: "x" },
    { name: "has space" },
    { name: "x".repeat(64) },
    Object.fromEntries(Array.from({ length: 16 }, (_, at) => [`a${at}`, "x"])),
  ];
  for (const attributes of bad) {
    const body = { durationSeconds: 0, attributes };
    const { status, json } = await call({ method: "POST", path: KEYS, body, token });
    assert.equal(status, 400, JSON.stringify(attributes));
    assert.match(json.message, /^attributes/);
  }
});

test("ListAccessKeyInfo pages by offset and limit, and by token", async (t) => {
  const { make, ok } = await withAda(t);
  const made: string[] = [];
  for (let number = 0; number < 5; number += 1) made.push((await make()).accessKeyId);
  made.sort();
  const ids = ({ info }: { info: { accessKeyId: string }[] }) =>
    info.map(({ accessKeyId }) => accessKeyId);

  assert.deepEqual(ids(await ok("GET", KEYS)), made);
  assert.deepEqual(ids(await ok("GET", `${KEYS}?offset=0&limit=2`)), made.slice(0, 2));
  assert.deepEqual(ids(await ok("GET", `${KEYS}?offset=4&limit=2`)), made.slice(4));
  assert.deepEqual(ids(await ok("GET", `${KEYS}?offset=9`)), []);
  const byToken: string[] = [];
  let query = "?limit=2";
  for (;;) {
    const page = await ok("GET", KEYS + query);
    byToken.push(...ids(page));
    if (page.nextPageToken === undefined) break;
    query = `?limit=2&pageToken=${page.nextPageToken}`;
  }
  assert.deepEqual(byToken, made);
});

test("ListAccessKeyInfo tells active keys, or those of a principal, when it is asked to", async (t) => {
  const { make, ok } = await withAda(t);
  const { accessKeyId } = await make();
  const { accessKeyId: revoked } = await make();
  await ok("POST", "/v1/cwobject/revoke-access-key/access-key", { accessKey: revoked });
  await ok("POST", "/v1/lode/user/admin/access-key", { durationSeconds: 0 });

  const ofAda = await ok("GET", `${KEYS}?principalName=coreweave/ada`);
  assert.deepEqual(ofAda.info.map(({ status }: { status: string }) => status).sort(), [
    "ACTIVE",
    "DELETED",
  ]);
  const active = await ok(
    "GET",
    `${KEYS}?status=ACCESS_KEY_STATUS_ACTIVE&principalName=coreweave/ada`,
  );
  assert.equal(active.info.length, 1);
  assert.equal(active.info[0].accessKeyId, accessKeyId);
});

test("keys of other organizations are not listed, told of, suspended or revoked, whatever token a page begins at", async (t) => {
  const { make, ok, call } = await withAda(t);
  const { accessKeyId } = await make();
  await ok("POST", "/v1/lode/organization", { orgId: "zzz", name: "Z" });
  await ok("POST", "/v1/lode/user?orgId=zzz", { uid: "zoe" });
  await ok("POST", "/v1/lode/user/zoe/access-key?orgId=zzz", { durationSeconds: 0 });

  for (const place of ["", "a", "0", "zzz", "zzz/"]) {
    const token = Buffer.from(place).toString("base64url");
    const { info } = await ok("GET", `${KEYS}?orgId=zzz&pageToken=${token}`);
    assert.deepEqual(
      info.map(({ orgId }: { orgId: string }) => orgId),
      ["zzz"],
      place,
    );
  }
  const refused = [
    { path: `${KEYS}/${accessKeyId}?orgId=zzz` },
    {
      method: "PUT",
      path: `/v1/lode/access-key-status/${accessKeyId}`,
      body: { status: "SUSPENDED", orgId: "zzz" },
    },
    {
      method: "POST",
      path: "/v1/cwobject/revoke-access-key/access-key",
      body: { accessKey: accessKeyId, orgId: "zzz" },
    },
  ];
  for (const ask of refused) assert.equal((await call(ask)).status, 404, ask.path);
});

test("a key revoked by any of the names it was seen under works no more at once", async (t) => {
  const opened = await withAda(t);
  for (const name of ["accessKey", "accessKeyId", "accessKeyID", "access_key"]) {
    const { accessKeyId } = await opened.make();
    assert.ok(await works(opened, accessKeyId));

    const path = "/v1/cwobject/revoke-access-key/access-key";
    assert.deepEqual(await opened.ok("POST", path, { [name]: accessKeyId }), {});

    assert.ok(!(await works(opened, accessKeyId)));
    assert.equal((await opened.ok("GET", `${KEYS}/${accessKeyId}`)).info.status, "DELETED");
  }
});

test("RevokeAccessKeysByPrincipal ends all keys of a principal and no other's", async (t) => {
  const opened = await withAda(t);
  const mine = [(await opened.make()).accessKeyId, (await opened.make()).accessKeyId];
  const body = { durationSeconds: 0 };
  const other = await opened.ok("POST", "/v1/lode/user/admin/access-key", body);

  const path = "/v1/cwobject/revoke-access-key/principal";
  assert.deepEqual(await opened.ok("POST", path, { principalName: "coreweave/ada" }), {});

  for (const accessKeyId of mine) assert.ok(!(await works(opened, accessKeyId)));
  assert.ok(await works(opened, other.accessKeyId));
  assert.deepEqual(await opened.ok("POST", path, { principalName: "role/nobody" }), {});
});

test("keys of a principal are suspended and work again, as CoreWeave's UpdateAccessKeyStatus says", async (t) => {
  const opened = await withAda(t);
  const { accessKeyId } = await opened.make();
  const set = async (status: string) =>
    await opened.ok("PUT", "/v1/cwobject/access-key-status", {
      principalName: "coreweave/ada",
      status,
    });

  assert.deepEqual(await set("ACCESS_KEY_STATUS_SUSPENDED"), {});
  assert.ok(!(await works(opened, accessKeyId)));
  const { info } = await opened.ok("GET", `${KEYS}/${accessKeyId}`);
  assert.equal(info.status, "FULL_SUSPENDED");
  await set("ACCESS_KEY_STATUS_ACTIVE");
  assert.ok(await works(opened, accessKeyId));
});

test("one key is suspended and resumed; a deleted one stays deleted", async (t) => {
  const opened = await withAda(t);
  const [one, two] = [(await opened.make()).accessKeyId, (await opened.make()).accessKeyId];
  const path = `/v1/lode/access-key-status/${one}`;

  await opened.ok("PUT", path, { status: "SUSPENDED" });
  assert.deepEqual([await works(opened, one), await works(opened, two)], [false, true]);
  await opened.ok("PUT", path, { status: "ACTIVE" });
  assert.ok(await works(opened, one));

  await opened.ok("POST", "/v1/cwobject/revoke-access-key/access-key", { accessKey: one });
  const { status, json } = await opened.call({ method: "PUT", path, body: { status: "ACTIVE" } });
  assert.equal(status, 400);
  assert.equal(json.message, `access key "${one}" was deleted`);
});

const BROUGHT = { accessKeyId: "user_2aBcDeFg0", secretKey: "rps_0123456789+/=abc" };
const ADAS_KEYS = "/v1/lode/user/ada/access-key";

test("the operator brings a pair that clients have already, and it signs as what was made here does", async (t) => {
  const { ok, control } = await withAda(t);

  const made = await ok("POST", ADAS_KEYS, { ...BROUGHT, durationSeconds: 0 });

  assert.equal(made.accessKeyId, BROUGHT.accessKeyId);
  const found = await control.keys.find(BROUGHT.accessKeyId);
  assert.equal(found?.secret, BROUGHT.secretKey);
  assert.equal(found?.principal.name, "coreweave/ada");
  const { info } = await ok("GET", `${KEYS}/${BROUGHT.accessKeyId}`);
  assert.equal(info.status, "ACTIVE");
  assert.equal(JSON.stringify(await ok("GET", KEYS)).includes(BROUGHT.secretKey), false);
});

test("an id that is a key's, or was one's until now, cannot be brought again", async (t) => {
  const opened = await withAda(t);
  const { ok, call, control, clock } = opened;
  const bring = async (pair: object) => {
    const body = { ...BROUGHT, ...pair, durationSeconds: 0 };
    const { status, json } = await call({ method: "POST", path: ADAS_KEYS, body });
    return [status, json.code];
  };
  await ok("POST", ADAS_KEYS, { ...BROUGHT, durationSeconds: 0 });

  assert.deepEqual(await bring({ secretKey: "another-secret-of-theirs" }), [409, 6]);
  assert.deepEqual(await bring({ accessKeyId: ROOT_ACCESS_KEY_ID }), [409, 6]);
  const { accessKeyId } = await ok("POST", ADAS_KEYS, { durationSeconds: 0 });
  assert.deepEqual(await bring({ accessKeyId }), [409, 6]);
  assert.equal((await control.keys.find(BROUGHT.accessKeyId))?.secret, BROUGHT.secretKey);
  const path = "/v1/cwobject/revoke-access-key/access-key";
  await ok("POST", path, { accessKey: BROUGHT.accessKeyId });
  assert.deepEqual(await bring({}), [409, 6]);
  clock.move(86_400_000);
  await control.keys.sweep({ after: "", limit: 100, failed: assert.fail });
  assert.deepEqual(await bring({}), [200, undefined]);
  assert.equal(await works(opened, BROUGHT.accessKeyId), true);
});

const REFUSED_PAIRS: Readonly<Record<string, object>> = {
  "an id alone": { secretKey: undefined },
  "a secret alone": { accessKeyId: undefined },
  "an empty id": { accessKeyId: "" },
  "an id of two characters": { accessKeyId: "ab" },
  "an id with a slash": { accessKeyId: "user/abc" },
  "an id with a comma": { accessKeyId: "user,abc" },
  "an id with an equals sign": { accessKeyId: "user=abc" },
  "an id that begins like an option": { accessKeyId: "-user" },
  "an id that ends in a line break": { accessKeyId: "user_abc\n" },
  "an id of 129 characters": { accessKeyId: "a".repeat(129) },
  "an id like those of session keys": { accessKeyId: "CW0ABCDEFGHIJKLM" },
  "a secret of seven characters": { secretKey: "rps_abc" },
  "a secret of 129 characters": { secretKey: "s".repeat(129) },
  "a secret with a space": { secretKey: "a secret with spaces" },
  "a secret that is no ASCII": { secretKey: "s\u00e9cret-secret" },
};
for (const [what, change] of Object.entries(REFUSED_PAIRS)) {
  test(`CreateUserAccessKey refuses ${what}, and does not repeat the secret`, async (t) => {
    const { call, ok } = await withAda(t);
    const body = { ...BROUGHT, durationSeconds: 0, ...change };

    const { status, json } = await call({ method: "POST", path: ADAS_KEYS, body });

    assert.equal(status, 400);
    assert.equal(json.code, 3);
    assert.equal(JSON.stringify(json).includes("rps_"), false);
    assert.deepEqual((await ok("GET", KEYS)).info, []);
  });
}

test("nobody but the operator brings keys, whatever policies allow", async (t) => {
  const { call, token, control } = await withAda(t);
  const body = { ...BROUGHT, durationSeconds: 0 };

  const { status } = await call({ method: "POST", path: ADAS_KEYS, body, token });

  assert.equal(status, 403);
  assert.equal(await control.keys.find(BROUGHT.accessKeyId), undefined);
});
