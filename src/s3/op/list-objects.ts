import { tag, wrap } from "#base/xml.ts";
import { listReply } from "#s3/list-reply.ts";
import {
  behind,
  contentsWriter,
  keyWriter,
  LIST_KEYS_MAX,
  ownerElement,
  ownerOf,
  prefixElements,
  readEncoding,
  readMarker,
} from "#s3/listing.ts";
import { operation } from "#s3/operation.ts";
import { bucketOf, countOf } from "#s3/request.ts";

/** The first version, which s3cmd and rclone use. Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html */
export const listObjects = operation({
  name: "ListObjects",
  route: { method: "GET", on: "bucket" },
  body: "none",

  parse: (request) => ({
    bucket: bucketOf(request),
    prefix: readMarker(request, "prefix"),
    delimiter: readMarker(request, "delimiter"),
    after: readMarker(request, "marker"),
    limit: countOf(request, "max-keys", { fallback: LIST_KEYS_MAX, max: LIST_KEYS_MAX }),
    encoding: readEncoding(request),
  }),

  grants: ({ bucket }) => [{ action: "s3:ListBucket", resource: bucket }],

  run: async ({ open }, ask) => {
    const { bucket, engine } = await open(ask.bucket);
    const page = await engine.list(bucket, { ...ask, after: behind(ask.after, ask) });
    return { page, owner: ownerOf(bucket), region: bucket.region };
  },

  render: ({ page, owner, region }, ask) => {
    const writeKey = keyWriter(ask.encoding);
    const shownOwner = ownerElement(owner);
    // AWS leaves NextMarker out without a delimiter: the last key serves.
    const next = page.next !== undefined && ask.delimiter !== "" ? page.next : undefined;
    const inner = [
      tag("Name", ask.bucket),
      wrap("Prefix", writeKey(ask.prefix)),
      wrap("Marker", writeKey(ask.after)),
      next === undefined ? "" : wrap("NextMarker", writeKey(next)),
      tag("MaxKeys", ask.limit),
      ask.delimiter === "" ? "" : wrap("Delimiter", writeKey(ask.delimiter)),
      ask.encoding === undefined ? "" : tag("EncodingType", ask.encoding),
      tag("IsTruncated", page.next !== undefined),
      ...page.objects.map(contentsWriter(writeKey, shownOwner)),
      ...prefixElements(page.prefixes, writeKey),
    ];
    return listReply("ListBucketResult", inner, { "x-amz-bucket-region": region });
  },
});
