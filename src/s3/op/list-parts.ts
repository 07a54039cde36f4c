import { tag, wrap } from "#base/xml.ts";
import type { PartInfo } from "#object/engine.ts";
import { checksumElement } from "#s3/checksum-headers.ts";
import { readCustomerKey } from "#s3/encryption.ts";
import { abortHeaders } from "#s3/expiration.ts";
import { isoDate } from "#s3/iso-date.ts";
import { ownerElement, ownerOf } from "#s3/listing.ts";
import { readUpload } from "#s3/op/upload-part.ts";
import { operation } from "#s3/operation.ts";
import { xmlReply } from "#s3/reply.ts";
import { countOf } from "#s3/request.ts";

const PARTS_MAX = 1_000;

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html */
export const listParts = operation({
  name: "ListParts",
  route: { method: "GET", on: "object", query: ["uploadId"] },
  body: "none",

  parse: (request) => ({
    upload: readUpload(request),
    afterNumber: countOf(request, "part-number-marker", { fallback: 0, max: 10_000 }),
    limit: countOf(request, "max-parts", { fallback: PARTS_MAX, max: PARTS_MAX }),
    key: readCustomerKey(request),
  }),

  grants: ({ upload }) => [
    { action: "s3:ListMultipartUploadParts", resource: `${upload.bucket}/${upload.key}` },
  ],

  run: async (services, { upload, ...ask }) => {
    const opened = await services.open(upload.bucket);
    const { bucket, engine } = opened;
    const page = await engine.listParts({ ...upload, bucket }, ask);
    return { page, owner: ownerOf(bucket), abort: abortHeaders(services, opened, page.upload) };
  },

  render: ({ page, owner, abort }, { upload, afterNumber, limit }) => {
    const { algorithm, checksumType, attributes } = page.upload;
    const who = tag("ID", owner.id) + tag("DisplayName", owner.displayName);
    const inner = [
      tag("Bucket", upload.bucket),
      tag("Key", upload.key),
      tag("UploadId", upload.uploadId),
      wrap("Initiator", who),
      ownerElement(owner),
      tag("StorageClass", attributes.storageClass),
      tag("PartNumberMarker", afterNumber),
      tag("NextPartNumberMarker", page.parts.at(-1)?.number ?? 0),
      tag("MaxParts", limit),
      tag("IsTruncated", page.truncated),
      algorithm === undefined ? "" : tag("ChecksumAlgorithm", algorithm),
      checksumType === undefined ? "" : tag("ChecksumType", checksumType),
      ...page.parts.map(partElement),
    ];
    return xmlReply("ListPartsResult", inner.join(""), { headers: abort });
  },
});

function partElement({ number, modifiedMs, etag, sizeBytes, checksum }: PartInfo): string {
  const inner =
    tag("PartNumber", number) +
    tag("LastModified", isoDate(modifiedMs)) +
    tag("ETag", `"${etag}"`) +
    tag("Size", sizeBytes) +
    (checksum === undefined ? "" : tag(checksumElement(checksum.algorithm), checksum.value));
  return wrap("Part", inner);
}
