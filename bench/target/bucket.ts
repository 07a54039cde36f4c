import { deleteMany } from "../client/delete-many.ts";
import { fieldsOf, Session } from "../client/session.ts";
import type { Target } from "./target.ts";

export async function createBucket(target: Target): Promise<void> {
  using session = new Session(target.endpoint);
  await session.call({ method: "PUT", bucket: target.bucket });
}

/** Removes the target's bucket and those whose names begin with it, with all that they hold. */
export async function removeBuckets(target: Target): Promise<void> {
  using session = new Session(target.endpoint);
  const all = fieldsOf(await session.call({ method: "GET", bucket: "" }), "Name");
  for (const bucket of all.filter((name) => name.startsWith(target.bucket))) {
    await abortUploads(session, bucket);
    await deleteObjects(session, bucket);
    await session.call({ method: "DELETE", bucket });
  }
}

async function deleteObjects(session: Session, bucket: string): Promise<void> {
  for (;;) {
    const page = await session.call({ method: "GET", bucket, query: { "list-type": "2" } });
    const keys = fieldsOf(page, "Key");
    if (keys.length === 0) return;
    await deleteMany(session, bucket, keys);
  }
}

/** One page is enough: a benchmark leaves a handful of uploads at most. */
async function abortUploads(session: Session, bucket: string): Promise<void> {
  const page = await session.call({ method: "GET", bucket, query: { uploads: "" } });
  const keys = fieldsOf(page, "Key");
  for (const [index, uploadId] of fieldsOf(page, "UploadId").entries()) {
    await session.call({ method: "DELETE", bucket, key: keys[index] ?? "", query: { uploadId } });
  }
}
