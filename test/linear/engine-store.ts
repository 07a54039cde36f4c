import { S3Error, StorageError } from "#base/error.ts";
import type { Bucket } from "#object/bucket.ts";
import type { Engine, KeyName } from "#object/engine.ts";
import { objectKey } from "#object/name.ts";
import { digestOf } from "#test/linear/clients.ts";
import type { Ask, Told } from "#test/linear/register.ts";
import { bodyOf } from "#test/model/shown.ts";
import { NO_ATTRIBUTES } from "#test/model/version.ts";

export interface Asked {
  readonly group: string;
  readonly ask: Ask;
  readonly body: Buffer;
}

/** Carries out what a client asks, past HTTP. undefined: nobody knows whether it happened. */
export async function performOn(
  engine: Engine,
  bucket: Bucket,
  asked: Asked,
): Promise<Told | undefined> {
  try {
    return await perform(engine, bucket, asked);
  } catch (cause) {
    return toldOf(cause);
  }
}

async function perform(engine: Engine, bucket: Bucket, { group, ask, body }: Asked): Promise<Told> {
  const name = (key: string): KeyName => ({ bucket, key: objectKey(`${group}/${key}`) });
  switch (ask.kind) {
    case "put": {
      const input = { bytes: body, algorithm: undefined, wrong: undefined };
      const { when } = ask;
      const conditions = when === "none" ? ({ ifNoneMatch: "*" } as const) : has(when?.has);
      const attributes = NO_ATTRIBUTES;
      await engine.put(name(ask.key), { body: bodyOf(input), attributes, conditions });
      return { kind: "done" };
    }
    case "get": {
      const { info, read } = await engine.get(name(ask.key));
      const content = read(0, info.sizeBytes);
      const chunks: Uint8Array[] = [];
      for await (const chunk of content instanceof Uint8Array ? [content] : content) {
        chunks.push(Buffer.from(chunk));
      }
      return { kind: "done", value: digestOf(Buffer.concat(chunks)) };
    }
    case "delete":
      await engine.delete(name(ask.key), has(ask.has));
      return { kind: "done" };
    case "copy": {
      const { object } = await engine.copy(name(ask.to), {
        ...{ source: name(ask.from), sourceConditions: {}, conditions: {}, algorithm: undefined },
        attributes: { metadata: undefined, tags: undefined, storageClass: undefined },
      });
      return { kind: "done", value: object.etag };
    }
    case "rename": {
      const conditions = ask.when === "none" ? { ifNoneMatch: "*" } : {};
      const source = objectKey(`${group}/${ask.from}`);
      const input = { source, conditions, sourceConditions: {}, token: undefined };
      await engine.rename(name(ask.to), input);
      return { kind: "done" };
    }
    case "list": {
      const prefix = `${group}/`;
      const page = await engine.list(bucket, { prefix, delimiter: "", after: "", limit: 1_000 });
      const keys = page.objects.map(({ key, etag }) => [key.slice(prefix.length), etag]);
      return { kind: "done", keys: Object.fromEntries(keys) };
    }
  }
}

function has(value: string | undefined): { readonly ifMatch?: string } {
  return value === undefined ? {} : { ifMatch: value };
}

function toldOf(cause: unknown): Told | undefined {
  if (cause instanceof StorageError && cause.kind === "unavailable") return undefined;
  if (cause instanceof StorageError && cause.kind === "full") return { kind: "nothing" };
  if (cause instanceof S3Error) {
    const told = toldByCode(cause.code);
    if (told !== undefined) return told;
  }
  throw cause;
}

/** undefined for a code that none of these operations should answer. */
export function toldByCode(code: string): Told | undefined {
  switch (code) {
    case "NoSuchKey":
      return { kind: "missing" };
    case "PreconditionFailed":
      return { kind: "failed" };
    case "ConditionalRequestConflict":
      return { kind: "conflict" };
    case "SlowDown":
      return { kind: "nothing" };
    default:
      return undefined;
  }
}
