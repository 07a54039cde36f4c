import assert from "node:assert/strict";
import { test } from "node:test";
import { ACTIONS } from "#access/actions.ts";
import type { Operation } from "#admin/operation.ts";
import { OPERATIONS } from "#admin/operations.ts";
import { type Ask, openControl } from "#test/admin/control.ts";

// Properties that every row of the table has. A new operation is covered on arrival.

/** What asks for no token, since it reads who asks from something else. Nothing may join by mistake. */
const ANONYMOUS = [
  "CreateAccessKeyFromContainerCreds",
  "CreateAccessKeyFromOIDC",
  "CreateAccessKeyFromSAML",
];

function requestOf({ method, path }: Operation, query = ""): Ask {
  const sent = { method, path: path.replace(/\{\w+\}/g, "bucket") + query };
  return method === "GET" || method === "DELETE" ? sent : { ...sent, body: {} };
}

for (const operation of OPERATIONS) {
  const { name, needs } = operation;
  if (needs === "nothing") {
    test(`${name} is known to ask for no token`, () => assert.ok(ANONYMOUS.includes(name)));
    continue;
  }

  test(`${name} refuses who has no token, and all wrong ones alike, with 401`, async (t) => {
    const { call, control, userToken, clock, organizationId } = await openControl(t);
    const expired = await userToken({ uid: "late", durationSeconds: 60 });
    const revoked = await userToken({ uid: "gone" });
    const ofNobody = await userToken({ uid: "nobody" });
    const [token] = (await control.tokens.list(organizationId, { after: "", limit: 9 })).filter(
      (each) => "uid" in each && each.uid === "gone",
    );
    await control.tokens.revoke(organizationId, token?.id ?? "");
    const ofNamesake = await userToken({ uid: "again" });
    await control.users.remove({ organizationId, uid: "nobody" });
    await control.users.remove({ organizationId, uid: "again" });
    await control.users.create(organizationId, { uid: "again", name: "again", groups: [] });
    clock.move(60_000);

    const wrong = {
      "of nobody we know": "wrong",
      "of an organization that there is not": expired.replace(/^lode_[a-z0-9]+/, "lode_zzz"),
      "with one other letter at its end": `${revoked.slice(0, -1)}${revoked.endsWith("A") ? "B" : "A"}`,
      expired,
      revoked,
      "of a user who was deleted": ofNobody,
      "of a user who was deleted, and came again": ofNamesake,
    };
    const none = await call({ ...requestOf(operation), token: undefined });
    assert.equal(none.status, 401);
    assert.equal(none.headers["www-authenticate"], "Bearer");
    const answers = new Set<string>();
    for (const [what, token] of Object.entries(wrong)) {
      const { status, json } = await call({ ...requestOf(operation), token });
      assert.equal(status, 401, what);
      answers.add(JSON.stringify(json));
    }
    assert.equal(answers.size, 1, "they cannot be told apart");
  });

  test(`${name} refuses other ways to show a token with 401`, async (t) => {
    const { call, userToken } = await openControl(t);
    const token = await userToken({ uid: "ada" });

    for (const authorization of [token, `Basic ${token}`, "Bearer", `Bearer ${token} x`]) {
      const { status } = await call({
        ...requestOf(operation),
        token: undefined,
        headers: { authorization },
      });
      assert.equal(status, 401, authorization);
    }
  });

  if (needs === "token") continue;
  test(`${name} refuses a user whom no policy allows it, and a Deny wins, with 403`, async (t) => {
    const { call, userToken, allow, control, organizationId } = await openControl(t);
    const token = await userToken({ uid: "stranger" });

    const refused = await call({ ...requestOf(operation), token });
    assert.equal(refused.status, 403);
    assert.equal(refused.json.code, 7);
    if (needs === "operator") return;
    assert.match(refused.denied ?? "", /^denied: no organization policy allows it$/);

    await allow("coreweave/stranger", ["*"]);
    const statement = {
      ...{ name: "not-you", effect: "Deny", actions: ["*"], resources: ["*"] },
      principals: ["coreweave/stranger"],
    };
    const deny = { version: "v1alpha1", name: "deny", statements: [statement] };
    await control.policies.ensure(organizationId, JSON.stringify(deny));
    const denied = await call({ ...requestOf(operation), token });
    assert.equal(denied.status, 403);
    assert.match(denied.denied ?? "", /"not-you"/);
    assert.ok(!JSON.stringify(denied.json).includes("not-you"), "the client is not told by what");
  });

  if (needs === "operator") continue;
  test(`${name} refuses another organization's token with 403, whatever it is allowed there`, async (t) => {
    const { call, userToken, control, organizationId } = await openControl(t);
    await control.organizations.create({ id: "other", name: "Other" });
    const token = await userToken({ uid: "boss", organizationId: "other" });
    const statement = {
      ...{ name: "all", effect: "Allow", actions: ["*"], resources: ["*"] },
      principals: ["*"],
    };
    const policy = { version: "v1alpha1", name: "all", statements: [statement] };
    await control.policies.ensure("other", JSON.stringify(policy));

    const inQuery = await call({ ...requestOf(operation, `?orgId=${organizationId}`), token });
    assert.equal(inQuery.status, 403);
    assert.equal(inQuery.json.message, "the token is another organization's");
    if (operation.method === "GET") return;
    const body = { orgId: organizationId };
    assert.equal((await call({ ...requestOf(operation), body, token })).status, 403);
  });
}

test("every action that an operation needs is one that policies may name", () => {
  const actions = OPERATIONS.map(({ needs }) => needs).filter((needs) => needs.includes(":"));
  assert.ok(actions.length > 20);
  assert.deepEqual(
    actions.filter((action) => !ACTIONS.has(action)),
    [],
  );
});

test("no two operations have one name, nor one method and path", () => {
  const paths = OPERATIONS.map(({ method, path }) => `${method} ${path.replace(/\{\w+\}/g, "{}")}`);
  assert.equal(new Set(OPERATIONS.map(({ name }) => name)).size, OPERATIONS.length);
  assert.equal(new Set(paths).size, OPERATIONS.length);
});
