import assert from "node:assert/strict";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { ControlPlaneRecord } from "#audit/record.ts";
import { AuditSpool } from "#audit/spool.ts";
import { assert as holds } from "#base/assert.ts";
import { ControlAudit } from "#control-audit.ts";
import { openControl } from "#test/admin/control.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

const SETTINGS = "/v1/cwobject/organization/settings";
const OFF = "controlPlaneAuditLoggingEnabled=false";
const audited = (controlPlaneAuditLoggingEnabled: boolean) => ({
  settings: { controlPlaneAuditLoggingEnabled },
});

/** The control API with an audit of it, which writes to a directory. */
async function openAudited(t: TestContext) {
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
  made.audit = new ControlAudit({ spool, organizations, clock });
  /** What is on the disk and handed over, in order. */
  const records = async () => {
    const names = (await readdir(root)).filter((name) => name.endsWith(".ready")).sort();
    const texts = await Promise.all(names.map((name) => readFile(join(root, name), "utf8")));
    const lines = texts.flatMap((text) => text.trimEnd().split("\n"));
    return lines.map((line) => JSON.parse(line) as ControlPlaneRecord);
  };
  return { ...opened, spool, records, root, lost };
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
