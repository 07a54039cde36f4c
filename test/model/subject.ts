import { S3Error } from "#base/error.ts";
import { readXml } from "#base/xml.ts";
import type { Catalog } from "#catalog/catalog.ts";
import { BUCKET_START, type BucketPlace, type Due, duePage } from "#job/lifecycle-page.ts";
import type { Bucket } from "#object/bucket.ts";
import type { CompletePart, CopyInput, Engine, KeyName, ObjectName } from "#object/engine.ts";
import { readLifecycle } from "#object/lifecycle.ts";
import { type BucketName, bucketName, objectKey, partNumber } from "#object/name.ts";
import type { Answer, Call, CallOf, Rule, View, Where, Which } from "#test/model/call.ts";
import { observe } from "#test/model/observe.ts";
import { bodyOf, infoShown, partShown, uploadShown } from "#test/model/shown.ts";
import { DAY_MS } from "#test/model/sweep.ts";
import type { MovableClock } from "#test/support/movable-clock.ts";

const OWNER = { id: "owner", region: "r" };

export interface SubjectParts {
  readonly catalog: Catalog;
  readonly engine: Engine;
  readonly clock: MovableClock;
  /** Ends the names of its buckets, where several share a store. */
  readonly suffix: string;
  /** Throws away what was discarded. */
  readonly collect: () => Promise<void>;
}

/** The real engine, asked what the model is asked, and its answers in the model's words. */
export class Subject {
  readonly #parts: SubjectParts;

  constructor(parts: SubjectParts) {
    this.#parts = parts;
  }

  async do(call: Call): Promise<Answer> {
    try {
      return await this.#perform(call);
    } catch (cause) {
      if (cause instanceof S3Error) return { refused: cause.code };
      throw cause;
    }
  }

  /** Everything that lists and reads show; undefined when there is no such bucket. */
  async view(name: string): Promise<View | undefined> {
    try {
      return await observe(this.#parts.engine, await this.#bucket(name));
    } catch (cause) {
      if (cause instanceof S3Error && cause.code === "NoSuchBucket") return undefined;
      throw cause;
    }
  }

  #perform(call: Call): Promise<Answer> {
    switch (call.kind) {
      case "createBucket":
        return nothing(this.#parts.catalog.create(this.#name(call.bucket), OWNER));
      case "deleteBucket":
        return this.#deleteBucket(call);
      case "setVersioning":
        return this.#setVersioning(call);
      case "put":
        return this.#put(call);
      case "delete":
        return this.#delete(call);
      case "copy":
        return this.#copy(call);
      case "rename":
        return this.#rename(call);
      case "setTags":
        return this.#setTags(call);
      case "collect":
        return nothing(this.#parts.collect());
      case "sweep":
        return this.#sweep(call);
      default:
        return this.#performUpload(call);
    }
  }

  async #performUpload(
    call: CallOf<"createUpload" | "putPart" | "copyPart" | "completeUpload" | "abortUpload">,
  ): Promise<Answer> {
    const { engine } = this.#parts;
    const name = await this.#key(call);
    if (call.kind === "createUpload") {
      const { attributes, algorithm, checksumType } = call;
      const made = await engine.createUpload(name, { attributes, algorithm, checksumType });
      return uploadShown(made);
    }
    const upload = { ...name, uploadId: call.uploadId };
    switch (call.kind) {
      case "putPart": {
        const body = bodyOf(call);
        return partShown(await engine.putPart(upload, partNumber(`${call.number}`), { body }));
      }
      case "copyPart": {
        const { conditions, range } = call;
        const source = { source: await this.#object(call.source), conditions, range };
        const part = await engine.putPart(upload, partNumber(`${call.number}`), source);
        return { ...partShown(part), sourceVersionId: part.sourceVersionId };
      }
      case "completeUpload": {
        const { conditions, sizeBytes } = call;
        const parts = call.parts.map(
          ({ number, etag, checksums = {} }): CompletePart => ({
            ...{ number: partNumber(`${number}`), etag, checksums },
          }),
        );
        const none = { checksum: undefined, checksumType: undefined };
        const input = { parts, conditions, sizeBytes, ...none };
        return infoShown(await engine.completeUpload(upload, input));
      }
      case "abortUpload":
        return await nothing(engine.abortUpload(upload));
    }
  }

  async #deleteBucket({ bucket: name }: CallOf<"deleteBucket">): Promise<Answer> {
    const bucket = await this.#bucket(name);
    const { catalog, engine } = this.#parts;
    return await nothing(catalog.delete(bucket, await engine.requireEmpty(bucket)));
  }

  async #setVersioning({ bucket, to }: CallOf<"setVersioning">): Promise<Answer> {
    return await nothing(this.#parts.catalog.setVersioning(await this.#bucket(bucket), to));
  }

  async #put(call: CallOf<"put">): Promise<Answer> {
    const { attributes, conditions } = call;
    const input = { body: bodyOf(call), attributes, conditions };
    return infoShown(await this.#parts.engine.put(await this.#key(call), input));
  }

  async #delete(call: CallOf<"delete">): Promise<Answer> {
    const deleted = await this.#parts.engine.delete(await this.#object(call), call.conditions);
    return { deleteMarker: deleted.deleteMarker, versionId: deleted.versionId };
  }

  async #copy(call: CallOf<"copy">): Promise<Answer> {
    const { attributes, sourceConditions, conditions, algorithm } = call;
    const input: CopyInput = {
      source: await this.#object(call.source),
      ...{ sourceConditions, conditions, algorithm },
      attributes: {
        metadata: attributes,
        tags: attributes?.tags,
        storageClass: attributes?.storageClass,
      },
    };
    const copied = await this.#parts.engine.copy(await this.#key(call), input);
    return { object: infoShown(copied.object), sourceVersionId: copied.sourceVersionId };
  }

  async #rename(call: CallOf<"rename">): Promise<Answer> {
    const { sourceConditions, conditions, token } = call;
    const input = { source: objectKey(call.source), sourceConditions, conditions, token };
    const { etag } = await this.#parts.engine.rename(await this.#key(call), input);
    return { etag };
  }

  async #setTags(call: CallOf<"setTags">): Promise<Answer> {
    return infoShown(await this.#parts.engine.setTags(await this.#object(call), call.tags));
  }

  /** Page by page, so that places are gone on from. */
  async #sweep({ rule }: CallOf<"sweep">): Promise<Answer> {
    const { catalog, engine, clock } = this.#parts;
    const markers: Record<string, string | undefined> = {};
    const { buckets } = await catalog.list({ prefix: "", after: "", limit: 1_000 });
    const rules = readLifecycle(readXml(xmlOf(rule)));
    for (const bucket of buckets) {
      const scan = { engine, bucket, rules, nowMs: clock.now(), dayMs: DAY_MS, limit: 3 };
      for (let place: BucketPlace | undefined = BUCKET_START; place !== undefined; ) {
        const { due, next } = await duePage(scan, place);
        for (const each of due) {
          const laid = await this.#carryOut(bucket, each);
          if (laid !== undefined) markers[`${bucket.name}/${each.key}`] = laid;
        }
        place = next;
      }
    }
    return { markers };
  }

  /** The delete marker that it laid. */
  async #carryOut(bucket: Bucket, due: Due): Promise<string | undefined> {
    const { engine } = this.#parts;
    const name = { bucket, key: objectKey(due.key) };
    const { uploadId, versionId, conditions } = due;
    if (uploadId !== undefined) await engine.abortUpload({ ...name, uploadId });
    else if (versionId !== undefined) await engine.delete({ ...name, versionId }, conditions);
    else return (await engine.delete(name, conditions)).versionId;
    return undefined;
  }

  async #bucket(name: string): Promise<Bucket> {
    return await this.#parts.catalog.bucket(this.#name(name));
  }

  #name(name: string): BucketName {
    return bucketName(`${name}${this.#parts.suffix}`);
  }

  async #key({ bucket, key }: Where): Promise<KeyName> {
    return { bucket: await this.#bucket(bucket), key: objectKey(key) };
  }

  async #object(which: Which): Promise<ObjectName> {
    const { versionId } = which;
    const name = await this.#key(which);
    return versionId === undefined ? name : { ...name, versionId };
  }
}

async function nothing(doing: Promise<unknown>): Promise<Answer> {
  await doing;
  return {};
}

function xmlOf({ expire, noncurrent, abort, markers }: Rule): string {
  const lonely =
    "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>";
  const actions = [
    markers ? lonely : "",
    expire === undefined ? "" : `<Expiration><Days>${expire}</Days></Expiration>`,
    noncurrent === undefined
      ? ""
      : `<NoncurrentVersionExpiration><NoncurrentDays>${noncurrent.days}</NoncurrentDays>${
          noncurrent.keep === 0
            ? ""
            : `<NewerNoncurrentVersions>${noncurrent.keep}</NewerNoncurrentVersions>`
        }</NoncurrentVersionExpiration>`,
    abort === undefined
      ? ""
      : `<AbortIncompleteMultipartUpload><DaysAfterInitiation>${abort}</DaysAfterInitiation></AbortIncompleteMultipartUpload>`,
  ];
  const filter = "<ID>r</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status>";
  return `<LifecycleConfiguration><Rule>${filter}${actions.join("")}</Rule></LifecycleConfiguration>`;
}
