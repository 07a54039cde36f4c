/**
 * What an object store is, as obviously right as can be: arrays, searched from the front. Written from
 * AWS's description of each operation. Names that a store is free to choose (version ids, upload ids, the
 * tag of a part that was copied without being read) are taken from the answer it gave.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html,
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/manage-versioning-examples.html
 */
import { bucketOf, type ModelBucket, type World } from "#test/model/bucket.ts";
import type { Answer, Call, CallOf, View } from "#test/model/call.ts";
import * as objects from "#test/model/objects.ts";
import { Refusal } from "#test/model/refusal.ts";
import { sweep } from "#test/model/sweep.ts";
import * as uploads from "#test/model/uploads.ts";
import { viewOf } from "#test/model/view.ts";

export class Model {
  readonly buckets = new Map<string, ModelBucket>();

  /** What a right store would have answered. */
  do(call: Call, given: { readonly nowMs: number; readonly answer: Answer }): Answer {
    try {
      return perform({ buckets: this.buckets, ...given }, call);
    } catch (cause) {
      if (cause instanceof Refusal) return { refused: cause.code };
      throw cause;
    }
  }

  view(bucket: string): View | undefined {
    const found = this.buckets.get(bucket);
    return found && viewOf(found);
  }
}

function perform(world: World, call: Call): Answer {
  switch (call.kind) {
    case "createBucket":
      return createBucket(world, call);
    case "deleteBucket":
      return deleteBucket(world, call);
    case "setVersioning":
      bucketOf(world, call).versioning = call.to;
      return {};
    case "put":
      return objects.put(world, call);
    case "delete":
      return objects.remove(world, call);
    case "copy":
      return objects.copy(world, call);
    case "rename":
      return objects.rename(world, call);
    case "setTags":
      return objects.setTags(world, call);
    case "createUpload":
      return uploads.create(world, call);
    case "putPart":
      return uploads.putPart(world, call);
    case "copyPart":
      return uploads.copyPart(world, call);
    case "completeUpload":
      return uploads.complete(world, call);
    case "abortUpload":
      return uploads.abort(world, call);
    case "collect":
      return {};
    case "sweep":
      return sweep(world, call);
  }
}

function createBucket({ buckets }: World, { bucket }: CallOf<"createBucket">): Answer {
  if (!buckets.has(bucket)) {
    const empty = { versions: new Map(), uploads: [], tokens: new Map() };
    buckets.set(bucket, { versioning: undefined, ...empty });
  }
  return {};
}

function deleteBucket(world: World, call: CallOf<"deleteBucket">): Answer {
  const { versions, uploads: unfinished } = bucketOf(world, call);
  if (versions.size > 0 || unfinished.length > 0) throw new Refusal("BucketNotEmpty");
  world.buckets.delete(call.bucket);
  return {};
}
