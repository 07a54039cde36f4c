/** Keys, session keys and URLs signed with them never outlive their holder, nor outrank it. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Revocations } from "#catalog/revocations.ts";
import { userPrincipal } from "#catalog/users.ts";
import { MemoryMetaStore } from "#meta/memory.ts";
import { allow } from "#test/federation/allow.ts";
import { MovableClock } from "#test/support/movable-clock.ts";
import { type Ask, START_MS, startServer } from "#test/support/server.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

type As = NonNullable<Ask["as"]>;

async function openWorld(t: TestContext) {
  const s3 = await startServer(t, { buckets: ["bucket", "data--az--x-s3"] });
  const { organizationId, identities } = s3;
  const { users, keys, sessionKeys, federations } = identities;
  await s3.put("/bucket/key", "bytes");
  const makeUser = async (groups: readonly string[] = []) =>
    await users.create(organizationId, { uid: "ada", name: "Ada", groups });
  await makeUser();
  const user = { organizationId, uid: "ada" };
  const principal = userPrincipal(user, []);
  await allow(identities, { organizationId, principal: principal.name, actions: ["s3:*"] });
  const makeKey = async (durationSeconds = 0): Promise<As> => {
    const ask = { principal, durationSeconds, attributes: {}, withSession: false };
    const { accessKeyId, secretKey: secret } = await keys.create(ask);
    return { accessKeyId, secret };
  };
  const makeSession = async (durationSeconds = 900): Promise<As> => {
    const made = await sessionKeys.create({ principal, durationSeconds });
    const { accessKeyId, secretKey: secret, sessionToken } = made;
    return { accessKeyId, secret, sessionToken };
  };
  /** What a request with a signed header, and a URL that was presigned at the start, are answered. */
  const answers = async (as: As, path = "/bucket/key") => {
    const url = { presignedSeconds: 604_800 };
    const replies = [
      await s3.request({ path, as }),
      await s3.request({ path, as, sign: url, signedAtMs: START_MS }),
    ];
    return replies.map(({ status, code }) => (status === 200 ? "200" : `${status} ${code}`));
  };
  return {
    s3,
    organizationId,
    user,
    users,
    keys,
    federations,
    makeUser,
    makeKey,
    makeSession,
    answers,
  };
}

const TAKEN = ["200", "200"];
const UNKNOWN = ["403 InvalidAccessKeyId", "403 InvalidAccessKeyId"];
const INVALID = ["400 InvalidToken", "400 InvalidToken"];
const EXPIRED = ["400 ExpiredToken", "400 ExpiredToken"];
const DENIED = ["403 AccessDenied", "403 AccessDenied"];

test("a key that expires ends to the millisecond, and what it presigned ends with it", async (t) => {
  const { s3, makeKey, makeSession, answers } = await openWorld(t);
  const key = await makeKey(900);
  const session = await makeSession(900);

  s3.clock.move(900_000 - 1);
  assert.deepEqual([await answers(key), await answers(session)], [TAKEN, TAKEN]);
  s3.clock.move(1);
  assert.deepEqual([await answers(key), await answers(session)], [EXPIRED, EXPIRED]);
});

test("a revoked key ends at once, and no other with it", async (t) => {
  const { organizationId, keys, makeKey, makeSession, answers } = await openWorld(t);
  const [key, other] = [await makeKey(), await makeKey()];
  const [session, otherSession] = [await makeSession(), await makeSession()];
  assert.deepEqual([await answers(key), await answers(session)], [TAKEN, TAKEN]);

  await keys.revoke(organizationId, key.accessKeyId);
  await keys.revoke(organizationId, session.accessKeyId);

  assert.deepEqual([await answers(key), await answers(session)], [UNKNOWN, INVALID]);
  assert.deepEqual([await answers(other), await answers(otherSession)], [TAKEN, TAKEN]);
});

test("another organization's revocations change nothing", async (t) => {
  const { keys, makeKey, makeSession, answers } = await openWorld(t);
  const [key, session] = [await makeKey(), await makeSession()];

  await assert.rejects(keys.revoke("other", key.accessKeyId), { code: "NotFound" });
  await keys.revoke("other", session.accessKeyId);
  await keys.revokeOf("other", "coreweave/ada");

  assert.deepEqual([await answers(key), await answers(session)], [TAKEN, TAKEN]);
});

test("all keys of a principal end together, and the next one is good", async (t) => {
  const { s3, organizationId, keys, makeKey, makeSession, answers } = await openWorld(t);
  const [key, session] = [await makeKey(), await makeSession()];

  await keys.revokeOf(organizationId, "coreweave/ada");

  assert.deepEqual([await answers(key), await answers(session)], [UNKNOWN, INVALID]);
  s3.clock.move(1);
  const [nextKey, nextSession] = [await makeKey(), await makeSession()];
  assert.equal((await answers(nextKey))[0], "200");
  assert.equal((await answers(nextSession))[0], "200");
});

test("a suspended key is refused until it is not any more", async (t) => {
  const { organizationId, keys, makeKey, answers } = await openWorld(t);
  const key = await makeKey();

  await keys.setSuspended(organizationId, key.accessKeyId, true);
  assert.deepEqual(await answers(key), UNKNOWN);
  await keys.setSuspended(organizationId, key.accessKeyId, false);
  assert.deepEqual(await answers(key), TAKEN);
});

test("who is removed has no keys, and who gets the name next has not theirs", async (t) => {
  const { user, users, makeUser, makeKey, makeSession, answers } = await openWorld(t);
  const [key, session] = [await makeKey(), await makeSession()];

  await users.remove(user);
  assert.deepEqual([await answers(key), await answers(session)], [UNKNOWN, INVALID]);
  await makeUser();
  assert.deepEqual([await answers(key), await answers(session)], [UNKNOWN, INVALID]);
});

test("an API token is not the next user's of the name either", async (t) => {
  const { s3, organizationId, user, users, makeUser } = await openWorld(t);
  const { tokens } = s3.identities;
  const ask = { uid: "ada", name: "", durationSeconds: 0 };
  const { token } = await tokens.create(organizationId, ask);
  assert.equal((await tokens.principalOf(token))?.name, "coreweave/ada");

  await users.remove(user);
  await makeUser();

  assert.equal(await tokens.principalOf(token), undefined);
});

test("a user who is gone gets no more keys", async (t) => {
  const { user, users, makeKey, makeSession } = await openWorld(t);
  await users.remove(user);

  await assert.rejects(makeKey(), { code: "NotFound" });
  await assert.rejects(makeSession(), { code: "NotFound" });
});

test("keys have the groups that their user has at each moment", async (t) => {
  const { s3, organizationId, user, users, makeKey, makeSession, answers } = await openWorld(t);
  const condition = { StringEquals: { [`iam:${organizationId}:groups`]: "readers" } };
  const statement = { Effect: "Allow", Principal: "*", Action: "s3:*", Resource: "arn:aws:s3:::*" };
  const policy = { Version: "2012-10-17", Statement: { ...statement, Condition: condition } };
  const body = JSON.stringify(policy);
  assert.equal((await s3.request({ method: "PUT", path: "/bucket?policy", body })).status, 204);
  const [key, session] = [await makeKey(), await makeSession()];
  const both = async () => [await answers(key), await answers(session)];

  assert.deepEqual(await both(), [DENIED, DENIED]);
  await users.update(user, { groups: ["readers"] });
  assert.deepEqual(await both(), [TAKEN, TAKEN]);
  await users.update(user, { groups: ["writers"] });
  assert.deepEqual(await both(), [DENIED, DENIED]);
});

test("what came through a provider ends when nobody trusts it any more", async (t) => {
  const { s3, organizationId, federations, answers } = await openWorld(t);
  const { keys, sessionKeys } = s3.identities;
  const configuration = {
    ...{ name: "ci", description: "", issuerUrl: "https://issuer.example", audiences: ["a"] },
    ...{ active: true, jwks: undefined, privateNetwork: false, roleClaim: false },
  };
  const { id: federationId } = await federations.createOidc(organizationId, configuration);
  const name = "role/https://issuer.example:ci";
  await allow(s3.identities, { organizationId, principal: name, actions: ["s3:*"] });
  const principal = { kind: "role", organizationId, name, groups: [] } as const;
  const ask = { principal, federationId, durationSeconds: 900 };
  const made = await keys.create({ ...ask, attributes: {}, withSession: false });
  const session = await sessionKeys.create(ask);
  const both = async () => [
    await answers({ ...made, secret: made.secretKey, sessionToken: undefined as never }),
    await answers({ ...session, secret: session.secretKey }),
  ];

  assert.deepEqual(await both(), [TAKEN, TAKEN]);
  await federations.updateOidc(organizationId, federationId, { active: false });
  assert.deepEqual(await both(), [UNKNOWN, INVALID]);
  await federations.updateOidc(organizationId, federationId, { active: true });
  assert.deepEqual(await both(), [TAKEN, TAKEN]);
  await federations.deleteOidc(organizationId, federationId);
  await federations.createOidc(organizationId, configuration);
  assert.deepEqual(await both(), [UNKNOWN, INVALID]);
});

test("a key that was made with a session token is nothing without that token", async (t) => {
  const { s3, organizationId, answers } = await openWorld(t);
  const principal = userPrincipal({ organizationId, uid: "ada" }, []);
  const ask = { principal, durationSeconds: 900, attributes: {}, withSession: true };
  const made = await s3.identities.keys.create(ask);
  const other = await s3.identities.keys.create(ask);
  const { accessKeyId, secretKey: secret, sessionToken = "" } = made;

  assert.deepEqual(await answers({ accessKeyId, secret, sessionToken }), TAKEN);
  assert.deepEqual(await answers({ accessKeyId, secret }), INVALID);
  const wrong = { accessKeyId, secret, sessionToken: other.sessionToken ?? "" };
  assert.deepEqual(await answers(wrong), INVALID);
});

test("a bucket's session that a session key started ends with it, and works until then", async (t) => {
  const { s3, organizationId, keys, makeSession } = await openWorld(t);
  const path = "/data--az--x-s3";
  const key = await makeSession();
  const started = await s3.request({ path: `${path}?session`, as: key });
  const [, token = ""] = /<SessionToken>([^<]+)/.exec(started.text) ?? [];
  const [, secret = ""] = /<SecretAccessKey>([^<]+)/.exec(started.text) ?? [];
  const [, accessKeyId = ""] = /<AccessKeyId>([^<]+)/.exec(started.text) ?? [];
  const headers = { "x-amz-s3session-token": token };
  const asked = async () => await s3.request({ path, headers, as: { accessKeyId, secret } });

  assert.equal((await asked()).status, 200);
  await keys.revoke(organizationId, key.accessKeyId);
  assert.equal((await asked()).status, 403);
});

test("keys that ended make room for new ones, and live ones do not", async (t) => {
  const { s3, organizationId, user } = await openWorld(t);
  const { keys } = s3.identities;
  const ask = { principal: userPrincipal(user, []), attributes: {}, withSession: false };
  const make = async (durationSeconds: number) => await keys.create({ ...ask, durationSeconds });
  for (let made = 0; made < 999; made += 1) await make(900);
  const last = await make(1_800);
  await assert.rejects(make(900), { code: "ResourceExhausted" });

  s3.clock.move(900_000);
  await make(900);

  const left = await keys.list(organizationId, { after: "", limit: 10 });
  assert.equal(left.keys.length, 2);
  assert.equal((await keys.get(organizationId, last.accessKeyId)).status, "ACTIVE");
});

test("revocations are forgotten when no key can be that old, and too many of them revoke all", async () => {
  const clock = new MovableClock(START_MS);
  const meta = new MemoryMetaStore();
  const revocations = new Revocations({ meta, clock, lifeMsMax: DAY_MS });
  const key = { accessKeyId: "CW0A", principalName: "coreweave/ada", createdMs: START_MS };

  await revocations.revokeKey("ab1cd2", key.accessKeyId);
  assert.equal(await revocations.isRevoked("ab1cd2", key), true);
  clock.move(DAY_MS + 1);
  await revocations.revokeKey("ab1cd2", "CW0B");
  assert.equal(await revocations.isRevoked("ab1cd2", key), false);
  const other = { ...key, accessKeyId: "CW0C", createdMs: clock.now() };
  for (let at = 0; at < 1_000; at += 1) await revocations.revokeKey("ab1cd2", `CW0-${at}`);
  assert.equal(await revocations.isRevoked("ab1cd2", other), true);
  const later = { ...other, createdMs: clock.now() + MINUTE_MS };
  assert.equal(await revocations.isRevoked("ab1cd2", later), false);
});
