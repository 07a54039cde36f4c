import { tag, wrap } from "#base/xml.ts";
import { listReply } from "#s3/list-reply.ts";
import {
  contentsWriter,
  keyWriter,
  LIST_KEYS_MAX,
  ownerElement,
  ownerOf,
  prefixElements,
  readEncoding,
  readMarker,
  readToken,
  writeToken,
} from "#s3/listing.ts";
import { operation } from "#s3/operation.ts";
import { bucketOf, countOf } from "#s3/request.ts";

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
export const listObjectsV2 = operation({
  name: "ListObjectsV2",
  route: { method: "GET", on: "bucket", query: ["list-type=2"] },
  body: "none",

  parse: (request) => {
    const token = request.query.get("continuation-token");
    const after = readToken(token);
    return {
      bucket: bucketOf(request),
      prefix: readMarker(request, "prefix"),
      delimiter: readMarker(request, "delimiter"),
      // AWS neither heeds nor shows it where a page goes on.
      startAfter: after === undefined ? readMarker(request, "start-after") : "",
      token,
      after,
      limit: countOf(request, "max-keys", { fallback: LIST_KEYS_MAX, max: LIST_KEYS_MAX }),
      encoding: readEncoding(request),
      fetchOwner: request.query.get("fetch-owner") === "true",
    };
  },

  grants: ({ bucket }) => [{ action: "s3:ListBucket", resource: bucket }],

  run: async ({ open }, ask) => {
    const { bucket, engine } = await open(ask.bucket);
    const { prefix, delimiter, limit } = ask;
    const page = await engine.list(bucket, {
      prefix,
      delimiter,
      limit,
      after: ask.after ?? ask.startAfter,
    });
    return { page, owner: ownerOf(bucket), region: bucket.region };
  },

  render: ({ page, owner, region }, ask) => {
    const writeKey = keyWriter(ask.encoding);
    const shownOwner = ask.fetchOwner ? ownerElement(owner) : "";
    const inner = [
      tag("Name", ask.bucket),
      wrap("Prefix", writeKey(ask.prefix)),
      ask.delimiter === "" ? "" : wrap("Delimiter", writeKey(ask.delimiter)),
      ask.startAfter === "" ? "" : wrap("StartAfter", writeKey(ask.startAfter)),
      ask.token === undefined ? "" : tag("ContinuationToken", ask.token),
      page.next === undefined ? "" : tag("NextContinuationToken", writeToken(page.next)),
      tag("KeyCount", page.objects.length + page.prefixes.length),
      tag("MaxKeys", ask.limit),
      ask.encoding === undefined ? "" : tag("EncodingType", ask.encoding),
      tag("IsTruncated", page.next !== undefined),
      ...page.objects.map(contentsWriter(writeKey, shownOwner)),
      ...prefixElements(page.prefixes, writeKey),
    ];
    return listReply("ListBucketResult", inner, { "x-amz-bucket-region": region });
  },
});
