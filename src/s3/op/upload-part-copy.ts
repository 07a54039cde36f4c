import { invalidArgument } from "#base/error.ts";
import { tag } from "#base/xml.ts";
import { checksumElement } from "#s3/checksum-headers.ts";
import { conditionHeaders, readConditions } from "#s3/conditions.ts";
import { copyPartAcross } from "#s3/copy-across.ts";
import { readCopySource, readGrant, sourceVersionHeader, withCopySource } from "#s3/copy-source.ts";
import { encryptionHeaders, readCustomerKey, readKeyToOpen } from "#s3/encryption.ts";
import { isoDate } from "#s3/iso-date.ts";
import { readPart } from "#s3/op/upload-part.ts";
import { operation } from "#s3/operation.ts";
import { xmlReply } from "#s3/reply.ts";
import type { Headers } from "#s3/request.ts";
import { refuseUnoffered } from "#s3/unoffered.ts";

const SOURCE_CONDITIONS = conditionHeaders("x-amz-copy-source-");

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html */
export const uploadPartCopy = operation({
  name: "UploadPartCopy",
  route: {
    method: "PUT",
    on: "object",
    query: ["partNumber", "uploadId"],
    header: "x-amz-copy-source",
  },
  body: "none",

  parse: (request) => {
    refuseUnoffered(request.headers);
    return {
      ...readPart(request),
      source: readCopySource(request.headers),
      conditions: readConditions(request, SOURCE_CONDITIONS),
      range: readCopyRange(request.headers),
      key: readKeyToOpen(request),
      sourceKey: readCustomerKey(request, "copy-source"),
    };
  },

  grants: ({ upload, source }) => [
    { action: "s3:PutObject", resource: `${upload.bucket}/${upload.key}` },
    readGrant(source),
  ],

  run: async ({ open }, { upload, part, source, ...copy }) => {
    const { bucket, engine, room } = await open(upload.bucket);
    const from = await open(source.bucket, "source");
    const input = { ...copy, source: { ...source, bucket: from.bucket }, room };
    const target = { ...upload, bucket };
    return await withCopySource(async () =>
      from.engine === engine
        ? await engine.putPart(target, part, input)
        : await copyPartAcross({ from: from.engine, to: engine }, target, { part, input }),
    );
  },

  render: (part, { key }) => {
    const { checksum, sourceVersionId, encryption } = part;
    const inner =
      tag("LastModified", isoDate(part.modifiedMs)) +
      tag("ETag", `"${part.etag}"`) +
      (checksum === undefined ? "" : tag(checksumElement(checksum.algorithm), checksum.value));
    const headers = {
      ...encryptionHeaders(encryption, key),
      ...sourceVersionHeader(sourceVersionId),
    };
    return xmlReply("CopyPartResult", inner, { headers });
  },
});

/** `bytes=first-last`, both given. Fails: InvalidArgument. */
function readCopyRange(headers: Headers): { first: number; last: number } | undefined {
  const text = headers["x-amz-copy-source-range"];
  if (text === undefined) return undefined;
  const match = /^bytes=(\d{1,16})-(\d{1,16})$/.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || last < first) {
    throw invalidArgument(
      "x-amz-copy-source-range",
      text,
      "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
    );
  }
  return { first, last };
}
