import { invalidArgument, S3Error } from "#base/error.ts";
import { isBucketName, objectKey } from "#object/name.ts";
import type { Headers, NamedObject } from "#s3/request.ts";

const MESSAGE = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey";

/**
 * `bucket/key`, with or without a leading slash, percent-encoded, `?versionId=…` after it.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 * Observed: 2026-02-21, as others recorded AWS: the value that is told of one that is no source.
 * Fails: InvalidArgument.
 */
export function readCopySource(headers: Headers): NamedObject {
  const header = headers["x-amz-copy-source"] ?? "";
  const mark = header.lastIndexOf("?versionId=");
  const versionId = mark < 0 ? undefined : header.slice(mark + "?versionId=".length);
  const path = decode(mark < 0 ? header : header.slice(0, mark)).replace(/^\//, "");
  const slash = path.indexOf("/");
  if (slash < 1 || slash === path.length - 1) {
    throw invalidArgument("x-amz-copy-source", "x-amz-copy-source", MESSAGE);
  }
  const bucket = path.slice(0, slash);
  if (!isBucketName(bucket)) {
    throw invalidArgument("x-amz-copy-source", header, "Invalid copy source bucket name");
  }
  const name = { bucket, key: objectKey(path.slice(slash + 1)) };
  if (versionId === undefined) return name;
  if (versionId === "") {
    throw invalidArgument("x-amz-copy-source", header, "Version id cannot be the empty string");
  }
  return { ...name, versionId };
}

/**
 * Does with the source what the copy needs of it.
 *
 * Fails: InvalidRequest for a delete marker that is named by its version; and as `work`.
 */
export async function withCopySource<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof S3Error) || cause.code !== "MethodNotAllowed") throw cause;
    const message =
      "The source of a copy request may not specifically refer to a delete marker by version id.";
    throw new S3Error("InvalidRequest", {}, { message, cause });
  }
}

/** Observed: 2026-02-21, as others recorded AWS: a source that is the null version is not named. */
export function sourceVersionHeader(versionId: string | undefined): Record<string, string> {
  if (versionId === undefined || versionId === "null") return {};
  return { "x-amz-copy-source-version-id": versionId };
}

export function readGrant({ bucket, key, versionId }: NamedObject) {
  const action = versionId === undefined ? "s3:GetObject" : "s3:GetObjectVersion";
  return { action, resource: `${bucket}/${key}`, versionId } as const;
}

/** Some clients send raw UTF-8, in which a percent sign stands for itself. */
function decode(text: string): string {
  const bytes = Buffer.from(text, "latin1").toString("utf8");
  try {
    return decodeURIComponent(bytes);
  } catch {
    return bytes;
  }
}
