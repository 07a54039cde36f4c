import assert from "node:assert/strict";
import { test } from "node:test";
import { openControl } from "#test/admin/control.ts";

const USERS = "/v1/lode/user";
const TOKENS = "/v1/lode/api-token";

test("users are made, told of, changed and listed", async (t) => {
  const { ok, call } = await openControl(t);

  const ada = {
    uid: "ada",
    principalName: "coreweave/ada",
    name: "Ada Lovelace",
    groups: ["research"],
    creationTime: "2026-01-02T03:04:05.678Z",
  };
  const { uid, name, groups } = ada;
  assert.deepEqual(await ok("POST", USERS, { uid, name, groups }), ada);
  assert.deepEqual(await ok("GET", `${USERS}/ada`), ada);
  const changed = { ...ada, groups: ["research", "admins"] };
  assert.deepEqual(await ok("PUT", `${USERS}/ada`, { groups: changed.groups }), changed);
  assert.deepEqual(await ok("PUT", `${USERS}/ada`, {}), changed);
  assert.equal((await ok("PUT", `${USERS}/ada`, { name: "Ada" })).name, "Ada");

  await ok("POST", USERS, { uid: "bob" });
  const uids = (answer: { users: { uid: string }[] }) => answer.users.map(({ uid }) => uid);
  assert.deepEqual(uids(await ok("GET", USERS)), ["ada", "admin", "bob"]);
  assert.deepEqual(uids(await ok("GET", `${USERS}?group=admins`)), ["ada"]);
  const first = await ok("GET", `${USERS}?limit=2`);
  assert.deepEqual(uids(await ok("GET", `${USERS}?pageToken=${first.nextPageToken}`)), ["bob"]);

  assert.equal((await call({ method: "POST", path: USERS, body: { uid: "ada" } })).status, 409);
  for (const body of [{ uid: "a/b" }, { uid: "x", groups: [""] }, { uid: "x", groups: "a" }]) {
    assert.equal((await call({ method: "POST", path: USERS, body })).status, 400);
  }
  for (const method of ["GET", "PUT", "DELETE"]) {
    assert.equal((await call({ method, path: `${USERS}/nobody` })).status, 404);
  }
});

test("a user without a uid gets one", async (t) => {
  const { ok } = await openControl(t);

  const { uid, principalName } = await ok("POST", USERS, { name: "A program" });

  assert.match(uid, /^[0-9a-f]{16}$/);
  assert.equal(principalName, `coreweave/${uid}`);
});

test("a deleted user's keys and tokens end at once, and are not the next one's of that name", async (t) => {
  const { ok, call, control, userToken } = await openControl(t);
  const token = await userToken({ uid: "ada" });
  const { accessKeyId } = await ok("POST", `${USERS}/ada/access-key`, { durationSeconds: 0 });
  const status = async () => (await call({ path: "/v1/lode/whoami", token })).status;
  assert.equal(await status(), 200);

  await ok("DELETE", `${USERS}/ada`);

  assert.equal(await status(), 401);
  assert.equal(await control.keys.find(accessKeyId), undefined);
  await ok("POST", USERS, { uid: "ada" });
  assert.equal(await status(), 401);
  assert.equal(await control.keys.find(accessKeyId), undefined);
});

test("a user's groups are those of the moment, for a key that was made before too", async (t) => {
  const { ok, control } = await openControl(t);
  await ok("POST", USERS, { uid: "ada" });
  const { accessKeyId } = await ok("POST", `${USERS}/ada/access-key`, { durationSeconds: 0 });

  await ok("PUT", `${USERS}/ada`, { groups: ["late"] });

  assert.deepEqual((await control.keys.find(accessKeyId))?.principal.groups, ["late"]);
});

test("an API token is shown once, works for its user until it expires, and is revoked", async (t) => {
  const { ok, call, clock } = await openControl(t);
  await ok("POST", USERS, { uid: "ada" });
  const made = await ok("POST", TOKENS, { uid: "ada", name: "laptop", durationSeconds: 60 });
  const { token, ...shown } = made;
  const status = async (of: string) => (await call({ path: "/v1/lode/whoami", token: of })).status;

  assert.match(token, /^lode_[a-z0-9]+_[0-9a-f]{16}_[\w-]{43}$/);
  assert.equal(await status(token), 200);
  assert.deepEqual(await ok("GET", TOKENS), { tokens: [shown] });
  assert.equal(shown.expiry, "2026-01-02T03:05:05.678Z");
  clock.move(60_000);
  assert.equal(await status(token), 401);

  const lasting = await ok("POST", TOKENS, { uid: "ada", durationSeconds: 0 });
  assert.equal(lasting.expiry, undefined);
  clock.move(400 * 86_400_000);
  assert.equal(await status(lasting.token), 200);
  assert.deepEqual(await ok("DELETE", `${TOKENS}/${lasting.id}`), {});
  assert.equal(await status(lasting.token), 401);
  assert.equal((await call({ method: "DELETE", path: `${TOKENS}/${lasting.id}` })).status, 404);
});

test("tokens are listed of one user, and never with what is secret of them", async (t) => {
  const { ok, call } = await openControl(t);
  for (const uid of ["ada", "bob"]) {
    await ok("POST", USERS, { uid });
    await ok("POST", TOKENS, { uid, durationSeconds: 0 });
  }

  const { tokens } = await ok("GET", `${TOKENS}?uid=bob`);

  assert.equal(tokens.length, 1);
  assert.equal(tokens[0].uid, "bob");
  assert.doesNotMatch(JSON.stringify(await ok("GET", TOKENS)), /digest|lode_|token"/);
  const body = { uid: "nobody", durationSeconds: 0 };
  assert.equal((await call({ method: "POST", path: TOKENS, body })).status, 404);
  const long = { uid: "ada", durationSeconds: 367 * 86_400 };
  assert.equal((await call({ method: "POST", path: TOKENS, body: long })).status, 400);
});

test("the administrator, whom the root key stands for, cannot be deleted; one of that name elsewhere can", async (t) => {
  const { ok, call } = await openControl(t);
  await ok("POST", "/v1/lode/organization", { orgId: "other", name: "Other" });
  await ok("POST", `${USERS}?orgId=other`, { uid: "admin" });

  const { status, json } = await call({ method: "DELETE", path: `${USERS}/admin` });

  assert.equal(status, 400);
  assert.equal(json.message, 'the root key stands for "admin", who cannot be deleted');
  await ok("DELETE", `${USERS}/admin?orgId=other`);
});
