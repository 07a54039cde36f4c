import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { ControlPlaneRecord } from "#audit/record.ts";
import { AuditSpool } from "#audit/spool.ts";
import { openIdentities } from "#catalog/identities.ts";
import { MemoryMetaStore } from "#meta/memory.ts";
import { ControlAudit } from "#process/control-audit.ts";
import { RequestAudit } from "#process/request-audit.ts";
import { newTrace } from "#s3/trace.ts";
import { TEST_KEYRING } from "#test/support/keyring.ts";
import { MovableClock } from "#test/support/movable-clock.ts";
import { START_MS } from "#test/support/server.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

test("who was given keys by STS, and who was refused, is in the organization's control-plane records", async () => {
  const clock = new MovableClock(START_MS);
  const { organizations } = openIdentities({
    ...{ meta: new MemoryMetaStore(), clock, keyring: TEST_KEYRING },
  });
  for (const id of ["ab1cd2", "other"]) await organizations.create({ id, name: id });
  await organizations.setSettings("ab1cd2", { controlPlaneAuditLoggingEnabled: true });
  const root = await temporaryDirectory();
  const lost = () => assert.fail("records were lost");
  const spool = await AuditSpool.open({ root, owner: "1", clock, batchMs: 60_000, lost });
  const keeper = new ControlAudit({ spool, organizations, clock, settled: async () => undefined });
  const audit = new RequestAudit({
    ...{ spool, clock, lost },
    // To another process it takes a while.
    tell: async (filed) => {
      await new Promise(setImmediate);
      keeper.file(filed);
    },
  });
  const request = {
    ...{ method: "POST", target: "/", rawHeaders: [], secure: true, remoteAddress: "192.0.2.1" },
    body: (async function* none() {})(),
  };
  const written = { bytes: 0, received: 0, whole: true, failure: undefined };
  const record = (organizationId: string, accessKeyId?: string) => {
    const name = "role/https://issuer.example:ci";
    const caller = { kind: "role", organizationId, name, groups: [] } as const;
    const trace = { ...newTrace(), operation: "AssumeRoleWithWebIdentity", caller, accessKeyId };
    const refused = { ...trace, code: "AccessDenied", accessKeyId: undefined };
    const status = accessKeyId === undefined ? 403 : 200;
    audit.record({ trace: accessKeyId ? trace : refused, request, status, written, ms: 12 });
  };

  record("ab1cd2", "CW0ABCDEFGHIJKLM");
  record("ab1cd2");
  record("other", "CW0ABCDEFGHIJKLM");
  await audit.close();

  const lines = globSync(join(root, "**/*.ready")).flatMap((path) =>
    readFileSync(path, "utf8").trim().split("\n"),
  );
  const records = lines.map((line) => JSON.parse(line) as ControlPlaneRecord);
  const shown = records.map(({ action, principal, identifier, status, code, sourceIp }) => ({
    ...{ action, principal, identifier, status, code, sourceIp },
  }));
  const common = {
    action: "sts:AssumeRoleWithWebIdentity",
    principal: "role/https://issuer.example:ci",
    sourceIp: "192.0.2.1",
  };
  assert.deepEqual(shown, [
    { ...common, identifier: "CW0ABCDEFGHIJKLM", status: 200, code: undefined },
    { ...common, identifier: undefined, status: 403, code: "AccessDenied" },
  ]);
});
