import { invalidArgument, S3Error } from "#base/error.ts";
import { tag } from "#base/xml.ts";
import type { CopyInput } from "#object/engine.ts";
import { checksumElement, readAlgorithm } from "#s3/checksum-headers.ts";
import { conditionHeaders, readConditions, readWriteConditions } from "#s3/conditions.ts";
import { copyAcross } from "#s3/copy-across.ts";
import { readCopySource, readGrant, sourceVersionHeader, withCopySource } from "#s3/copy-source.ts";
import {
  encryptionFor,
  encryptionHeaders,
  keyOfEncryption,
  readCustomerKey,
  readEncryption,
} from "#s3/encryption.ts";
import { expirationHeader } from "#s3/expiration.ts";
import { isoDate } from "#s3/iso-date.ts";
import { readMetadata, readRedirect, readStorageClass } from "#s3/object-headers.ts";
import { PUT_BYTES_MAX, putGrants, refuseForeignParameters } from "#s3/op/put-object.ts";
import { operation } from "#s3/operation.ts";
import { xmlReply } from "#s3/reply.ts";
import { type Headers, keyOf, type NamedKey, type NamedObject } from "#s3/request.ts";
import { readTagHeader } from "#s3/tags.ts";
import { refuseUnoffered } from "#s3/unoffered.ts";

const SOURCE_CONDITIONS = conditionHeaders("x-amz-copy-source-");

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
export const copyObject = operation({
  name: "CopyObject",
  route: { method: "PUT", on: "object", header: "x-amz-copy-source" },
  body: "none",

  parse: (request) => {
    const { headers } = request;
    refuseUnoffered(headers);
    refuseForeignParameters(request);
    const name = keyOf(request);
    const source = readCopySource(headers);
    const attributes = readDirectives(headers);
    const encryption = readEncryption(request);
    const sourceKey = readCustomerKey(request, "copy-source");
    return {
      name,
      source,
      // What a key opens is encrypted otherwise afterwards, or not at all.
      changes:
        encryption !== undefined ||
        sourceKey !== undefined ||
        changesObject(name, source, attributes),
      encryption,
      copy: {
        sourceConditions: readConditions(request, SOURCE_CONDITIONS),
        conditions: readWriteConditions(headers),
        attributes,
        algorithm: readAlgorithm(headers["x-amz-checksum-algorithm"], "x-amz-checksum-algorithm"),
        sourceKey,
      },
    };
  },

  // Tags that are copied need no grant of their own: the source says what they are.
  grants: ({ name, source, copy }) => [...putGrants(name, copy.attributes.tags), readGrant(source)],

  run: async (services, { name, source, copy, changes, encryption: asked }) => {
    const opened = await services.open(name.bucket);
    if (!changes && !opened.settings.encrypts) throw changesNothing();
    const { bucket, engine, room } = opened;
    const from = await services.open(source.bucket, "source");
    const encryption = encryptionFor(opened.settings, asked);
    const sourceName = { ...source, bucket: from.bucket };
    const input: CopyInput = { ...copy, encryption, source: sourceName, room };
    const { sizeBytes } = await withCopySource(async () => await from.engine.head(input.source));
    if (sizeBytes > PUT_BYTES_MAX) throw sourceTooLarge();
    const target = { bucket, key: name.key };
    const outcome =
      from.engine === engine
        ? await engine.copy(target, input)
        : await copyAcross({ from: from.engine, to: engine }, target, input);
    return {
      ...outcome,
      expiration: await expirationHeader(services, opened, { info: outcome.object }),
    };
  },

  render: ({ object, sourceVersionId, expiration }, { encryption }) => {
    const { checksum } = object;
    const inner =
      tag("LastModified", isoDate(object.modifiedMs)) +
      tag("ETag", `"${object.etag}"`) +
      (checksum === undefined
        ? ""
        : tag(checksumElement(checksum.algorithm), checksum.value) +
          tag("ChecksumType", checksum.type));
    return xmlReply("CopyObjectResult", inner, {
      headers: {
        ...encryptionHeaders(object.encryption, keyOfEncryption(encryption)),
        ...expiration,
        ...(object.versionId === undefined ? {} : { "x-amz-version-id": object.versionId }),
        ...sourceVersionHeader(sourceVersionId),
      },
    });
  },
});

function readDirectives(headers: Headers): CopyInput["attributes"] {
  const metadata = readDirective(headers, "x-amz-metadata-directive");
  const tagging = readDirective(headers, "x-amz-tagging-directive");
  return {
    metadata: metadata === "REPLACE" ? readMetadata(headers) : undefined,
    redirect: readRedirect(headers),
    tags: tagging === "REPLACE" ? (readTagHeader(headers["x-amz-tagging"]) ?? []) : undefined,
    storageClass: readStorageClass(headers),
  };
}

/** Fails: InvalidArgument. */
function readDirective(headers: Headers, name: string): "COPY" | "REPLACE" {
  const text = headers[name];
  if (text === undefined || text === "COPY") return "COPY";
  if (text === "REPLACE") return "REPLACE";
  throw invalidArgument(name, text, `Unknown ${name.replaceAll("-", " ").slice(6)}.`);
}

/** A copy onto itself must change something. */
function changesObject(
  name: NamedKey,
  source: NamedObject,
  { metadata, redirect, storageClass }: CopyInput["attributes"],
): boolean {
  const same = name.bucket === source.bucket && name.key === source.key;
  return (
    !same ||
    source.versionId !== undefined ||
    metadata !== undefined ||
    redirect !== undefined ||
    storageClass !== undefined
  );
}

/**
 * Observed: 2026-02-21, as others recorded AWS: where the bucket has an encryption of its own, a copy onto itself
 * is how an object comes under it.
 */
function changesNothing(): S3Error {
  const message =
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.";
  return new S3Error("InvalidRequest", {}, { message });
}

function sourceTooLarge(): S3Error {
  const message = `The specified copy source is larger than the maximum allowable size for a copy source: ${PUT_BYTES_MAX}`;
  return new S3Error("InvalidRequest", {}, { message });
}
