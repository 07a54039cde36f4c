import { invalidArgument } from "#base/error.ts";
import { tag, wrap } from "#base/xml.ts";
import type { UploadInfo } from "#object/engine.ts";
import { isoDate } from "#s3/iso-date.ts";
import {
  behind,
  type KeyWriter,
  keyWriter,
  ownerElement,
  ownerOf,
  prefixElements,
  readEncoding,
  readMarker,
} from "#s3/listing.ts";
import { operation } from "#s3/operation.ts";
import { xmlReply } from "#s3/reply.ts";
import { bucketOf, countOf, type S3Request } from "#s3/request.ts";

const UPLOADS_MAX = 1_000;

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html */
export const listMultipartUploads = operation({
  name: "ListMultipartUploads",
  route: { method: "GET", on: "bucket", query: ["uploads"] },
  body: "none",

  parse: (request) => {
    const afterKey = readMarker(request, "key-marker");
    return {
      bucket: bucketOf(request),
      prefix: readMarker(request, "prefix"),
      delimiter: readMarker(request, "delimiter"),
      afterKey,
      // Without a key marker it means nothing, and AWS ignores it.
      afterUploadId: afterKey === "" ? undefined : readUploadMarker(request),
      limit: countOf(request, "max-uploads", { fallback: UPLOADS_MAX, max: UPLOADS_MAX }),
      encoding: readEncoding(request),
    };
  },

  grants: ({ bucket }) => [{ action: "s3:ListBucketMultipartUploads", resource: bucket }],

  run: async ({ open }, ask) => {
    const { bucket, engine } = await open(ask.bucket);
    const afterKey = behind(ask.afterKey, ask);
    const inside = afterKey !== ask.afterKey;
    const from = inside ? { afterKey, afterUploadId: undefined } : {};
    const page = await engine.listUploads(bucket, { ...ask, ...from });
    return { page, owner: ownerOf(bucket) };
  },

  render: ({ page, owner }, ask) => {
    const writeKey = keyWriter(ask.encoding);
    // As on AWS, of the last page too.
    const next = page.next ?? page.uploads.at(-1);
    const who =
      wrap("Initiator", tag("ID", owner.id) + tag("DisplayName", owner.displayName)) +
      ownerElement(owner);
    const inner = [
      tag("Bucket", ask.bucket),
      wrap("KeyMarker", writeKey(ask.afterKey)),
      tag("UploadIdMarker", ask.afterUploadId ?? ""),
      wrap("NextKeyMarker", writeKey(next?.key ?? "")),
      tag("NextUploadIdMarker", next?.uploadId ?? ""),
      ask.delimiter === "" ? "" : wrap("Delimiter", writeKey(ask.delimiter)),
      ask.prefix === "" ? "" : wrap("Prefix", writeKey(ask.prefix)),
      ask.encoding === undefined ? "" : tag("EncodingType", ask.encoding),
      tag("MaxUploads", ask.limit),
      tag("IsTruncated", page.next !== undefined),
      ...page.uploads.map((upload) => uploadElement(upload, writeKey, who)),
      ...prefixElements(page.prefixes, writeKey),
    ];
    return xmlReply("ListMultipartUploadsResult", inner.join(""));
  },
});

/** The upload may be gone by now: who aborts all of them asks on behind those of the page. Fails: InvalidArgument. */
function readUploadMarker({ query }: S3Request): string | undefined {
  const name = "upload-id-marker";
  const marker = query.get(name) ?? "";
  if (marker === "") return undefined;
  if (/^[0-9a-f]{32}$/.test(marker)) return marker;
  throw invalidArgument(name, marker, "Invalid uploadId marker");
}

function uploadElement(upload: UploadInfo, writeKey: KeyWriter, who: string): string {
  const { key, uploadId, initiatedMs, attributes, algorithm, checksumType } = upload;
  const inner =
    wrap("Key", writeKey(key)) +
    tag("UploadId", uploadId) +
    who +
    tag("StorageClass", attributes.storageClass) +
    tag("Initiated", isoDate(initiatedMs)) +
    (algorithm === undefined ? "" : tag("ChecksumAlgorithm", algorithm)) +
    (checksumType === undefined ? "" : tag("ChecksumType", checksumType));
  return wrap("Upload", inner);
}
