import type { Grant } from "#access/grant.ts";
import { assert } from "#base/assert.ts";
import { invalidArgument, S3Error } from "#base/error.ts";
import type { ObjectInfo, Tag } from "#object/attributes.ts";
import type { Encryption } from "#object/encryption.ts";
import type { PutInput } from "#object/engine.ts";
import { checksumHeaders } from "#s3/checksum-headers.ts";
import { readWriteConditions } from "#s3/conditions.ts";
import {
  encryptionFor,
  encryptionHeaders,
  keyOfEncryption,
  readEncryption,
} from "#s3/encryption.ts";
import { expirationHeader } from "#s3/expiration.ts";
import { readAttributes } from "#s3/object-headers.ts";
import { operation, type Services } from "#s3/operation.ts";
import { empty } from "#s3/reply.ts";
import { keyOf, type NamedKey, type S3Request } from "#s3/request.ts";
import { refuseUnoffered } from "#s3/unoffered.ts";

/** Of a PutObject, of a part, and of the source of a copy in one piece. */
export const PUT_BYTES_MAX = 5 * 2 ** 30;

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html */
export const putObject = operation({
  name: "PutObject",
  route: { method: "PUT", on: "object" },
  body: "stream",

  parse: readPut,
  grants: ({ name, put }) => putGrants(name, put.attributes.tags),
  run: runPut,
  render: (written, put) => empty(200, putHeaders(written, put)),
});

/** A write of a whole object, as a request asks for it. */
export interface Put {
  readonly name: NamedKey;
  readonly put: Pick<PutInput, "body" | "attributes" | "conditions">;
  readonly encryption: Encryption | undefined;
}

interface Written {
  readonly object: ObjectInfo;
  readonly expiration: Record<string, string>;
}

/** Fails: EntityTooLarge, and as the readers of its headers do. */
export function readPut(request: S3Request): Put {
  const { body, headers } = request;
  assert(body !== undefined, "what is put has a body");
  refuseUnoffered(headers);
  const encryption = readEncryption(request);
  refuseForeignParameters(request);
  if ((body.sizeBytesMin ?? body.sizeBytes) > PUT_BYTES_MAX) throw tooLarge();
  return {
    name: keyOf(request),
    put: { body, attributes: readAttributes(headers), conditions: readWriteConditions(headers) },
    encryption,
  };
}

export async function runPut(services: Services, asked: Put): Promise<Written> {
  const { name, put } = asked;
  const opened = await services.open(name.bucket);
  const { bucket, engine, room } = opened;
  const encryption = encryptionFor(opened.settings, asked.encryption);
  const object = await engine.put({ bucket, key: name.key }, { ...put, encryption, room });
  return { object, expiration: expirationHeader(services, opened, { info: object }) };
}

/** What a write answers. */
export function putHeaders(
  { object, expiration }: Written,
  { encryption }: Put,
): Record<string, string> {
  return {
    ...writtenHeaders(object),
    ...encryptionHeaders(object.encryption, keyOfEncryption(encryption)),
    ...expiration,
  };
}

/** Of a write of a whole object, or of what begins one. */
export function putGrants(
  { bucket, key }: NamedKey,
  tags: readonly Tag[] | undefined,
): readonly [Grant, ...Grant[]] {
  const resource = `${bucket}/${key}`;
  const put = { action: "s3:PutObject", resource } as const;
  // Else whoever may not tag could, with a write; and policies that go by tags would believe it.
  if (tags === undefined || tags.length === 0) return [put];
  return [put, { action: "s3:PutObjectTagging", resource }];
}

/** What a write answers of the object it made. */
function writtenHeaders(object: ObjectInfo): Record<string, string> {
  return {
    ETag: `"${object.etag}"`,
    ...checksumHeaders(object.checksum),
    ...(object.versionId === undefined || object.versionId === "null"
      ? {}
      : { "x-amz-version-id": object.versionId }),
  };
}

/**
 * Parameters of other operations: taken for a whole object, a lone part would replace it.
 * Fails: InvalidArgument.
 */
export function refuseForeignParameters({ query }: S3Request): void {
  for (const name of ["partNumber", "uploadId", "versionId"]) {
    const value = query.get(name);
    if (value === undefined) continue;
    throw invalidArgument(name, value, `This operation does not accept ${name} here.`);
  }
}

export function tooLarge(): S3Error {
  const message = `Your proposed upload exceeds the maximum allowed size of ${PUT_BYTES_MAX} bytes. Upload it in parts.`;
  return new S3Error("EntityTooLarge", {}, { message });
}
