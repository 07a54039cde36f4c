/**
 * Inputs that once failed, or on which readers disagree: each is read as it is written down in `corpus/`, or
 * refused. A case that `npm run fuzz` finds is kept there, with what must come of it.
 */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { readBucketPolicy } from "#access/bucket-policy.ts";
import type { HttpRequest } from "#base/http.ts";
import { readXml } from "#base/xml.ts";
import { readLifecycle, writeLifecycle } from "#object/lifecycle.ts";
import { readRange } from "#object/range.ts";
import { readCopySource } from "#s3/copy-source.ts";
import { readPartHead } from "#s3/form/part-head.ts";
import { readPostPolicy } from "#s3/form/post-policy.ts";
import { frame } from "#s3/request.ts";
import { readTagHeader } from "#s3/tags.ts";
import { orRefused, REFUSED } from "#test/fuzz/refusal.ts";

const RANGE_OF_BYTES = 10;

/** By the name of their file: what each makes of a text. */
const READERS: Readonly<Record<string, (text: string) => unknown>> = {
  target: (target) => {
    const { bucket, key } = frame(requestFor(target), { baseDomains: [], pathStyle: true });
    return { bucket, key };
  },
  "copy-source": (text) => readCopySource({ "x-amz-copy-source": text }),
  range: (text) => readRange(text, RANGE_OF_BYTES) ?? "the whole",
  "tag-header": readTagHeader,
  xml: readXml,
  lifecycle: (text) => writeLifecycle(readLifecycle(readXml(text))),
  "part-head": (text) => readPartHead(Buffer.from(text)),
  "post-policy": (text) => readPostPolicy(Buffer.from(text).toString("base64")),
  "bucket-policy": (text) => readBucketPolicy(text, "bucket").isPublic,
};

interface Case {
  readonly why: string;
  readonly input: string;
  /** What is read; refused when it is absent. */
  readonly gives?: unknown;
}

const FOLDER = join(import.meta.dirname, "corpus");
const files = globSync("*.json", { cwd: FOLDER }).sort();

test("there is a file of cases for each reader, and none without one", () => {
  const names = files.map((file) => basename(file, ".json"));

  assert.deepEqual(names, Object.keys(READERS).sort());
});

for (const [name, read] of Object.entries(READERS)) {
  // Its form is that of the files beside it.
  const cases = JSON.parse(readFileSync(join(FOLDER, `${name}.json`), "utf8")) as readonly Case[];
  for (const { why, input, gives } of cases) {
    test(`${name}: ${why}`, () => {
      const outcome = orRefused(() => read(input));

      if (gives === undefined) assert.equal(outcome, REFUSED, JSON.stringify(outcome));
      else assert.deepEqual(JSON.parse(JSON.stringify(outcome)), gives);
    });
  }
}

function requestFor(target: string): HttpRequest {
  return {
    ...{ method: "GET", target, remoteAddress: "127.0.0.1", secure: false },
    rawHeaders: ["host", "127.0.0.1:9000"],
    body: (async function* none() {})(),
  };
}
