import { S3Error } from "#base/error.ts";
import type { Soon } from "#base/soon.ts";

/**
 * Does with a version what is no delete marker's to have done. One that is the current version is refused as one
 * that is named, where a read would say that there is no such key.
 *
 * Observed: 2026-02-23, as others recorded AWS: GetObjectTagging, PutObjectTagging, DeleteObjectTagging and
 * PutObjectAcl of a key whose current version is a delete marker are 405 MethodNotAllowed, with the request's
 * method and the resource type DeleteMarker; GetObjectAcl and GetObjectAttributes are 404 NoSuchKey.
 * Unverified: its headers x-amz-delete-marker, x-amz-version-id and Allow, which AWS sends of one that is named.
 * Fails: MethodNotAllowed; and as `work`.
 */
export async function refuseMarker<T>(method: string, work: () => Soon<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof S3Error) || cause.headers["x-amz-delete-marker"] !== "true") throw cause;
    const detail = { Method: method, ResourceType: "DeleteMarker" };
    const headers = { ...cause.headers, allow: "DELETE" };
    throw new S3Error("MethodNotAllowed", detail, { cause, headers });
  }
}
