import assert from "node:assert/strict";
import { test } from "node:test";
import { S3Error } from "#base/error.ts";
import { failedCondition, requireForWrite, unquote } from "#object/conditions.ts";

const OBJECT = { etag: "abc", modifiedMs: 5_678 };

const CASES = [
  { conditions: {}, failed: undefined },
  { conditions: { ifMatch: '"abc"' }, failed: undefined },
  { conditions: { ifMatch: '"x", W/"abc"' }, failed: undefined },
  { conditions: { ifMatch: '"abcd"' }, failed: "ifMatch" },
  { conditions: { ifNoneMatch: "*" }, failed: "ifNoneMatch" },
  { conditions: { ifUnmodifiedSinceMs: 5_000 }, failed: undefined },
  { conditions: { ifUnmodifiedSinceMs: 4_000 }, failed: "ifUnmodifiedSince" },
  { conditions: { ifModifiedSinceMs: 5_000 }, failed: "ifModifiedSince" },
  { conditions: { ifModifiedSinceMs: 4_000 }, failed: undefined },
  { conditions: { ifMatch: "abc", ifUnmodifiedSinceMs: 0 }, failed: undefined },
  { conditions: { ifNoneMatch: "x", ifModifiedSinceMs: 9_000 }, failed: undefined },
  { conditions: { ifMatch: "x", ifNoneMatch: "abc" }, failed: "ifMatch" },
];
for (const { conditions, failed } of CASES) {
  test(`failedCondition finds ${failed ?? "none"} in ${JSON.stringify(conditions)}`, () => {
    assert.equal(failedCondition(conditions, OBJECT), failed);
  });
}

const WRITES = [
  { conditions: { ifMatch: "abc" }, current: OBJECT, code: undefined },
  { conditions: { ifMatch: "x" }, current: OBJECT, code: "PreconditionFailed" },
  { conditions: { ifMatch: "abc" }, current: undefined, code: "NoSuchKey" },
  { conditions: { ifNoneMatch: "*" as const }, current: OBJECT, code: "PreconditionFailed" },
  { conditions: { ifNoneMatch: "*" as const }, current: undefined, code: undefined },
];
for (const { conditions, current, code } of WRITES) {
  const over = current === undefined ? "nothing" : "an object";
  test(`requireForWrite of ${JSON.stringify(conditions)} over ${over} fails with ${code}`, () => {
    const check = () => requireForWrite(conditions, current, "key");

    if (code === undefined) check();
    else assert.throws(check, (cause) => cause instanceof S3Error && cause.code === code);
  });
}

test("unquote takes weakness, quotes and white space away, and nothing else", () => {
  const forms = ['"a"', 'W/"a"', " a ", "a"];
  assert.deepEqual(forms.map(unquote), ["a", "a", "a", "a"]);
  assert.deepEqual(['"', '"a', ""].map(unquote), ['"', '"a', ""]);
});
