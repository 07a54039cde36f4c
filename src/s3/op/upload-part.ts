import { assert } from "#base/assert.ts";
import type { PartInfo } from "#object/engine.ts";
import { partNumber } from "#object/name.ts";
import { checksumHeader } from "#s3/checksum-headers.ts";
import { encryptionHeaders, readKeyToOpen } from "#s3/encryption.ts";
import { PUT_BYTES_MAX, tooLarge } from "#s3/op/put-object.ts";
import { operation } from "#s3/operation.ts";
import { empty } from "#s3/reply.ts";
import { keyOf, type NamedKey, type S3Request } from "#s3/request.ts";
import { refuseUnoffered } from "#s3/unoffered.ts";

export interface NamedUpload extends NamedKey {
  readonly uploadId: string;
}

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html */
export const uploadPart = operation({
  name: "UploadPart",
  route: { method: "PUT", on: "object", query: ["partNumber", "uploadId"] },
  body: "stream",

  parse: (request) => {
    const { body } = request;
    assert(body !== undefined, "a stream operation has a body");
    refuseUnoffered(request.headers);
    if (body.sizeBytes > PUT_BYTES_MAX) throw tooLarge();
    return { ...readPart(request), body, key: readKeyToOpen(request) };
  },

  grants: ({ upload }) => [{ action: "s3:PutObject", resource: `${upload.bucket}/${upload.key}` }],

  run: async ({ open }, { upload, part, body, key }) => {
    const { bucket, engine, room } = await open(upload.bucket);
    return await engine.putPart({ ...upload, bucket }, part, { body, key, room });
  },

  render: (part, { key }) =>
    empty(200, {
      ETag: `"${part.etag}"`,
      ...partChecksum(part),
      ...encryptionHeaders(part.encryption, key),
    }),
});

export function readUpload(request: S3Request): NamedUpload {
  return { ...keyOf(request), uploadId: request.query.get("uploadId") ?? "" };
}

export function readPart(request: S3Request) {
  return {
    upload: readUpload(request),
    part: partNumber(request.query.get("partNumber") ?? ""),
  };
}

function partChecksum({ checksum }: PartInfo): Record<string, string> {
  return checksum === undefined ? {} : { [checksumHeader(checksum.algorithm)]: checksum.value };
}
