import { invalidArgument, S3Error } from "#base/error.ts";
import { tag, wrap } from "#base/xml.ts";
import type { Checksum, ObjectInfo } from "#object/attributes.ts";
import type { PartInfo } from "#object/engine.ts";
import { checksumElement } from "#s3/checksum-headers.ts";
import { readKeyToOpen } from "#s3/encryption.ts";
import { httpDate } from "#s3/object-headers.ts";
import { operation } from "#s3/operation.ts";
import { xmlReply } from "#s3/reply.ts";
import { objectOf, type S3Request } from "#s3/request.ts";
import { versionHeader } from "#s3/tags.ts";

const ATTRIBUTES = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"] as const;
type Attribute = (typeof ATTRIBUTES)[number];

const PARTS_MAX = 1_000;

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html */
export const getObjectAttributes = operation({
  name: "GetObjectAttributes",
  route: { method: "GET", on: "object", query: ["attributes"] },
  body: "none",

  parse: (request) => ({
    name: objectOf(request),
    key: readKeyToOpen(request),
    wanted: readWanted(request),
    limit: readLimit(request),
    after: headerCount(request, "x-amz-part-number-marker", 0),
  }),

  grants: ({ name }) => [
    {
      action: name.versionId === undefined ? "s3:GetObject" : "s3:GetObjectVersion",
      resource: `${name.bucket}/${name.key}`,
      versionId: name.versionId,
    },
  ],

  run: async ({ open }, { name, key, wanted }) => {
    const { bucket, engine } = await open(name.bucket);
    const { info, parts } = await engine.get({ ...name, bucket }, key);
    const asked = wanted.has("ObjectParts") && info.partsCount !== undefined;
    return { info, parts: asked ? await parts() : undefined };
  },

  render: ({ info, parts }, { wanted, limit, after }) => {
    const inner = [
      wanted.has("ETag") ? tag("ETag", info.etag) : "",
      wanted.has("Checksum") ? checksumElements(info.checksum) : "",
      parts === undefined ? "" : partsElement(info, parts, { limit, after }),
      wanted.has("StorageClass") ? tag("StorageClass", info.attributes.storageClass) : "",
      wanted.has("ObjectSize") ? tag("ObjectSize", info.sizeBytes) : "",
    ];
    return xmlReply("GetObjectAttributesResponse", inner.join(""), {
      headers: {
        "Last-Modified": httpDate(info.modifiedMs),
        ...versionHeader(info),
      },
    });
  },
});

/** Fails: InvalidArgument, InvalidRequest. */
function readWanted({ headers }: S3Request): ReadonlySet<Attribute> {
  const text = headers["x-amz-object-attributes"] ?? "";
  if (text === "") {
    const message =
      "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty";
    throw new S3Error("InvalidRequest", {}, { message });
  }
  const names = text.split(",").map((name) => name.trim());
  const wanted = names.map((name) => ATTRIBUTES.find((known) => known === name));
  if (wanted.includes(undefined)) {
    throw invalidArgument("x-amz-object-attributes", text, "Invalid attribute name specified.");
  }
  return new Set(wanted.flatMap((name) => name ?? []));
}

/** Observed: 2026-02-02, as others measured AWS: what is no number asks for none. */
function readLimit({ headers }: S3Request): number {
  const text = headers["x-amz-max-parts"];
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : PARTS_MAX;
}

/** Fails: InvalidArgument. */
function headerCount({ headers }: S3Request, name: string, fallback: number): number {
  const text = headers[name];
  if (text === undefined) return fallback;
  if (!/^\d{1,9}$/.test(text)) throw invalidArgument(name, text);
  return Number(text);
}

function checksumElements(checksum: Checksum | undefined): string {
  if (checksum === undefined) return "";
  const { algorithm, type, value } = checksum;
  // The number of parts of a composite checksum is told by ObjectParts.
  const digest = value.replace(/-\d+$/, "");
  return wrap("Checksum", tag(checksumElement(algorithm), digest) + tag("ChecksumType", type));
}

/** The parts themselves are told only where each has a checksum of its own, as AWS does. */
function partsElement(
  { checksum }: ObjectInfo,
  parts: readonly PartInfo[],
  { limit, after }: { readonly limit: number; readonly after: number },
): string {
  if (checksum?.type !== "COMPOSITE") return wrap("ObjectParts", tag("PartsCount", parts.length));
  const following = parts.filter(({ number }) => number > after);
  const page = following.slice(0, Math.min(limit, PARTS_MAX));
  const inner = [
    tag("PartsCount", parts.length),
    tag("PartNumberMarker", after),
    tag("NextPartNumberMarker", page.at(-1)?.number ?? 0),
    tag("MaxParts", Math.min(limit, PARTS_MAX)),
    tag("IsTruncated", page.length < following.length),
    ...page.map(partElement),
  ];
  return wrap("ObjectParts", inner.join(""));
}

function partElement({ number, sizeBytes, checksum }: PartInfo): string {
  const digest =
    checksum === undefined ? "" : tag(checksumElement(checksum.algorithm), checksum.value);
  return wrap("Part", tag("PartNumber", number) + tag("Size", sizeBytes) + digest);
}
