import assert from "node:assert/strict";
import { test } from "node:test";
import { openControl } from "#test/admin/control.ts";

const KEY = { method: "POST", path: "/v1/lode/user/admin/access-key" };

test("an error is a gRPC status in JSON, with its HTTP status and no storing", async (t) => {
  const { call } = await openControl(t);

  const { status, json, headers } = await call({ path: "/v1/cwobject/bucket-info/missing" });

  assert.equal(status, 404);
  assert.deepEqual(json, { code: 5, message: 'bucket "missing" not found', details: [] });
  assert.equal(headers["content-type"], "application/json");
  assert.equal(headers["cache-control"], "no-store");
  assert.match(headers["x-request-id"] ?? "", /^[0-9a-f]{16}$/);
});

test("an unknown path is 404 and a method that a path has not is 501, both as gRPC-gateway has it", async (t) => {
  const { call } = await openControl(t);

  for (const path of ["/", "/v1", "/v1/cwobject", "/v1/lode/user/", "/v1/lode/whoami/", "//"]) {
    assert.deepEqual((await call({ path })).json, { code: 5, message: "Not Found", details: [] });
  }
  const { status, json } = await call({ method: "PATCH", path: "/v1/cwobject/access-key" });
  assert.equal(status, 501);
  assert.equal(json.code, 12);
  assert.match(json.message, /use POST, GET$/);
});

test("fields are known in lowerCamelCase and in snake_case, and null is absent", async (t) => {
  const { call } = await openControl(t);

  const bodies = [
    { durationSeconds: 60 },
    { duration_seconds: 60 },
    { durationSeconds: "60", attributes: null },
  ];
  for (const body of bodies) {
    const { status, json } = await call({ ...KEY, body });
    assert.equal(status, 200, JSON.stringify(json));
    assert.equal(json.expiry, "2026-01-02T03:05:05.678Z");
  }
});

test("a field that is not known is refused with the nearest one that is", async (t) => {
  const { call } = await openControl(t);

  const { status, json } = await call({ ...KEY, body: { durationSecond: 60 } });

  assert.equal(status, 400);
  assert.deepEqual(json, {
    code: 3,
    message: 'durationSecond: is no field of this call. Did you mean "durationSeconds"?',
    details: [],
  });
});

test("a bad field is refused with its path", async (t) => {
  const { call } = await openControl(t);
  const duration = "durationSeconds: give a whole number from 0 to 4294967295";

  const refusals: readonly (readonly [unknown, string])[] = [
    [{}, "durationSeconds: is required"],
    [{ durationSeconds: -1 }, duration],
    [{ durationSeconds: 1.5 }, duration],
    [{ durationSeconds: "1e3" }, duration],
    [{ durationSeconds: 5_000_000_000 }, duration],
    [{ durationSeconds: true }, duration],
    [{ durationSeconds: [] }, duration],
    [
      { durationSeconds: 43_201 },
      "durationSeconds: give 0 (permanent) or at most 43200 (12 hours)",
    ],
    [{ durationSeconds: 0, attributes: { a: 1 } }, "attributes.a: give a text"],
    [
      { durationSeconds: 0, attributes: "a" },
      'attributes: give names and texts, as {"name": "ci"}',
    ],
    [
      { durationSeconds: 0, duration_seconds: 0 },
      "duration_seconds: is durationSeconds again: leave one of the two out",
    ],
    [{ durationSeconds: 0, uid: "root" }, "uid: is given twice"],
  ];
  for (const [body, message] of refusals) {
    const { status, json } = await call({ ...KEY, body });
    assert.equal(status, 400, JSON.stringify(body));
    assert.equal(json.message, message);
  }
});

test("a body that is no JSON object, not UTF-8 or larger than 1 MiB is refused", async (t) => {
  const { call } = await openControl(t);

  for (const body of ["{", "[]", '"a"', "7", "null", "{} {}"]) {
    const { status, json } = await call({ ...KEY, body });
    assert.equal(status, 400, body);
    assert.match(json.message, /^the body (is no JSON: .|must be a JSON object)/);
  }
  const bad = await call({
    ...KEY,
    body: Buffer.from('{"durationSeconds": 0, "\xff": 1}', "latin1"),
  });
  assert.equal(bad.json.message, "the body is not UTF-8");
  const large = { durationSeconds: 0, attributes: { a: "x".repeat(2 ** 20) } };
  const { status, json } = await call({ ...KEY, body: large });
  assert.equal(status, 400);
  assert.equal(json.message, "the body is larger than 1048576 bytes");
});

test("names that objects have by nature are fields like others", async (t) => {
  const { call } = await openControl(t);

  for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
    const body = `{"durationSeconds": 0, "${name}": {"durationSeconds": 1}}`;
    const { status, json } = await call({ ...KEY, body });
    assert.equal(status, 400);
    assert.match(json.message, new RegExp(`^${name}: is no field`));
  }
});

test("a query is read as fields, and one that comes twice is refused", async (t) => {
  const { call, ok } = await openControl(t);

  assert.equal((await ok("GET", "/v1/lode/user?limit=1")).users.length, 1);
  const twice = await call({ path: "/v1/lode/user?limit=1&limit=2" });
  assert.equal(twice.status, 400);
  assert.equal(twice.json.message, "limit: is given twice");
  assert.equal((await call({ path: "/v1/lode/user?limits=1" })).status, 400);
  assert.equal((await call({ path: "/v1/lode/user/%zz" })).status, 400);
});

test("the operator names an organization in the query or in the body, and one that there is not is 404", async (t) => {
  const { call, ok } = await openControl(t);
  await ok("POST", "/v1/lode/organization", { orgId: "second", name: "Second" });

  await ok("POST", "/v1/lode/user?orgId=second", { uid: "a" });
  await ok("POST", "/v1/lode/user", { uid: "b", orgId: "second" });
  await ok("POST", "/v1/lode/user", { uid: "c", org_id: "second" });

  const { users } = await ok("GET", "/v1/lode/user?orgId=second");
  assert.deepEqual(
    users.map(({ uid }: { uid: string }) => uid),
    ["a", "b", "c"],
  );
  assert.equal((await call({ path: "/v1/lode/user?orgId=third" })).status, 404);
  assert.equal((await call({ path: "/v1/lode/user?orgId=a&org_id=b" })).status, 400);
});

test("the operator is let in when every policy is gone, and when one denies everything to everybody", async (t) => {
  const { ok, control, organizationId } = await openControl(t);
  const statement = {
    ...{ name: "no", effect: "Deny", actions: ["*"], resources: ["*"] },
    principals: ["*"],
  };
  const policy = { version: "v1alpha1", name: "no", statements: [statement] };
  await control.policies.ensure(organizationId, JSON.stringify(policy));
  await ok("DELETE", "/v1/cwobject/access-policy/administrator");

  await ok("DELETE", "/v1/cwobject/access-policy/no");
  assert.deepEqual(await ok("GET", "/v1/cwobject/access-policy"), { policies: [] });
});

test("conditions of organization policies look at where a call comes from and when", async (t) => {
  const { call, userToken, control, organizationId, clock } = await openControl(t);
  const token = await userToken({ uid: "ada" });
  const statement = {
    ...{ name: "office", effect: "Allow", actions: ["cwobject:ListUsers"], resources: ["*"] },
    principals: ["coreweave/ada"],
    conditions: {
      IpAddress: { "aws:SourceIp": ["10.0.0.0/8"] },
      DateLessThan: { "aws:CurrentTime": "2026-01-03T00:00:00Z" },
    },
  };
  const policy = { version: "v1alpha1", name: "office", statements: [statement] };
  await control.policies.ensure(organizationId, JSON.stringify(policy));
  const from = async (address: string) =>
    (await call({ path: "/v1/lode/user", token, from: address })).status;

  assert.equal(await from("10.1.2.3"), 200);
  assert.equal(await from("11.1.2.3"), 403);
  clock.move(86_400_000);
  assert.equal(await from("10.1.2.3"), 403);
});

test("20 wrong tokens of one address are followed by 429 with Retry-After, for a minute", async (t) => {
  const { call, clock } = await openControl(t);
  const guess = async (from: string) => await call({ path: "/v1/lode/whoami", token: "no", from });

  for (let time = 0; time < 20; time += 1) assert.equal((await guess("192.0.2.7")).status, 401);
  const refused = await guess("192.0.2.7");
  assert.equal(refused.status, 429);
  assert.equal(refused.json.code, 8);
  assert.equal(refused.headers["retry-after"], "60");
  const right = await call({ path: "/v1/lode/whoami", from: "192.0.2.7" });
  assert.equal(right.status, 429, "a right one is not told from a wrong one");
  assert.equal((await guess("192.0.2.8")).status, 401, "others are not held back");

  clock.move(59_000);
  assert.equal((await guess("192.0.2.7")).headers["retry-after"], "1");
  clock.move(1_000);
  assert.equal((await call({ path: "/v1/lode/whoami", from: "192.0.2.7" })).status, 200);
});

test("addresses of one IPv6 network of 64 bits are one, however they are written", async (t) => {
  const { call } = await openControl(t);
  const guess = async (from: string) => {
    const { status } = await call({ path: "/v1/lode/whoami", token: "no", from });
    return status;
  };

  for (let host = 0; host < 20; host += 1) {
    assert.equal(await guess(`2001:db8::${host.toString(16)}`), 401);
  }
  assert.equal(await guess("2001:db8:0:0:ffff::1"), 429);
  assert.equal(await guess("2001:db8:0:1::1"), 401);
  assert.equal(await guess("::1"), 401);
  assert.equal(await guess("fe80::1%eth0"), 401);
  assert.equal(await guess("::ffff:192.0.2.1"), 401);
});

test("wrong tokens are remembered of 10,000 addresses, those that were quiet for longest go first", async (t) => {
  const { call, control } = await openControl(t);
  const { attempts } = control;
  const status = async (from: string) => (await call({ path: "/v1/lode/whoami", from })).status;
  for (let time = 0; time < 20; time += 1) attempts.failed("192.0.2.7");
  for (let time = 0; time < 20; time += 1) attempts.failed("192.0.2.8");

  for (let host = 0; host < 9_999; host += 1) attempts.failed(`10.0.${host >> 8}.${host & 255}`);

  assert.equal(await status("192.0.2.7"), 200);
  assert.equal(await status("192.0.2.8"), 429);
});
