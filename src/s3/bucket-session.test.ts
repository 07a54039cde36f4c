import assert from "node:assert/strict";
import { test } from "node:test";
import { Keyring } from "#base/keyring.ts";
import { bucketName } from "#object/name.ts";
import {
  type BucketSession,
  BucketSessions,
  requireWithin,
  type SessionParent,
} from "#s3/bucket-session.ts";

const KEY = "5a".repeat(32);
const sessions = new BucketSessions(Keyring.fromHex([KEY]));
const NOW_MS = 1_000_000;
const MINUTE_MS = 60_000;
const PARENT: SessionParent = {
  accessKeyId: "PARENT",
  secret: "parent secret",
  expiryMs: undefined,
};
const SESSION: BucketSession = {
  parentKeyId: "PARENT",
  bucket: bucketName("data--az--x-s3"),
  mode: "ReadWrite",
  expiryMs: NOW_MS + 5 * MINUTE_MS,
};
const { bucket, mode } = SESSION;
const start = (parent = PARENT) => sessions.start({ parent, bucket, mode, nowMs: NOW_MS });

test("a session's token opens, in another process too, to the session and the same secret", () => {
  const made = start();
  const opened = new BucketSessions(Keyring.fromHex([KEY])).open(made.sessionToken);

  assert.ok(opened !== undefined);
  const { isUnder, accessKeyId, secret, ...session } = opened;
  assert.deepEqual(session, SESSION);
  assert.deepEqual({ accessKeyId, secret }, { accessKeyId: made.accessKeyId, secret: made.secret });
  assert.equal(isUnder("parent secret"), true);
  assert.equal(isUnder("another secret"), false);
});

test("a session lives five minutes, and never longer than the key it was made with", () => {
  const soonMs = NOW_MS + MINUTE_MS;

  assert.equal(start().expiryMs, NOW_MS + 5 * MINUTE_MS);
  assert.equal(start({ ...PARENT, expiryMs: soonMs }).expiryMs, soonMs);
  assert.equal(start({ ...PARENT, expiryMs: NOW_MS + 60 * MINUTE_MS }).expiryMs, SESSION.expiryMs);
});

test("two sessions share neither key, nor secret, nor token", () => {
  const [a, b] = [start(), start()];

  assert.notEqual(a.accessKeyId, b.accessKeyId);
  assert.notEqual(a.secret, b.secret);
  assert.notEqual(a.sessionToken, b.sessionToken);
});

test("a token opens after the master key was changed, and not when the old one is gone", () => {
  const { sessionToken } = start();
  const after = new BucketSessions(Keyring.fromHex(["c3".repeat(32), KEY]));
  const without = new BucketSessions(Keyring.fromHex(["c3".repeat(32)]));

  assert.equal(after.open(sessionToken)?.bucket, SESSION.bucket);
  assert.equal(without.open(sessionToken), undefined);
});

test("a token that was changed in any character does not open", () => {
  const { sessionToken } = start();

  // The last character may carry bits that no byte takes.
  for (let at = 0; at < sessionToken.length - 1; at += 1) {
    const other = sessionToken[at] === "0" ? "1" : "0";
    const changed = sessionToken.slice(0, at) + other + sessionToken.slice(at + 1);
    assert.equal(sessions.open(changed), undefined, `character ${at}`);
  }
  for (const text of ["", "token", ".", `${sessionToken}.`, sessionToken.slice(0, 40)]) {
    assert.equal(sessions.open(text), undefined, text);
  }
});

const BUCKET = SESSION.bucket;
const WITHIN = [
  { mode: "ReadWrite", action: "s3:PutObject", resource: `${BUCKET}/key`, ok: true },
  { mode: "ReadWrite", action: "s3:DeleteObject", resource: `${BUCKET}/key`, ok: true },
  { mode: "ReadWrite", action: "s3:GetObject", resource: `${BUCKET}/key`, ok: true },
  { mode: "ReadWrite", action: "s3:ListBucket", resource: BUCKET, ok: true },
  { mode: "ReadOnly", action: "s3:GetObject", resource: `${BUCKET}/key`, ok: true },
  { mode: "ReadOnly", action: "s3:ListBucket", resource: BUCKET, ok: true },
  { mode: "ReadOnly", action: "s3:PutObject", resource: `${BUCKET}/key`, ok: false },
  { mode: "ReadOnly", action: "s3:DeleteObject", resource: `${BUCKET}/key`, ok: false },
  { mode: "ReadOnly", action: "s3:AbortMultipartUpload", resource: `${BUCKET}/key`, ok: false },
  { mode: "ReadWrite", action: "s3:GetObject", resource: "other/key", ok: false },
  { mode: "ReadWrite", action: "s3:GetObject", resource: `${BUCKET}-other/key`, ok: false },
  { mode: "ReadWrite", action: "s3:ListAllMyBuckets", resource: "*", ok: false },
  { mode: "ReadWrite", action: "s3:CreateBucket", resource: BUCKET, ok: true },
  { mode: "ReadWrite", action: "s3:PutLifecycleConfiguration", resource: BUCKET, ok: true },
  { mode: "ReadOnly", action: "s3:PutLifecycleConfiguration", resource: BUCKET, ok: false },
  { mode: "ReadOnly", action: "s3:DeleteBucket", resource: BUCKET, ok: false },
  { mode: "ReadOnly", action: "s3:CreateSession", resource: BUCKET, ok: false },
  { mode: "ReadWrite", action: "s3:CreateSession", resource: BUCKET, ok: false },
] as const;
for (const { mode: itsMode, action, resource, ok } of WITHIN) {
  test(`a ${itsMode} session ${ok ? "leaves" : "takes away"} ${action} on ${resource}`, () => {
    const check = () => requireWithin({ ...SESSION, mode: itsMode }, [{ action, resource }]);

    if (ok) assert.doesNotThrow(check);
    else assert.throws(check, { code: "AccessDenied" });
  });
}

test("of several grants each must be within the session", () => {
  const grants = [
    { action: "s3:PutObject", resource: `${BUCKET}/key` },
    { action: "s3:GetObject", resource: "other/key" },
  ] as const;

  assert.throws(() => requireWithin(SESSION, grants), { code: "AccessDenied" });
});
