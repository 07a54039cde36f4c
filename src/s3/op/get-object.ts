import { S3Error } from "#base/error.ts";
import type { HttpReply } from "#base/http.ts";
import { after, type Soon } from "#base/soon.ts";
import type { Checksum, ObjectInfo } from "#object/attributes.ts";
import { type Conditions, failedCondition, letsRange, PLAIN_NAMES } from "#object/conditions.ts";
import type { CustomerKey } from "#object/encryption.ts";
import type { OpenObject } from "#object/engine.ts";
import { type PartNumber, partNumber } from "#object/name.ts";
import { readRange, type Slice } from "#object/range.ts";
import { checksumHeaders } from "#s3/checksum-headers.ts";
import { readConditions } from "#s3/conditions.ts";
import { readGrant } from "#s3/copy-source.ts";
import { encryptionHeaders, readKeyToOpen } from "#s3/encryption.ts";
import { expirationHeader } from "#s3/expiration.ts";
import { objectHeaders, responseOverrides } from "#s3/object-headers.ts";
import { operation, type Services } from "#s3/operation.ts";
import { type NamedObject, objectOf, type S3Request } from "#s3/request.ts";

/** What GetObject and HeadObject are asked. */
export interface ReadAsk {
  readonly name: NamedObject;
  readonly conditions: Conditions;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  readonly part: PartNumber | undefined;
  readonly checksums: boolean;
  readonly overrides: Record<string, string>;
  readonly key: CustomerKey | undefined;
}

/** Which bytes of an object are answered, and as what. */
interface Selection {
  readonly slice: Slice;
  readonly partial: boolean;
  readonly partsCount: number | undefined;
  /** Of exactly these bytes, where it is known. */
  readonly checksum: Checksum | undefined;
}

/** An object, and what of it is answered; no selection: it has not been modified. */
interface Found {
  readonly object: OpenObject;
  readonly selection: Selection | undefined;
  readonly expiration: Record<string, string>;
}

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html */
export const getObject = operation({
  name: "GetObject",
  route: { method: "GET", on: "object" },
  body: "none",
  parse: parseRead,
  grants: grantsOfRead,

  run: findForRead,

  render: ({ object, selection, expiration }, ask) => {
    if (selection === undefined) return notModified(object.info);
    const { from, to } = selection.slice;
    const reply = readReply(object.info, selection, { ...ask, expiration });
    return { ...reply, body: object.read(from, to) };
  },
});

export function parseRead(request: S3Request): ReadAsk {
  const part = request.query.get("partNumber");
  const range = request.headers["range"];
  if (part !== undefined && range !== undefined) {
    const message = "Cannot specify both Range header and partNumber query parameter";
    throw new S3Error("InvalidRequest", {}, { message });
  }
  return {
    name: objectOf(request),
    conditions: readConditions(request),
    range,
    ifRange: request.headers["if-range"],
    part: part === undefined ? undefined : partNumber(part),
    checksums: request.headers["x-amz-checksum-mode"]?.toUpperCase() === "ENABLED",
    overrides: responseOverrides(request.query, request.signedMs !== undefined),
    key: readKeyToOpen(request),
  };
}

export function grantsOfRead({ name }: ReadAsk) {
  return [readGrant(name)] as const;
}

/** What GetObject and HeadObject do before they answer: a HEAD meets every refusal of a GET. */
export function findForRead(services: Services, ask: ReadAsk): Soon<Found> {
  const { name, key } = ask;
  return after(services.open(name.bucket), (opened) =>
    after(opened.engine.get({ ...name, bucket: opened.bucket }, key), (object) =>
      after(select(object, ask), (selection) => {
        const read = { info: object.info, byVersion: name.versionId !== undefined };
        const expiration = expirationHeader(services, opened, read);
        return after(expiration, (header) => ({ object, selection, expiration: header }));
      }),
    ),
  );
}

/** undefined for 304. Fails: PreconditionFailed, InvalidRange, InvalidPartNumber. */
function select(object: OpenObject, ask: ReadAsk): Soon<Selection | undefined> {
  const { info } = object;
  const failed = failedCondition(ask.conditions, info);
  if (failed === "ifNoneMatch" || failed === "ifModifiedSince") return undefined;
  if (failed !== undefined) {
    throw new S3Error("PreconditionFailed", { Condition: PLAIN_NAMES[failed] });
  }
  if (ask.part !== undefined) return selectPart(object, ask.part);
  const asked = letsRange(ask.ifRange, info) ? ask.range : undefined;
  const slice = readRange(asked, info.sizeBytes);
  if (slice === "unsatisfiable") {
    throw new S3Error(
      "InvalidRange",
      { RangeRequested: ask.range ?? "", ActualObjectSize: String(info.sizeBytes) },
      { headers: { "content-range": `bytes */${info.sizeBytes}` } },
    );
  }
  const whole = { from: 0, to: info.sizeBytes };
  const chosen = slice ?? whole;
  // Clients hold a checksum against the bytes they get, so that one of the whole only goes with it.
  const checksum = chosen.to - chosen.from === info.sizeBytes ? info.checksum : undefined;
  return { slice: chosen, partial: slice !== undefined, partsCount: undefined, checksum };
}

export function readReply(
  info: ObjectInfo,
  { slice, partial, partsCount, checksum }: Selection,
  ask: ReadAsk & { readonly expiration: Record<string, string> },
): HttpReply {
  const headers: Record<string, string> = {
    ...objectHeaders(info),
    ...encryptionHeaders(info.encryption, ask.key),
    ...ask.expiration,
    ...ask.overrides,
    "content-length": String(slice.to - slice.from),
  };
  if (partial) headers["content-range"] = `bytes ${slice.from}-${slice.to - 1}/${info.sizeBytes}`;
  if (partsCount !== undefined) headers["x-amz-mp-parts-count"] = String(partsCount);
  if (ask.checksums) Object.assign(headers, checksumHeaders(checksum));
  return { status: partial ? 206 : 200, headers, body: undefined };
}

export function notModified(info: ObjectInfo): HttpReply {
  const { ETag = "", "Last-Modified": modified = "", ...rest } = objectHeaders(info);
  const kept = ["x-amz-version-id", "cache-control", "expires"];
  const others = Object.entries(rest).filter(([name]) => kept.includes(name));
  const headers = { ETag, "Last-Modified": modified, ...Object.fromEntries(others) };
  return { status: 304, headers, body: undefined };
}

/**
 * A part of an object that was put whole is the whole.
 *
 * Observed: 2026-02-21, as others recorded AWS: of an object with a checksum of the whole the checksum of one
 * of several parts is not told.
 * Fails: InvalidPartNumber.
 */
async function selectPart(object: OpenObject, number: PartNumber): Promise<Selection> {
  const { partsCount, sizeBytes, checksum } = object.info;
  const parts = await object.parts();
  const index = parts.findIndex(
    (part, at) => (partsCount === undefined ? at + 1 : part.number) === number,
  );
  const part = parts[index];
  if (part === undefined) {
    throw new S3Error("InvalidPartNumber", {
      PartNumberRequested: String(number),
      ActualPartCount: String(parts.length),
    });
  }
  const from = parts.slice(0, index).reduce((sum, before) => sum + before.sizeBytes, 0);
  const slice = { from, to: from + part.sizeBytes };
  const isFull = checksum?.type === "FULL_OBJECT";
  const own =
    part.checksum === undefined || checksum === undefined || (isFull && parts.length > 1)
      ? undefined
      : { ...part.checksum, type: checksum.type };
  const whole = partsCount === undefined ? checksum : undefined;
  return { slice, partial: sizeBytes > 0, partsCount, checksum: own ?? whole };
}
