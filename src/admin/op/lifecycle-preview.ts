import { z } from "zod";
import { message, text } from "#admin/message.ts";
import { operation, type Services } from "#admin/operation.ts";
import { ownBucket } from "#admin/own-bucket.ts";
import { ControlError } from "#base/control-error.ts";
import type { BucketPlace } from "#job/lifecycle-page.ts";
import { type Previewed, previewPage } from "#job/lifecycle-preview.ts";
import type { Bucket } from "#object/bucket.ts";

/** How many pages of 500 things one call looks through, so that it comes to an end. */
const PAGES_MAX = 20;
/** When so many are found, the rest is for the next call. */
const DUE_MAX = 1_000;

const due = z.object({
  action: z.enum(["expired", "noncurrent", "markers", "uploads"]),
  key: text,
  versionId: text.optional(),
  uploadId: text.optional(),
  ruleId: text,
});

export const lifecyclePreview = operation({
  name: "PreviewLifecycle",
  summary: "Tell what the lifecycle rules of a bucket would remove now. Nothing is removed.",
  method: "GET",
  path: "/v1/lode/lifecycle-preview/{bucketName}",
  // It tells keys, which is what these two allow in the S3 API.
  needs: ({ bucketName }) => [
    { action: "s3:GetLifecycleConfiguration", resource: bucketName },
    { action: "s3:ListBucket", resource: bucketName },
  ],
  input: message({ bucketName: text, pageToken: text.optional() }),
  output: z.object({
    due: z.array(due),
    examined: z.int().describe("how many objects, versions and uploads were looked at"),
    nextPageToken: text.optional(),
  }),
  run: async (services, { bucketName, pageToken }) => {
    const bucket = await ownBucket(services, bucketName);
    const place = pageToken === undefined ? undefined : placeOf(pageToken);
    const { found, examined, next } = await look(services, { bucket, place });
    return { due: found, examined, nextPageToken: next && tokenOf(next) };
  },
});

interface Look {
  readonly bucket: Bucket;
  readonly place: BucketPlace | undefined;
}

async function look(services: Services, { bucket, place }: Look) {
  const { catalog, clock, engineOf, lifecycleDayMs } = services;
  const preview = { catalog, clock, engine: engineOf(bucket), dayMs: lifecycleDayMs };
  const found: Previewed[] = [];
  let examined = 0;
  let next = place;
  for (let pages = 0; pages < PAGES_MAX && found.length < DUE_MAX; pages += 1) {
    const page = await previewPage(preview, bucket, next);
    found.push(...page.due);
    examined += page.examined;
    next = page.next;
    if (next === undefined) break;
    await clock.sleep(0);
  }
  return { found, examined, next };
}

const place = z.discriminatedUnion("step", [
  z.strictObject({ step: z.literal("current"), after: text }),
  z.strictObject({
    step: z.literal("versions"),
    afterKey: text,
    afterVersionId: text.optional(),
    rank: z.int().min(0),
    modifiedMs: z.number(),
  }),
  z.strictObject({
    step: z.literal("uploads"),
    afterKey: text,
    afterUploadId: text.optional(),
  }),
]);

function tokenOf(next: BucketPlace): string {
  return Buffer.from(JSON.stringify(next)).toString("base64url");
}

/** Fails: InvalidArgument. */
function placeOf(token: string): BucketPlace {
  try {
    const parsed = place.parse(JSON.parse(Buffer.from(token, "base64url").toString()));
    switch (parsed.step) {
      case "current":
        return parsed;
      case "versions":
        return { ...parsed, afterVersionId: parsed.afterVersionId };
      case "uploads":
        return { ...parsed, afterUploadId: parsed.afterUploadId };
    }
  } catch (cause) {
    const message = "pageToken: give the nextPageToken of an earlier answer";
    throw new ControlError("InvalidArgument", message, { cause });
  }
}
