import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused, texts } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

const RULE = (inner: string, id = "r") =>
  `<Rule><ID>${id}</ID><Status>Enabled</Status>${inner}</Rule>`;
const DAYS = "<Expiration><Days>30</Days></Expiration>";
const PREFIX = "<Filter><Prefix>logs/</Prefix></Filter>";
const LIFECYCLE = (rules: string) => `<LifecycleConfiguration>${rules}</LifecycleConfiguration>`;

test("lifecycle rules are put, replaced as a whole, got and deleted", async (t) => {
  const s3 = await startServer(t);

  await s3.put("/bucket?lifecycle", LIFECYCLE(RULE(PREFIX + DAYS, "first")));
  const put = await s3.put("/bucket?lifecycle", LIFECYCLE(RULE(PREFIX + DAYS, "second")));
  const got = await s3.get("/bucket?lifecycle");
  const deleted = await s3.request({ method: "DELETE", path: "/bucket?lifecycle" });

  assert.deepEqual([put.status, got.status, deleted.status], [200, 200, 204]);
  assert.ok(got.text.includes(RULE(PREFIX + DAYS, "second")), got.text);
  assert.ok(!got.text.includes("first"));
  assertRefused(await s3.get("/bucket?lifecycle"), 404, "NoSuchLifecycleConfiguration");
});

test("rules without an ID are given one that no other rule has", async (t) => {
  const s3 = await startServer(t);
  const rules = ["", "<ID></ID>", "<ID>rule-1</ID>"].map(
    (id) => `<Rule>${id}<Status>Enabled</Status>${PREFIX}${DAYS}</Rule>`,
  );

  const put = await s3.put("/bucket?lifecycle", LIFECYCLE(rules.join("")));
  const ids = texts((await s3.get("/bucket?lifecycle")).text, "ID");

  assert.equal(put.status, 200, put.text);
  assert.ok(ids.every((id) => id !== ""));
  assert.equal(new Set(ids).size, 3, ids.join());
});

const TAG = "<Tag><Key>k</Key><Value>v</Value></Tag>";
const ABORT =
  "<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>";
const REFUSED = [
  { why: "no rule", rules: "", code: "MalformedXML" },
  { why: "no filter", rules: RULE(DAYS), code: "MalformedXML" },
  {
    why: "a prefix of the rule itself",
    rules: RULE(`<Prefix>a</Prefix>${DAYS}`),
    code: "InvalidRequest",
  },
  { why: "no action", rules: RULE(PREFIX), code: "InvalidRequest" },
  { why: "zero days", rules: RULE(PREFIX + DAYS.replace("30", "0")), code: "InvalidArgument" },
  {
    why: "days and a date",
    rules: RULE(PREFIX + DAYS.replace("</Days>", "</Days><Date>2027-01-01T00:00:00Z</Date>")),
    code: "MalformedXML",
  },
  {
    why: "a date that is not midnight",
    rules: RULE(`${PREFIX}<Expiration><Date>2027-01-01T10:00:00Z</Date></Expiration>`),
    code: "InvalidArgument",
  },
  { why: "two rules of one id", rules: RULE(PREFIX + DAYS).repeat(2), code: "InvalidArgument" },
  {
    why: "another status",
    rules: RULE(PREFIX + DAYS).replace("Enabled", "enabled"),
    code: "MalformedXML",
  },
  {
    why: "a tag named twice",
    rules: RULE(`<Filter><And>${TAG}${TAG}</And></Filter>${DAYS}`),
    code: "InvalidRequest",
  },
  {
    why: "a condition beside And",
    rules: RULE(`<Filter><And><Prefix>a</Prefix></And><Prefix></Prefix></Filter>${DAYS}`),
    code: "MalformedXML",
  },
  { why: "uploads by tag", rules: RULE(`<Filter>${TAG}</Filter>${ABORT}`), code: "InvalidRequest" },
  // Elements of other servers, and slips: what they were to keep would be removed.
  ...[
    RULE(`${PREFIX}${DAYS}<DelMarkerExpiration><Days>1</Days></DelMarkerExpiration>`),
    RULE(
      PREFIX +
        DAYS.replace("</Days>", "</Days><ExpiredObjectAllVersions>true</ExpiredObjectAllVersions>"),
    ),
    RULE(`<Filter><Suffix>.log</Suffix></Filter>${DAYS}`),
    RULE(`<Filter><And><Prefix>a</Prefix>${TAG}<Misspelt/></And></Filter>${DAYS}`),
    RULE(PREFIX + ABORT.replace("<Days", "<Hours>1</Hours><Days")),
    RULE(
      `${PREFIX}<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays><Keep>3</Keep></NoncurrentVersionExpiration>`,
    ),
  ].map((rules, index) => ({
    ...{ why: `an element that it does not know (${index + 1})`, rules, code: "MalformedXML" },
  })),
  {
    why: "1,001 rules",
    rules: Array.from({ length: 1_001 }, (_, at) => RULE(PREFIX + DAYS, `r${at}`)).join(""),
    code: "MalformedXML",
  },
];
for (const { why, rules, code } of REFUSED) {
  test(`PutBucketLifecycleConfiguration refuses ${why} with ${code}`, async (t) => {
    const s3 = await startServer(t);

    assertRefused(await s3.put("/bucket?lifecycle", LIFECYCLE(rules)), 400, code);
  });
}

const SIZE = "x-amz-transition-default-minimum-object-size";

test("from which size on objects would be moved is kept beside the rules, and told though nobody said it", async (t) => {
  const s3 = await startServer(t);
  const path = "/bucket?lifecycle";
  const rules = LIFECYCLE(RULE(PREFIX + DAYS));
  const plain = await s3.put(path, rules);
  const plainGot = await s3.get(path);

  const varied = await s3.put(path, rules, { [SIZE]: "varies_by_storage_class" });
  const variedGot = await s3.get(path);
  const refused = await s3.put(path, rules, { [SIZE]: "value" });

  const told = [plain, plainGot, varied, variedGot].map(({ headers }) => headers[SIZE]);
  const [fallback, other] = ["all_storage_classes_128K", "varies_by_storage_class"];
  assert.deepEqual(told, [fallback, fallback, other, other]);
  assert.equal(variedGot.text, plainGot.text);
  assertRefused(refused, 400, "InvalidRequest");
  assert.deepEqual(texts(refused.text, "Message"), [
    "Invalid TransitionDefaultMinimumObjectSize found: value",
  ]);
});

for (const filter of [
  "",
  "<Prefix></Prefix>",
  "<Prefix>a</Prefix>",
  TAG,
  `<And>${TAG}</And>`,
  `<And><Prefix></Prefix>${TAG}</And>`,
  `<And><Prefix>a</Prefix><ObjectSizeGreaterThan>1</ObjectSizeGreaterThan></And>`,
]) {
  test(`a rule's filter is answered as it was put: "${filter}"`, async (t) => {
    const s3 = await startServer(t);
    const rule = RULE(`<Filter>${filter}</Filter>${DAYS}`);

    await s3.put("/bucket?lifecycle", LIFECYCLE(rule));
    const { text } = await s3.get("/bucket?lifecycle");

    assert.ok(text.includes(rule), text);
    assert.equal((await s3.put("/bucket?lifecycle", text)).status, 200);
    assert.equal((await s3.get("/bucket?lifecycle")).text, text);
  });
}

test("PutBucketLifecycleConfiguration refuses a transition with NotImplemented", async (t) => {
  const s3 = await startServer(t);
  const transition = "<Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition>";

  const reply = await s3.put("/bucket?lifecycle", LIFECYCLE(RULE(PREFIX + transition)));

  assertRefused(reply, 501, "NotImplemented");
});
