import { randomHex } from "#base/random.ts";
import { Client, type Target, textsOf } from "#prove/client.ts";
import { CONDITIONAL } from "#prove/conditional.ts";
import { CONSISTENT } from "#prove/consistent.ts";
import {
  each,
  fail,
  type Outcome,
  type Promised,
  required,
  told,
  Unready,
} from "#prove/promise.ts";
import { RENAME } from "#prove/rename.ts";
import { WHOLE } from "#prove/whole.ts";

export const PROMISES: readonly Promised[] = [...CONDITIONAL, ...CONSISTENT, ...WHOLE, ...RENAME];

export interface Proved extends Outcome, Pick<Promised, "name" | "title"> {}

export interface ProveReport {
  readonly bucket: string;
  readonly promises: readonly Proved[];
  /** What could not be cleared away; undefined when all of it was. */
  readonly left: string | undefined;
}

export interface ProveOptions {
  /** Told as soon as it is known. */
  readonly told?: (proved: Proved) => void;
  /** All when it is absent. */
  readonly promises?: readonly Promised[];
}

/**
 * Holds an S3 server to each promise, in a bucket that it makes and removes.
 * Fails: Unready when it cannot make one.
 */
export async function prove(
  target: Target,
  { told: tell = () => undefined, promises: chosen = PROMISES }: ProveOptions = {},
): Promise<ProveReport> {
  const client = new Client(target, `lode-prove-${randomHex(8)}`);
  try {
    await makeBucket(client);
    const promises: Proved[] = [];
    for (const { name, title, prove: run } of chosen) {
      const proved = { name, title, ...(await outcomeOf(client, run)) };
      promises.push(proved);
      tell(proved);
    }
    return { bucket: client.bucket, promises, left: await removeBucket(client) };
  } finally {
    client.close();
  }
}

/** A step of the way that fails breaks the promise too: nobody saw it kept. */
async function outcomeOf(client: Client, run: Promised["prove"]): Promise<Outcome> {
  try {
    return await run(client);
  } catch (cause) {
    if (!(cause instanceof Unready)) throw cause;
    return fail(`it could not be tried: ${cause.message}`);
  }
}

async function makeBucket(client: Client): Promise<void> {
  const { region } = client;
  // Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html (us-east-1 is not named)
  const text = `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>${region}</LocationConstraint></CreateBucketConfiguration>`;
  const body = region === "us-east-1" ? {} : { body: Buffer.from(text) };
  required(await client.ask({ method: "PUT", ...body }), `bucket ${client.bucket} cannot be made`);
}

const PAGES_MAX = 100;
const AT_ONCE = 8;

async function removeBucket(client: Client): Promise<string | undefined> {
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const keys = await client.list("");
    if (keys.length === 0) break;
    await each({ count: keys.length, atOnce: AT_ONCE }, async (at) => {
      await client.delete(keys[at] ?? "");
    });
  }
  const { body } = await client.ask({ method: "GET", query: { uploads: "" } });
  const [keys, ids] = [textsOf(body, "Key"), textsOf(body, "UploadId")];
  for (const [at, uploadId] of ids.entries()) {
    await client.ask({ method: "DELETE", key: keys[at] ?? "", query: { uploadId } });
  }
  const reply = await client.ask({ method: "DELETE" });
  return reply.status === 204 || reply.status === 200 ? undefined : told(reply);
}
