import assert from "node:assert/strict";
import { test } from "node:test";
import { readXml } from "#base/xml.ts";
import { readLifecycle } from "#object/lifecycle.ts";
import { afterDays, DAY_MS, soonestExpiry } from "#object/lifecycle-due.ts";

const rules = (...inner: readonly string[]) =>
  readLifecycle(
    readXml(
      `<LifecycleConfiguration>${inner.map((each) => `<Rule>${each}</Rule>`).join("")}</LifecycleConfiguration>`,
    ),
  );
const DAYS = (days: number, id: string, filter = "<Prefix/>") =>
  `<ID>${id}</ID><Status>Enabled</Status><Filter>${filter}</Filter><Expiration><Days>${days}</Days></Expiration>`;
const NOON_MS = Date.UTC(2026, 0, 2, 12);
const SUBJECT = { key: "logs/a", sizeBytes: 5, modifiedMs: NOON_MS, tags: [["k", "v"]] as const };

test("days end at the next midnight UTC, and days of another length end at once", () => {
  assert.equal(afterDays(NOON_MS, 3, DAY_MS), Date.UTC(2026, 0, 6));
  assert.equal(afterDays(Date.UTC(2026, 0, 2), 3, DAY_MS), Date.UTC(2026, 0, 5));
  assert.equal(afterDays(NOON_MS, 3, 10_000), NOON_MS + 30_000);
});

test("of several rules the one that ends an object first counts, whatever their order", () => {
  const both = [DAYS(3, "late"), DAYS(1, "soon")];

  const expiry = { atMs: Date.UTC(2026, 0, 4), ruleId: "soon" };
  assert.deepEqual(soonestExpiry(rules(...both), SUBJECT, DAY_MS), expiry);
  assert.deepEqual(soonestExpiry(rules(...both.reverse()), SUBJECT, DAY_MS), expiry);
});

test("a date ends every object of its rule, older or younger", () => {
  const date =
    "<ID>d</ID><Status>Enabled</Status><Filter/><Expiration><Date>2026-02-01T00:00:00Z</Date></Expiration>";

  const expiry = soonestExpiry(rules(date), SUBJECT, DAY_MS);

  assert.deepEqual(expiry, { atMs: Date.UTC(2026, 1, 1), ruleId: "d" });
});

const TAG = (value: string) => `<Tag><Key>k</Key><Value>${value}</Value></Tag>`;
const CASES = [
  { why: "its prefix fits", rule: DAYS(1, "r", "<Prefix>logs/</Prefix>"), ends: true },
  { why: "its prefix does not fit", rule: DAYS(1, "r", "<Prefix>a/</Prefix>"), ends: false },
  { why: "its tag fits", rule: DAYS(1, "r", TAG("v")), ends: true },
  { why: "its tag has another value", rule: DAYS(1, "r", TAG("w")), ends: false },
  {
    why: "the object is as large as what it must be larger than",
    rule: DAYS(1, "r", "<ObjectSizeGreaterThan>5</ObjectSizeGreaterThan>"),
    ends: false,
  },
  {
    why: "the object is smaller",
    rule: DAYS(1, "r", "<ObjectSizeLessThan>6</ObjectSizeLessThan>"),
    ends: true,
  },
  { why: "it is disabled", rule: DAYS(1, "r").replace("Enabled", "Disabled"), ends: false },
];
for (const { why, rule, ends } of CASES) {
  test(`a rule ${ends ? "ends" : "spares"} an object when ${why}`, () => {
    assert.equal(soonestExpiry(rules(rule), SUBJECT, DAY_MS) !== undefined, ends);
  });
}
