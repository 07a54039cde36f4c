import type { Grant } from "#access/grant.ts";
import { S3Error } from "#base/error.ts";
import { children, childText, type Element, tag, wrap } from "#base/xml.ts";
import { unquote } from "#object/conditions.ts";
import type { DeleteConditions, Deleted } from "#object/engine.ts";
import { objectKey } from "#object/name.ts";
import { readDeleteConditions, refuseVersionCondition } from "#s3/delete-conditions.ts";
import { deleteGrant } from "#s3/op/delete-object.ts";
import { type OpenBucket, operation } from "#s3/operation.ts";
import { xmlReply } from "#s3/reply.ts";
import { bucketOf, documentOf, type NamedObject, type S3Request } from "#s3/request.ts";

const KEYS_MAX = 1_000;
/** Deletions under way at once; they share commits. */
const CONCURRENT = 100;

interface Target extends NamedObject {
  readonly conditions: DeleteConditions;
}

type Outcome = { readonly target: Target } & (
  | { readonly deleted: Deleted }
  | { readonly error: S3Error }
);

/**
 * Up to 1,000 deletions; one that fails does not keep the others from happening.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
 * Unverified: what AWS answers an anonymous caller who may delete none of the keys; here it is AccessDenied for the whole,
 * as where there is no such bucket. Others get 200 with an error for each.
 * Fails: MalformedXML (no key, or over 1,000), MissingSecurityHeader never: any checksum will do.
 */
export const deleteObjects = operation({
  name: "DeleteObjects",
  route: { method: "POST", on: "bucket", query: ["delete"] },
  body: "document",

  parse: (request) => {
    requireIntegrity(request);
    const root = documentOf(request, "Delete");
    const bucket = bucketOf(request);
    const targets = children(root, "Object").map((element) => targetOf(element, bucket));
    if (targets.length === 0 || targets.length > KEYS_MAX) throw new S3Error("MalformedXML", {});
    return { bucket, targets, quiet: childText(root, "Quiet")?.toLowerCase() === "true" };
  },

  partial: true,
  grants: ({ targets }) => targets.map(deleteGrant) as unknown as [Grant, ...Grant[]],

  run: async ({ open, isAllowed }, { bucket: name, targets }) => {
    const opened = await open(name);
    const told = new Map<Target, Outcome>();
    targets.forEach((target, at) => {
      if (!isAllowed(at)) told.set(target, { target, error: new S3Error("AccessDenied", {}) });
    });
    for (const group of groupsOf(targets.filter((target) => !told.has(target)))) {
      const outcomes = await Promise.all(group.map((target) => deleteOne(opened, target)));
      for (const outcome of outcomes) told.set(outcome.target, outcome);
    }
    return targets.flatMap((target) => told.get(target) ?? []);
  },

  render: (outcomes, { quiet }) =>
    xmlReply("DeleteResult", outcomes.map((outcome) => outcomeElement(outcome, quiet)).join("")),
});

/** AWS demands a digest of the document, since a damaged one would delete the wrong keys. */
function requireIntegrity({ headers }: S3Request): void {
  const has = Object.keys(headers).some(
    (name) =>
      name === "content-md5" || name.startsWith("x-amz-checksum-") || name === "x-amz-trailer",
  );
  // A signed digest of the payload says the same.
  if (has || /^[0-9a-f]{64}$/i.test(headers["x-amz-content-sha256"] ?? "")) return;
  const message = "Missing required header for this request: Content-MD5 or a checksum";
  throw new S3Error("InvalidRequest", {}, { message });
}

function targetOf(element: Element, bucket: NamedObject["bucket"]): Target {
  const key = childText(element, "Key");
  if (key === undefined || key === "") throw new S3Error("MalformedXML", {});
  const versionId = childText(element, "VersionId");
  const ifMatch = childText(element, "ETag");
  const sent = {
    ifMatch: ifMatch === undefined ? undefined : unquote(ifMatch),
    modified: childText(element, "LastModifiedTime"),
    size: childText(element, "Size"),
  };
  return {
    bucket,
    key: objectKey(key),
    ...(versionId === undefined || versionId === "" ? {} : { versionId }),
    conditions: readDeleteConditions(sent, { modified: "LastModifiedTime", size: "Size" }),
  };
}

/**
 * What is deleted at once. The key of a directory comes after those of what is in it, since a volume removes it
 * only when it is empty.
 */
function* groupsOf(targets: readonly Target[]): Generator<readonly Target[]> {
  const byDepth = Map.groupBy(targets, ({ key }) =>
    key.endsWith("/") ? key.split("/").length : Number.POSITIVE_INFINITY,
  );
  for (const [, group] of [...byDepth].sort(([a], [b]) => b - a)) {
    for (let from = 0; from < group.length; from += CONCURRENT) {
      yield group.slice(from, from + CONCURRENT);
    }
  }
}

async function deleteOne({ bucket, engine }: OpenBucket, target: Target): Promise<Outcome> {
  const { conditions, ...name } = target;
  try {
    refuseVersionCondition(conditions, name.versionId);
    return { target, deleted: await engine.delete({ ...name, bucket }, conditions) };
  } catch (cause) {
    if (!(cause instanceof S3Error)) throw cause;
    return { target, error: isBadVersion(cause) ? noSuchVersion(target) : cause };
  }
}

/**
 * Observed: 2026-02-23, as others recorded AWS: of several keys, a version id that could be none is one that is
 * not there.
 */
function noSuchVersion({ key, versionId = "" }: Target): S3Error {
  return new S3Error("NoSuchVersion", { Key: key, VersionId: versionId });
}

function isBadVersion({ code, detail }: S3Error): boolean {
  return code === "InvalidArgument" && detail["ArgumentName"] === "versionId";
}

function outcomeElement(outcome: Outcome, quiet: boolean): string {
  const { key, versionId } = outcome.target;
  const name = tag("Key", key) + (versionId === undefined ? "" : tag("VersionId", versionId));
  if ("error" in outcome) {
    const { code, message } = outcome.error;
    return wrap("Error", name + tag("Code", code) + tag("Message", message));
  }
  if (quiet) return "";
  const { deleteMarker, versionId: affected } = outcome.deleted;
  const marker = deleteMarker
    ? tag("DeleteMarker", true) + tag("DeleteMarkerVersionId", affected ?? "null")
    : "";
  return wrap("Deleted", name + marker);
}
