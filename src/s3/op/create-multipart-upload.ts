import { S3Error } from "#base/error.ts";
import { tag } from "#base/xml.ts";
import type { UploadInput } from "#object/engine.ts";
import { readAlgorithm, readChecksumType } from "#s3/checksum-headers.ts";
import {
  encryptionFor,
  encryptionHeaders,
  keyOfEncryption,
  readEncryption,
} from "#s3/encryption.ts";
import { abortHeaders } from "#s3/expiration.ts";
import { readAttributes } from "#s3/object-headers.ts";
import { putGrants } from "#s3/op/put-object.ts";
import { operation } from "#s3/operation.ts";
import { xmlReply } from "#s3/reply.ts";
import { type Headers, keyOf } from "#s3/request.ts";
import { refuseUnoffered } from "#s3/unoffered.ts";

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html */
export const createMultipartUpload = operation({
  name: "CreateMultipartUpload",
  route: { method: "POST", on: "object", query: ["uploads"] },
  body: "none",

  parse: (request) => {
    refuseUnoffered(request.headers);
    return {
      name: keyOf(request),
      encryption: readEncryption(request),
      upload: { attributes: readAttributes(request.headers), ...readChecksumAsk(request.headers) },
    };
  },

  grants: ({ name, upload }) => putGrants(name, upload.attributes.tags),

  run: async (services, { name, upload: given, encryption: asked }) => {
    const opened = await services.open(name.bucket);
    const { bucket, engine, settings, room } = opened;
    const encryption = encryptionFor(settings, asked);
    const input = { ...given, encryption, room };
    const upload = await engine.createUpload({ bucket, key: name.key }, input);
    return { upload, abort: abortHeaders(services, opened, upload) };
  },

  render: ({ upload, abort }, { name, encryption }) => {
    const inner =
      tag("Bucket", name.bucket) + tag("Key", name.key) + tag("UploadId", upload.uploadId);
    return xmlReply("InitiateMultipartUploadResult", inner, {
      headers: {
        ...abort,
        ...encryptionHeaders(upload.encryption, keyOfEncryption(encryption)),
        ...(upload.algorithm === undefined ? {} : { "x-amz-checksum-algorithm": upload.algorithm }),
        ...(upload.checksumType === undefined
          ? {}
          : { "x-amz-checksum-type": upload.checksumType }),
      },
    });
  },
});

/**
 * CRC64NVME can only be of the whole object, SHA1 and SHA256 only of the parts.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 * Fails: InvalidRequest.
 */
function readChecksumAsk(headers: Headers): Pick<UploadInput, "algorithm" | "checksumType"> {
  const algorithm = readAlgorithm(headers["x-amz-checksum-algorithm"], "x-amz-checksum-algorithm");
  const type = readChecksumType(headers);
  if (algorithm === undefined) {
    if (type === undefined) return { algorithm, checksumType: undefined };
    const message =
      "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.";
    throw new S3Error("InvalidRequest", {}, { message });
  }
  const only = {
    CRC64NVME: "FULL_OBJECT",
    SHA1: "COMPOSITE",
    SHA256: "COMPOSITE",
    CRC32: undefined,
    CRC32C: undefined,
  } as const;
  const allowed = only[algorithm];
  if (type !== undefined && allowed !== undefined && type !== allowed) {
    const message = `The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`;
    throw new S3Error("InvalidRequest", {}, { message });
  }
  return { algorithm, checksumType: type ?? allowed ?? "COMPOSITE" };
}
