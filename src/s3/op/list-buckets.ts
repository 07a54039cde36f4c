import { assert } from "#base/assert.ts";
import { invalidArgument } from "#base/error.ts";
import { tag, wrap } from "#base/xml.ts";
import { canonicalIdOf } from "#catalog/bucket-record.ts";
import type { BucketRow } from "#catalog/catalog.ts";
import { bucketArn } from "#s3/bucket-arn.ts";
import { isoDate } from "#s3/iso-date.ts";
import { readToken, writeToken } from "#s3/listing.ts";
import { operation } from "#s3/operation.ts";
import { xmlReply } from "#s3/reply.ts";
import { countOf, type S3Request } from "#s3/request.ts";

const PAGE_MAX = 10_000;

/**
 * Differs: AWS tells the region of buckets only where the request has a parameter; here it always is.
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
 */
export const listBuckets = operation({
  name: "ListBuckets",
  route: { method: "GET", on: "service" },
  body: "none",

  parse: (request) => ({
    prefix: request.query.get("prefix") ?? "",
    after: readToken(request.query.get("continuation-token")) ?? "",
    limit: readLimit(request),
    region: request.query.get("bucket-region"),
  }),

  grants: () => [{ action: "s3:ListAllMyBuckets", resource: "*" }],

  run: async ({ catalog, principal }, ask) => {
    const { organizationId } = principal;
    assert(organizationId !== undefined, "who may list buckets is of an organization");
    const page = await catalog.list({ ...ask, organizationId });
    const rows = page.rows.filter(
      (row) => ask.region === undefined || ("bucket" in row && row.bucket.region === ask.region),
    );
    return { rows, next: page.next, organizationId };
  },

  render: ({ rows: found, next, organizationId }, { prefix }) => {
    const rows = found.map((row) => wrap("Bucket", tag("Name", row.name) + madeIn(row)));
    const owner = tag("ID", canonicalIdOf(organizationId)) + tag("DisplayName", organizationId);
    const inner =
      wrap("Owner", owner) +
      wrap("Buckets", rows.join("")) +
      (prefix === "" ? "" : tag("Prefix", prefix)) +
      (next === undefined ? "" : tag("ContinuationToken", writeToken(next)));
    return xmlReply("ListAllMyBucketsResult", inner);
  },
});

/**
 * Of a bucket whose record cannot be read only the name is known. It is shown, since one that is not
 * listed is taken for one that was deleted; and with a time, without which some clients list nothing.
 */
function madeIn(row: BucketRow): string {
  if ("damage" in row) return tag("CreationDate", isoDate(0));
  const { createdMs, region } = row.bucket;
  const arn = tag("BucketArn", bucketArn(row.name));
  return tag("CreationDate", isoDate(createdMs)) + tag("BucketRegion", region) + arn;
}

/** Fails: InvalidArgument outside of 1 to 10,000. */
function readLimit(request: S3Request): number {
  const limit = countOf(request, "max-buckets", { fallback: PAGE_MAX, max: PAGE_MAX + 1 });
  if (limit >= 1 && limit <= PAGE_MAX) return limit;
  const message = `max-buckets must be between 1 and ${PAGE_MAX}`;
  throw invalidArgument("max-buckets", request.query.get("max-buckets") ?? "", message);
}
