import { randomBytes } from "#base/random.ts";
import type { Client, Reply } from "#prove/client.ts";
import {
  fail,
  isNotOffered,
  notOffered,
  type Outcome,
  type Promised,
  pass,
  required,
  tallied,
  told,
} from "#prove/promise.ts";

const ROUNDS = 20;
const READERS = 2;
const RACERS = 16;
const BODY_BYTES = 128 * 2 ** 10;

/**
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_RenameObject.html
 */
export const RENAME: readonly Promised[] = [
  {
    name: "rename-atomic",
    title: "while an object is renamed it is under one of its keys, whole",
    prove: renames,
  },
  {
    name: "rename-once",
    title: `of ${RACERS} renames of one object to different keys one wins`,
    prove: renameRace,
  },
];

async function rename(client: Client, from: string, to: string): Promise<Reply> {
  const headers = { "x-amz-rename-source": `/${client.bucket}/${from}` };
  return await client.ask({ method: "PUT", key: to, query: { renameObject: "" }, headers });
}

/** undefined when it is. A server that knows nothing of it may take it for the PUT of an empty object. */
async function whyNotOffered(client: Client, name: string): Promise<string | undefined> {
  const [from, to] = [`${name}/first`, `${name}/second`];
  required(await client.put(from, Buffer.from("body")), "PUT");
  const reply = await rename(client, from, to);
  const [source, target] = [await client.get(from), await client.get(to)];
  const isDone =
    reply.status === 200 && source.status === 404 && target.body.equals(Buffer.from("body"));
  if (isDone) return undefined;
  const left = `the source is ${told(source)}, the target ${told(target)} of ${target.body.length} bytes`;
  return isNotOffered(reply) ? told(reply) : `told ${told(reply)}; ${left}`;
}

async function renames(client: Client): Promise<Outcome> {
  const why = await whyNotOffered(client, "rename-atomic");
  if (why !== undefined) return notOffered(why);
  const body = randomBytes(BODY_BYTES);
  const seen = { looks: 0, neither: 0, both: 0, other: 0 };
  for (let round = 0; round < ROUNDS; round += 1) {
    const [from, to] = [`rename-atomic/${round}-a`, `rename-atomic/${round}-b`];
    required(await client.put(from, body), "PUT");
    let isOver = false;
    const reader = async () => {
      do await look(client, { from, to, body, seen });
      while (!isOver);
    };
    const readers = Array.from({ length: READERS }, reader);
    const reply = await rename(client, from, to);
    isOver = true;
    await Promise.all(readers);
    required(reply, "RenameObject");
  }
  const { looks, neither, both, other } = seen;
  const evidence = `${looks} looks under ${ROUNDS} renames: ${neither} under neither key, ${both} under both, ${other} other bytes`;
  return neither + both + other === 0 ? pass(evidence) : fail(evidence);
}

interface Look {
  readonly from: string;
  readonly to: string;
  readonly body: Buffer;
  readonly seen: { looks: number; neither: number; both: number; other: number };
}

/** It goes one way: gone from the first key it is at the second, and once there no longer at the first. */
async function look(client: Client, { from, to, body, seen }: Look): Promise<void> {
  const first = await client.get(from);
  const second = await client.get(to);
  const again = await client.get(from);
  seen.looks += 1;
  if (first.status !== 200 && second.status !== 200) seen.neither += 1;
  if (second.status === 200 && again.status === 200) seen.both += 1;
  const read = [first, second, again].filter(({ status }) => status === 200);
  if (!read.every((each) => each.body.equals(body))) seen.other += 1;
}

async function renameRace(client: Client): Promise<Outcome> {
  const why = await whyNotOffered(client, "rename-once");
  if (why !== undefined) return notOffered(why);
  const body = Buffer.from("raced for");
  required(await client.put("rename-once/source", body), "PUT");
  const targets = Array.from({ length: RACERS }, (_, at) => `rename-once/to-${at}`);
  const replies = await Promise.all(
    targets.map(async (to) => await rename(client, "rename-once/source", to)),
  );
  const there = await client.list("rename-once/to-");
  const won = targets.filter((_, at) => replies[at]?.status === 200);
  const evidence = `winners: ${won.length} (${tallied(replies)}); ${there.length} objects afterwards`;
  const isOne = won.length === 1 && there.length === 1 && there[0] === won[0];
  return isOne ? pass(evidence) : fail(evidence);
}
