import { S3Error } from "#base/error.ts";
import type { Bucket } from "#object/bucket.ts";

/** Fails: NotImplemented, by the operation's name, where files cannot carry what it asks for. */
export function refuseVolume(bucket: Bucket, operation: string): void {
  if (bucket.volume === undefined) return;
  const message = `${operation} is not implemented for volumes: other programs write their files too.`;
  throw new S3Error("NotImplemented", { Operation: operation }, { message });
}
