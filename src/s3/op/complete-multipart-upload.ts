import type { ChecksumAlgorithm } from "#base/checksum.ts";
import { invalidArgument, S3Error } from "#base/error.ts";
import { children, childText, type Element, tag } from "#base/xml.ts";
import { unquote } from "#object/conditions.ts";
import type { CompleteInput, CompletePart } from "#object/engine.ts";
import { PART_NUMBER_MAX } from "#object/name.ts";
import {
  algorithmNamed,
  checksumElement,
  readChecksumType,
  sentChecksum,
} from "#s3/checksum-headers.ts";
import { readWriteConditions } from "#s3/conditions.ts";
import { encryptionHeaders, readCustomerKey } from "#s3/encryption.ts";
import { expirationHeader } from "#s3/expiration.ts";
import { readUpload } from "#s3/op/upload-part.ts";
import { operation } from "#s3/operation.ts";
import { xmlReply } from "#s3/reply.ts";
import { documentOf, type S3Request } from "#s3/request.ts";

/**
 * Differs: AWS answers 409 to conditions when the key was written or deleted since the upload was created, though
 * they hold; here it is enough that they hold when the object is made.
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 */
export const completeMultipartUpload = operation({
  name: "CompleteMultipartUpload",
  route: { method: "POST", on: "object", query: ["uploadId"] },
  body: "object-document",

  parse: (request) => ({
    upload: readUpload(request),
    host: request.headers["host"] ?? "localhost",
    path: request.path,
    scheme: request.secure ? "https" : "http",
    input: readInput(request),
  }),

  grants: ({ upload }) => [{ action: "s3:PutObject", resource: `${upload.bucket}/${upload.key}` }],

  run: async (services, { upload, input }) => {
    const opened = await services.open(upload.bucket);
    const name = { ...upload, bucket: opened.bucket };
    if (input.parts.length === 0) {
      // An upload that is not there is told first.
      await opened.engine.listParts(name, { afterNumber: 0, limit: 1, key: input.key });
      throw new S3Error("InvalidRequest", {}, { message: "You must specify at least one part" });
    }
    const object = await opened.engine.completeUpload(name, input);
    return { object, expiration: await expirationHeader(services, opened, { info: object }) };
  },

  render: ({ object, expiration }, { upload, input, scheme, host, path }) => {
    const { checksum, versionId } = object;
    // SSE-C is told to a request that speaks of it.
    const told = object.encryption === "SSE-S3" || input.key !== undefined;
    const inner =
      tag("Location", `${scheme}://${host}${path}`) +
      tag("Bucket", upload.bucket) +
      tag("Key", upload.key) +
      tag("ETag", `"${object.etag}"`) +
      (checksum === undefined
        ? ""
        : tag(checksumElement(checksum.algorithm), checksum.value) +
          tag("ChecksumType", checksum.type));
    const headers = {
      ...(told ? encryptionHeaders(object.encryption, input.key) : {}),
      ...expiration,
      ...(versionId === undefined || versionId === "null" ? {} : { "x-amz-version-id": versionId }),
    };
    return xmlReply("CompleteMultipartUploadResult", inner, { headers });
  },
});

/** No parts of no document. Fails: MalformedXML, InvalidRequest, InvalidArgument. */
function readInput(request: S3Request): CompleteInput {
  const { headers } = request;
  return {
    parts: request.document === "" ? [] : readParts(request),
    conditions: readWriteConditions(headers),
    checksum: sentChecksum(headers),
    checksumType: readChecksumType(headers),
    sizeBytes: readSize(headers["x-amz-mp-object-size"]),
    key: readCustomerKey(request),
  };
}

/** Fails: MalformedXML, and as readPart. */
function readParts(request: S3Request): CompletePart[] {
  const parts = children(documentOf(request, "CompleteMultipartUpload"), "Part").map(readPart);
  if (parts.length === 0 || parts.length > PART_NUMBER_MAX) throw new S3Error("MalformedXML", {});
  return parts;
}

/** What the name of a checksum's element begins with. */
const CHECKSUM = "Checksum";

/** Fails: MalformedXML, InvalidArgument; InvalidRequest for a checksum that cannot be checked. */
function readPart(element: Element): CompletePart {
  const number = childText(element, "PartNumber");
  const etag = childText(element, "ETag");
  if (number === undefined || etag === undefined) throw new S3Error("MalformedXML", {});
  const checksums: Partial<Record<ChecksumAlgorithm, string>> = {};
  for (const { name, text } of element.children) {
    if (!name.startsWith(CHECKSUM) || text === "") continue;
    checksums[algorithmNamed(name.slice(CHECKSUM.length), name)] = text;
  }
  return { number: readNumber(number), etag: unquote(etag), checksums };
}

/** Beyond the last number that a part can have it names one that is not there. Fails: InvalidArgument, MalformedXML. */
function readNumber(text: string): number {
  if (!/^-?\d{1,9}$/.test(text)) throw new S3Error("MalformedXML", {});
  const number = Number(text);
  if (number >= 1) return number;
  throw invalidArgument("PartNumber", text, "PartNumber must be >= 1");
}

/**
 * Observed: 2026-08-19, as others measured AWS: the code and the messages.
 * Fails: InvalidRequest.
 */
function readSize(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const problem = /^-\d{1,15}$/.test(text) ? "less than zero" : "invalid";
  const message = `Value for x-amz-mp-object-size header is ${problem}: '${text}'`;
  throw new S3Error("InvalidRequest", {}, { message });
}
