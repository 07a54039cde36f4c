import { assert } from "#base/assert.ts";
import { invalidArgument } from "#base/error.ts";
import { tag, wrap } from "#base/xml.ts";
import { canonicalIdOf } from "#catalog/catalog.ts";
import { isoDate } from "#s3/iso-date.ts";
import { readToken, writeToken } from "#s3/listing.ts";
import { operation } from "#s3/operation.ts";
import { xmlReply } from "#s3/reply.ts";
import { countOf, type S3Request } from "#s3/request.ts";

const PAGE_MAX = 10_000;

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html */
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
    const buckets = page.buckets.filter(
      ({ region }) => ask.region === undefined || ask.region === region,
    );
    return { buckets, next: page.next, organizationId };
  },

  render: ({ buckets, next, organizationId }, { prefix }) => {
    const rows = buckets.map(({ name, createdMs, region }) =>
      wrap(
        "Bucket",
        tag("Name", name) + tag("CreationDate", isoDate(createdMs)) + tag("BucketRegion", region),
      ),
    );
    const owner = tag("ID", canonicalIdOf(organizationId)) + tag("DisplayName", organizationId);
    const inner =
      wrap("Owner", owner) +
      wrap("Buckets", rows.join("")) +
      (prefix === "" ? "" : tag("Prefix", prefix)) +
      (next === undefined ? "" : tag("ContinuationToken", writeToken(next)));
    return xmlReply("ListAllMyBucketsResult", inner);
  },
});

/** Fails: InvalidArgument outside of 1 to 10,000. */
function readLimit(request: S3Request): number {
  const limit = countOf(request, "max-buckets", { fallback: PAGE_MAX, max: PAGE_MAX + 1 });
  if (limit >= 1 && limit <= PAGE_MAX) return limit;
  const message = `max-buckets must be between 1 and ${PAGE_MAX}`;
  throw invalidArgument("max-buckets", request.query.get("max-buckets") ?? "", message);
}
