/** Keys that clients have had elsewhere, whose ids and secrets look unlike Lode's own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { userPrincipal } from "#catalog/users.ts";
import { assertRefused } from "#test/s3/xml.ts";
import { type Ask, startServer } from "#test/support/server.ts";

const PAIRS: Readonly<Record<string, { readonly accessKeyId: string; readonly secret: string }>> = {
  "of the least length": { accessKeyId: "abc", secret: "12345678" },
  "with an address for an id": { accessKeyId: "ada+lab@example.com", secret: "a+b/c=d&e?f%20" },
  "with points and hyphens in the id": { accessKeyId: "app.v2-reader_1", secret: "'\"\\;,$(x)~`" },
  "of the greatest length": { accessKeyId: "i".repeat(128), secret: "s".repeat(128) },
};
const SIGNED: Readonly<Record<string, Ask["sign"] & object>> = {
  "in a header": { payload: "UNSIGNED-PAYLOAD" },
  "in the query": { presignedSeconds: 60 },
  "in chunks": { mode: "signed" },
};

for (const [what, pair] of Object.entries(PAIRS)) {
  test(`a brought key ${what} signs in a header, in the query and in chunks`, async (t) => {
    const s3 = await startServer(t);
    const { accessKeyId, secret } = pair;
    await s3.identities.keys.create({
      pair: { accessKeyId, secretKey: secret },
      principal: userPrincipal(await adaOf(s3), []),
      ...{ durationSeconds: 0, attributes: {}, withSession: false },
    });

    for (const [how, sign] of Object.entries(SIGNED)) {
      const ask: Ask = { method: "PUT", path: "/bucket/key", body: how, sign, as: pair };
      const reply = await s3.request(ask);
      assert.equal(reply.status, 200, `${how}: ${reply.text}`);
      const wrong = await s3.request({ ...ask, as: { accessKeyId, secret: `${secret}x` } });
      assertRefused(wrong, 403, "SignatureDoesNotMatch");
    }
  });
}

/** A user who may do everything. */
async function adaOf({ identities, organizationId }: Awaited<ReturnType<typeof startServer>>) {
  await identities.users.create(organizationId, { uid: "ada", name: "Ada", groups: [] });
  const statement = { name: "all", effect: "Allow", actions: ["s3:*"], resources: ["*"] };
  const statements = [{ ...statement, principals: ["coreweave/ada"] }];
  const policy = { version: "v1alpha1", name: "all", statements };
  await identities.policies.ensure(organizationId, JSON.stringify(policy));
  return { organizationId, uid: "ada" };
}
