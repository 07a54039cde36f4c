import { S3Error } from "#base/error.ts";
import type { Bucket } from "#object/bucket.ts";
import type { Engine, ObjectName } from "#object/engine.ts";
import { objectKey } from "#object/name.ts";
import type { Answer, Shown, View } from "#test/model/call.ts";
import { listedShown, partShown, readShown, uploadShown } from "#test/model/shown.ts";

const EVERYTHING = { prefix: "", delimiter: "", limit: 1_000 };
const FROM_THE_START = { afterKey: "", afterVersionId: undefined, afterUploadId: undefined };

/** Everything that lists and reads of a bucket show. */
export async function observe(engine: Engine, bucket: Bucket): Promise<View> {
  const { objects } = await engine.list(bucket, { ...EVERYTHING, after: "" });
  const ask = { ...EVERYTHING, ...FROM_THE_START };
  const { versions } = await engine.listVersions(bucket, ask);
  const { uploads } = await engine.listUploads(bucket, ask);
  const view = { keys: [] as Shown[], versions: [] as Shown[], uploads: [] as Shown[] };
  for (const version of versions) {
    const { versionId, isLatest, deleteMarker } = version;
    const key = objectKey(version.key);
    const read = await readOf(engine, { bucket, key, versionId });
    const listed = listedShown(version, deleteMarker);
    view.versions.push({ ...listed, versionId, isLatest, deleteMarker, read });
    if (isLatest) view.keys.push({ key, read: await readOf(engine, { bucket, key }) });
  }
  for (const upload of uploads) {
    const name = { bucket, key: objectKey(upload.key), uploadId: upload.uploadId };
    const { parts } = await engine.listParts(name, { afterNumber: 0, limit: 1_000 });
    view.uploads.push({ ...uploadShown(upload), parts: parts.map(partShown) });
  }
  return { ...view, objects: objects.map((object) => listedShown(object)) };
}

async function readOf(engine: Engine, name: ObjectName): Promise<Answer> {
  try {
    return await readShown(await engine.get(name));
  } catch (cause) {
    if (cause instanceof S3Error) return { refused: cause.code };
    throw cause;
  }
}
