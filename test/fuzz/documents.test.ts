/** XML documents and policies: read as they were written, or refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readBucketPolicy } from "#access/bucket-policy.ts";
import { readOrganizationPolicy } from "#access/organization-policy.ts";
import { type Element, readXml, tag, wrap } from "#base/xml.ts";
import { readLifecycle, writeLifecycle } from "#object/lifecycle.ts";
import { corsHeaders, readCorsRules, writeCorsRules } from "#s3/cors.ts";
import { readTagging, writeTagging } from "#s3/tags.ts";
import { orRefused, REFUSED } from "#test/fuzz/refusal.ts";
import { damaged, nastyText, REPEATED, withoutControls } from "#test/fuzz/text.ts";
import { runs } from "#test/support/runs.ts";

/** Characters that XML 1.0 can carry. */
const text = nastyText.map((each) =>
  withoutControls(each.toWellFormed(), "\t\r\n\u007f\u0080").replaceAll(/[\uFFFE\uFFFF]/g, ""),
);
const name = fc.string({ unit: fc.constantFrom(..."abcXYZ"), minLength: 1, maxLength: 6 });
const { tree } = fc.letrec<{ tree: Element }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 6 },
    fc.record({ name, text, children: fc.constant([]) }),
    fc.record({ name, text: fc.constant(""), children: fc.array(tie("tree"), { maxLength: 4 }) }),
  ),
}));

test("an XML document is read as it was written", () => {
  fc.assert(
    fc.property(tree, (written) => {
      assert.deepEqual(readXml(xmlOf(written)), structuredClone(written));
    }),
    runs({ short: 300, long: 50_000 }),
  );
});

const TAGGING = "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>";
const CORS =
  "<C><CORSRule><ID>r</ID><AllowedOrigin>https://*.a</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedHeader>x-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>5</MaxAgeSeconds></CORSRule></C>";
const LIFECYCLE =
  "<L><Rule><ID>r</ID><Status>Enabled</Status><Filter><And><Prefix>a</Prefix><Tag><Key>k</Key><Value>v</Value></Tag><ObjectSizeGreaterThan>5</ObjectSizeGreaterThan></And></Filter><Expiration><Days>3</Days></Expiration><NoncurrentVersionExpiration><NoncurrentDays>2</NoncurrentDays><NewerNoncurrentVersions>4</NewerNoncurrentVersions></NoncurrentVersionExpiration></Rule></L>";

/** Read, written in canonical form, and read again: the same. */
const CANONICAL: Readonly<Record<string, readonly [string, (xml: string) => string]>> = {
  Tagging: [TAGGING, (xml) => wrap("Tagging", writeTagging(readTagging(readXml(xml))))],
  CORSConfiguration: [CORS, (xml) => wrap("C", writeCorsRules(readCorsRules(readXml(xml))))],
  LifecycleConfiguration: [
    LIFECYCLE,
    (xml) => wrap("L", writeLifecycle(readLifecycle(readXml(xml)))),
  ],
};

for (const [what, [sample, canonical]] of Object.entries(CANONICAL)) {
  test(`a damaged ${what} is refused, or means the same each time it is read`, () => {
    assert.equal(canonical(canonical(sample)), canonical(sample));
    // Now and then two of its pieces change places, or text comes between them.
    const shuffled = fc
      .tuple(fc.shuffledSubarray(sample.split(/(?=<)/)), nastyText, fc.boolean())
      .map(([pieces, more, keeps]) => Buffer.from((keeps ? sample : pieces.join("")) + more));
    fc.assert(
      fc.property(fc.oneof(damaged(Buffer.from(sample)), shuffled), (bytes) => {
        const once = orRefused(() => canonical(bytes.toString("utf8")));
        if (once !== REFUSED) assert.equal(canonical(once), once);
      }),
      runs({ short: 400, long: 100_000 }),
    );
  });
}

test("any CORS rules answer any preflight, or nothing", () => {
  const ask = fc.record({
    ...{ origin: nastyText, method: fc.constantFrom("GET", "PUT", "*", "") },
    headers: fc.array(nastyText, { maxLength: 3 }),
  });
  fc.assert(
    fc.property(ask, (given) => {
      const headers = corsHeaders(CORS, given);
      for (const value of Object.values(headers ?? {})) assert.doesNotMatch(value, /[\r\n]/);
    }),
    runs({ short: 300, long: 50_000 }),
  );
});

const BUCKET_POLICY = {
  Version: "2012-10-17",
  Id: "p",
  Statement: [
    {
      ...{
        Sid: "s",
        Effect: "Allow",
        Principal: { AWS: "*" },
        Action: ["s3:GetObject", "s3:List*"],
      },
      Resource: ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"],
      Condition: {
        IpAddress: { "aws:SourceIp": "10.0.0.0/8" },
        Bool: { "aws:SecureTransport": "true" },
      },
    },
  ],
};

test("a damaged policy is refused, or read", () => {
  const bytes = Buffer.from(JSON.stringify(BUCKET_POLICY));
  readBucketPolicy(bytes.toString("utf8"), "bucket");
  const json = fc.json({ maxDepth: 4 }).map((each) => Buffer.from(each));
  const policy = fc
    .record({
      Version: fc.constantFrom("2012-10-17", "2008-10-17", "x"),
      Statement: fc.array(
        fc.dictionary(
          fc.constantFrom(...Object.keys(BUCKET_POLICY.Statement[0] ?? {}), "NotAction", "x"),
          fc.oneof(nastyText, fc.array(nastyText, { maxLength: 2 }), fc.jsonValue({ maxDepth: 2 })),
        ),
        { maxLength: 2 },
      ),
    })
    .map((each) => Buffer.from(JSON.stringify(each)));
  fc.assert(
    fc.property(fc.oneof(damaged(bytes), policy, json), (given) => {
      orRefused(() => readBucketPolicy(given.toString("utf8"), "bucket"));
      orRefused(() => readOrganizationPolicy(given.toString("utf8")));
    }),
    runs({ short: 800, long: 300_000 }),
  );
});

test("however large or deep a document is, reading it takes no longer than it is", {
  timeout: 30_000,
}, () => {
  for (const piece of REPEATED) {
    const long = piece.repeat(50_000 / piece.length);
    for (const xml of [
      long,
      `<a>${long}`,
      `<a>${long}</a>`,
      `<a ${long}/>`,
      `<a b="${long}"/>`,
      `<!--${long}`,
    ]) {
      orRefused(() => readXml(xml));
    }
    for (const json of [
      long,
      `{${long}`,
      `{"Statement":"${long}"}`,
      `{"a":${long}`,
      `{"Version":[${long}`,
    ]) {
      orRefused(() => readBucketPolicy(json, "bucket"));
    }
  }
});

function xmlOf({ name: tagName, text: content, children }: Element): string {
  return children.length === 0
    ? tag(tagName, content)
    : wrap(tagName, children.map(xmlOf).join(""));
}
