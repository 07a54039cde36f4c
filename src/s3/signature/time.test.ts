import assert from "node:assert/strict";
import { test } from "node:test";
import { checkExpiry, checkSkew, readAmzDate, readSigningTime } from "#s3/signature/time.ts";

const MAY_24 = { timeMs: Date.UTC(2013, 4, 24), amzDate: "20130524T000000Z" };
const MINUTES_15 = 15 * 60_000;

test("x-amz-date is read before Date, which may be in either form", () => {
  assert.deepEqual(readSigningTime("20130524T000000Z", "yesterday"), MAY_24);
  for (const date of [
    "20130524T000000Z",
    "Fri, 24 May 2013 00:00:00 GMT",
    "Fri, 24 May 2013 00:00:00 +0000",
    "24 May 2013 02:00:00 +0200",
  ]) {
    assert.deepEqual(readSigningTime(undefined, date), MAY_24);
  }
});

test("a time that is none, in a form of its own or missing is refused", () => {
  const refused = { code: "AccessDenied", message: /valid Date or x-amz-date header/ };
  for (const date of [undefined, "", "2013-05-24", "1369353600", "Fri, 24 Foo 2013 00:00:00 GMT"]) {
    assert.throws(() => readSigningTime(undefined, date), refused);
  }
  assert.throws(() => readSigningTime("", "Fri, 24 May 2013 00:00:00 GMT"), refused);
  for (const text of [
    "20131324T000000Z",
    "20130524T240000Z",
    "20130524T000000",
    "20130524T000000Z ",
  ]) {
    assert.equal(readAmzDate(text), undefined);
  }
});

test("a request signed in its headers may be 15 minutes late or early, and no more", () => {
  const check = (lateMs: number) =>
    checkSkew(MAY_24, { nowMs: MAY_24.timeMs + lateMs, skewMsMax: MINUTES_15 });
  check(MINUTES_15);
  check(-MINUTES_15);
  assert.throws(() => check(-MINUTES_15 - 1), { code: "RequestTimeTooSkewed" });
  assert.throws(() => check(MINUTES_15 + 1), {
    code: "RequestTimeTooSkewed",
    detail: {
      RequestTime: "20130524T000000Z",
      ServerTime: "2013-05-24T00:15:00Z",
      MaxAllowedSkewMilliseconds: "900000",
    },
  });
});

for (const expiresSeconds of [1, 604_800]) {
  test(`a request presigned for ${expiresSeconds} s is good to its last millisecond`, () => {
    const check = (lateMs: number) =>
      checkExpiry(
        { ...MAY_24, expiresSeconds },
        { nowMs: MAY_24.timeMs + lateMs, skewMsMax: MINUTES_15 },
      );
    check(expiresSeconds * 1000);
    check(-MINUTES_15);
    const early = { code: "AccessDenied", message: "Request is not valid yet" };
    assert.throws(() => check(-MINUTES_15 - 1), early);
    const end = `${new Date(MAY_24.timeMs + expiresSeconds * 1000).toISOString().slice(0, 19)}Z`;
    assert.throws(() => check(expiresSeconds * 1000 + 1), {
      code: "AccessDenied",
      message: "Request has expired",
      detail: { "X-Amz-Expires": String(expiresSeconds), Expires: end, ServerTime: end },
    });
  });
}
