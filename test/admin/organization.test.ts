import assert from "node:assert/strict";
import { test } from "node:test";
import { newBucketName } from "#object/name.ts";
import { openControl } from "#test/admin/control.ts";

const ORGANIZATIONS = "/v1/lode/organization";

test("the operator makes organizations, with an id of their own or a new one", async (t) => {
  const { ok, call, organizationId } = await openControl(t);

  const made = await ok("POST", ORGANIZATIONS, { orgId: "research", name: "Research" });
  assert.deepEqual(made, {
    orgId: "research",
    name: "Research",
    creationTime: "2026-01-02T03:04:05.678Z",
  });
  const { orgId } = await ok("POST", ORGANIZATIONS, { name: "Nameless" });
  assert.match(orgId, /^[a-z0-9]{6}$/);

  assert.deepEqual(await ok("GET", `${ORGANIZATIONS}/research`), made);
  const { organizations } = await ok("GET", ORGANIZATIONS);
  const ids = organizations.map((each: { orgId: string }) => each.orgId);
  assert.deepEqual(ids.sort(), [organizationId, "research", orgId].sort());

  for (const bad of [{ orgId: "UP", name: "x" }, { orgId: "a", name: "x" }, { name: "" }, {}]) {
    assert.equal((await call({ method: "POST", path: ORGANIZATIONS, body: bad })).status, 400);
  }
  const again = { orgId: "research", name: "Again" };
  const { status, json } = await call({ method: "POST", path: ORGANIZATIONS, body: again });
  assert.equal(status, 409);
  assert.equal(json.code, 6);
});

test("an organization is deleted when it is empty, and its id is never another's", async (t) => {
  const { ok, call, control } = await openControl(t);
  await ok("POST", ORGANIZATIONS, { orgId: "gone", name: "Gone" });
  await ok("POST", "/v1/lode/user?orgId=gone", { uid: "ada" });
  await control.catalog.create(newBucketName("their-data"), { id: "gone", region: "x" });
  const remove = async () => await call({ method: "DELETE", path: `${ORGANIZATIONS}/gone` });

  const refused = await remove();
  assert.equal(refused.status, 400);
  assert.equal(refused.json.code, 9);
  assert.match(refused.json.message, /still has buckets and users: delete them first/);

  await ok("DELETE", "/v1/lode/user/ada?orgId=gone");
  const bucket = (
    await control.catalog.list({ organizationId: "gone", prefix: "", after: "", limit: 1 })
  ).buckets[0];
  assert.ok(bucket);
  await control.catalog.delete(bucket, { guards: [], writes: [] });
  assert.equal((await remove()).status, 200);

  assert.equal((await call({ path: `${ORGANIZATIONS}/gone` })).status, 404);
  assert.equal((await call({ path: "/v1/lode/user?orgId=gone" })).status, 404);
  const ids = (await ok("GET", ORGANIZATIONS)).organizations;
  assert.ok(!ids.some(({ orgId }: { orgId: string }) => orgId === "gone"));
  const again = { orgId: "gone", name: "Another" };
  assert.equal((await call({ method: "POST", path: ORGANIZATIONS, body: again })).status, 409);
});

test("the first organization cannot be deleted", async (t) => {
  const { call, organizationId } = await openControl(t);

  const path = `${ORGANIZATIONS}/${organizationId}`;
  const { status, json } = await call({ method: "DELETE", path });

  assert.equal(status, 400);
  assert.equal(json.message, "the first organization cannot be deleted");
});

test("SetOrganizationSettings changes what is given and answers all of them", async (t) => {
  const { ok, call } = await openControl(t);
  const path = "/v1/cwobject/organization/settings";

  const settings = { controlPlaneAuditLoggingEnabled: true };
  assert.deepEqual(await ok("PUT", path, { settings }), {
    settings: { controlPlaneAuditLoggingEnabled: true, bucketAuditLoggingEnabled: false },
  });
  const both = { controlPlaneAuditLoggingEnabled: true, bucketAuditLoggingEnabled: true };
  const more = { bucketAuditLoggingEnabled: true };
  assert.deepEqual(await ok("PUT", path, { settings: more }), { settings: both });
  assert.deepEqual(await ok("GET", "/v1/lode/organization-settings"), { settings: both });
  assert.equal((await call({ method: "PUT", path, body: {} })).status, 400);
});
