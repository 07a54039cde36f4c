import assert from "node:assert/strict";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { ControlPlaneRecord } from "#audit/record.ts";
import { AuditSpool } from "#audit/spool.ts";
import { assert as holds } from "#base/assert.ts";
import { ControlError } from "#base/control-error.ts";
import { ControlAudit } from "#process/control-audit.ts";
import { openControl } from "#test/admin/control.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

const SETTINGS = "/v1/cwobject/organization/settings";
const OFF = "controlPlaneAuditLoggingEnabled=false";
const audited = (controlPlaneAuditLoggingEnabled: boolean) => ({
  settings: { controlPlaneAuditLoggingEnabled },
});

/** The control API with an audit of it, which writes to a directory. */
async function openAudited(t: TestContext, settled: () => Promise<void> = async () => undefined) {
  const root = join(await temporaryDirectory(), "audit");
  const lost: number[] = [];
  const made: { audit?: ControlAudit } = {};
  const opened = await openControl(t, {
    silence: async (http, trace, change) => {
      holds(made.audit !== undefined, "the audit is there before the first call");
      return await made.audit.silence(http, trace, change);
    },
    called: (...call) => made.audit?.record(...call),
  });
  const { clock, control } = opened;
  const spool = await AuditSpool.open({
    ...{ root, owner: "1", clock, batchMs: 60_000 },
    lost: (count) => lost.push(count),
  });
  const { organizations } = control;
  const audit = new ControlAudit({ spool, organizations, clock, settled });
  made.audit = audit;
  /** What is on the disk and handed over, in order. */
  const records = async () => {
    const names = (await readdir(root)).filter((name) => name.endsWith(".ready")).sort();
    const texts = await Promise.all(names.map((name) => readFile(join(root, name), "utf8")));
    const lines = texts.flatMap((text) => text.trimEnd().split("\n"));
    return lines.map((line) => JSON.parse(line) as ControlPlaneRecord);
  };
  return { ...opened, audit, spool, records, root, lost };
}

const REQUEST = {
  ...{ method: "PUT", target: "/", rawHeaders: [], secure: false, remoteAddress: "192.0.2.1" },
  body: (async function* none() {})(),
};

/** What another process tells, of who was given keys there. */
function filed(organizationId: string, identifier: string) {
  const record: ControlPlaneRecord = {
    ...{
      action: "sts:AssumeRoleWithWebIdentity",
      principal: "role/x:y",
      principalRole: "role/x:y",
    },
    ...{ timestamp: "2026-01-02T03:04:05.678Z", identifier, duration_seconds: 0.01 },
    ...{ sourceIp: "192.0.2.1", requestId: "8B7DA0C9E2A4F3D1", status: 200, code: undefined },
  };
  return { organizationId, record };
}

test("who switches the audit off is on the disk before the answer, as the last record of all", async (t) => {
  const { ok, call, spool, records, organizationId, control } = await openAudited(t);
  await ok("PUT", SETTINGS, audited(true));
  await ok("GET", "/v1/lode/whoami");

  const switched = await ok("PUT", SETTINGS, audited(false));
  const before = await records();
  await ok("GET", "/v1/lode/whoami");
  await call({ path: "/v1/lode/whoami", token: "wrong" });
  await spool.close();

  assert.equal(switched.settings.controlPlaneAuditLoggingEnabled, false);
  assert.equal(await control.organizations.auditsControlPlane(organizationId), false);
  const last = before.at(-1);
  assert.equal(last?.action, "cwobject:SetOrganizationSettings");
  assert.equal(last?.principal, "operator");
  assert.equal(last?.identifier, OFF);
  assert.equal(last?.status, 200);
  assert.deepEqual(
    before.map(({ action }) => action),
    ["cwobject:SetOrganizationSettings", "cwobject:WhoAmI", "cwobject:SetOrganizationSettings"],
  );
  assert.deepEqual(await records(), before);
});

test("calls beside the one that switches the audit off leave no record after its own", async (t) => {
  const { ok, spool, records } = await openAudited(t);
  await ok("PUT", SETTINGS, audited(true));

  const beside = Array.from({ length: 20 }, () => ok("GET", "/v1/lode/whoami"));
  const switching = ok("PUT", SETTINGS, audited(false));
  const more = Array.from({ length: 20 }, () => ok("GET", "/v1/lode/whoami"));
  await Promise.all([...beside, switching, ...more]);
  await spool.close();

  const kept = await records();
  const last = kept.findIndex(({ identifier }) => identifier === OFF);
  assert.equal(last, kept.length - 1);
  assert.ok(last > 1, "calls that ended before it are recorded");
});

test("an audit whose last record cannot be kept stays on", async (t) => {
  const { call, ok, control, organizationId, root, lost } = await openAudited(t);
  await ok("PUT", SETTINGS, audited(true));
  await rm(root, { recursive: true });

  const refused = await call({ method: "PUT", path: SETTINGS, body: audited(false) });

  assert.equal(refused.status, 503);
  assert.equal(await control.organizations.auditsControlPlane(organizationId), true);
  assert.ok(lost.length > 0);
});

test("an audit that is off already is switched off without a record", async (t) => {
  const { ok, spool, records } = await openAudited(t);

  await ok("PUT", SETTINGS, audited(false));
  await spool.close();

  assert.deepEqual(await records(), []);
});

test("what other processes answered before is recorded before who switches the audit off, and what they answer later never", async (t) => {
  const told: (() => void)[] = [];
  const opened = await openAudited(t, async () => {
    await new Promise(setImmediate);
    for (const tell of told) tell();
  });
  const { ok, audit, spool, records, organizationId } = opened;
  await ok("PUT", SETTINGS, audited(true));

  told.push(() => audit.file(filed(organizationId, "EARLY")));
  const switching = ok("PUT", SETTINGS, audited(false));
  await switching;
  audit.file(filed(organizationId, "LATE"));
  await spool.close();

  const kept = (await records()).map(({ identifier }) => identifier);
  assert.deepEqual(kept.slice(1), ["EARLY", OFF]);
});

test("what other processes tell while the audit is being switched off waits for its end, and is none then", async (t) => {
  const { ok, audit, spool, records, organizationId, control } = await openAudited(t);
  await ok("PUT", SETTINGS, audited(true));
  const trace = {
    ...{ requestId: "8B7DA0C9E2A4F3D1", operation: "SetOrganizationSettings", denied: undefined },
    ...{ organizationId, silenced: organizationId, identifier: OFF, code: undefined },
    caller: { kind: "operator" } as const,
  };

  await audit.silence(REQUEST, trace, async () => {
    audit.file(filed(organizationId, "MEANWHILE"));
    await new Promise(setImmediate);
    await control.organizations.setSettings(organizationId, audited(false).settings);
  });
  await spool.close();

  assert.deepEqual(
    (await records()).slice(1).map(({ identifier }) => identifier),
    [OFF],
  );
});

test("what only the operator can do is recorded as being about the organization that it names", async (t) => {
  const { ok, call, spool, records, control } = await openAudited(t);
  await ok("PUT", SETTINGS, audited(true));
  await ok("POST", "/v1/lode/organization", { orgId: "acme", name: "Acme" });
  await control.users.create("acme", { uid: "ada", name: "Ada", groups: [] });

  const refused = await call({ method: "DELETE", path: "/v1/lode/organization/acme" });
  await spool.close();

  assert.equal(refused.json.code, 9, "FailedPrecondition");
  assert.deepEqual(
    (await records()).slice(1).map(({ action, identifier, code }) => [action, identifier, code]),
    [
      ["cwobject:CreateOrganization", "acme", undefined],
      ["cwobject:DeleteOrganization", "acme", "FailedPrecondition"],
    ],
  );
});

test("who deletes an organization is its last record, on the disk before it is gone, and the operator's own", async (t) => {
  const { ok, spool, records, control } = await openAudited(t);
  await ok("POST", "/v1/lode/organization", { orgId: "acme", name: "Acme" });
  await ok("PUT", SETTINGS, { ...audited(true), orgId: "acme" });
  await ok("PUT", SETTINGS, audited(true));

  await ok("DELETE", "/v1/lode/organization/acme");
  const before = await records();
  await spool.close();

  const last = before.at(-1);
  assert.equal(last?.action, "cwobject:DeleteOrganization");
  assert.equal(last?.identifier, "acme");
  assert.equal(last?.principal, "operator");
  assert.equal(await control.organizations.auditsControlPlane("acme"), false);
  const deleted = (await records()).filter(({ action }) => action.endsWith("DeleteOrganization"));
  assert.equal(deleted.length, 2, "of the organization that is gone, and of the first");
  assert.ok(deleted.every(({ identifier, status }) => identifier === "acme" && status === 200));
});

test("what was to end the audit of another organization than the caller's and failed has a record of that too", async (t) => {
  const { ok, spool, records, audit, organizationId } = await openAudited(t);
  await ok("POST", "/v1/lode/organization", { orgId: "acme", name: "Acme" });
  await ok("PUT", SETTINGS, { ...audited(true), orgId: "acme" });
  const trace = {
    ...{ requestId: "8B7DA0C9E2A4F3D1", operation: "DeleteOrganization", denied: undefined },
    ...{ organizationId, silenced: "acme", identifier: "acme" },
    caller: { kind: "operator" } as const,
  };

  const failing = audit.silence(REQUEST, { ...trace, code: undefined }, async () => {
    throw new ControlError("Aborted", "changed meanwhile");
  });
  await assert.rejects(failing, { code: "Aborted" });
  const reply = { status: 409, headers: {}, body: undefined };
  audit.record(REQUEST, { reply, trace: { ...trace, code: "Aborted" } }, 0);
  await spool.close();

  assert.deepEqual(
    (await records()).slice(-2).map(({ identifier, code }) => ({ identifier, code })),
    [
      { identifier: "acme", code: undefined },
      { identifier: "acme", code: "Aborted" },
    ],
  );
});
