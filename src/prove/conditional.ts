import { type Client, etagOf, type Reply } from "#prove/client.ts";
import { completed, startUpload } from "#prove/multipart.ts";
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

const WRITERS = 32;
const ROUNDS = 5;
const UPLOADS = 8;

/**
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export const CONDITIONAL: readonly Promised[] = [
  {
    name: "create-once",
    title: `of ${WRITERS} writers with If-None-Match: * one wins`,
    prove: async (client) =>
      await races(async (round) => {
        const key = `create-once/${round}`;
        const write = async (body: Buffer) => await client.put(key, body, { "if-none-match": "*" });
        return await race(client, key, write);
      }),
  },
  {
    name: "replace-once",
    title: `of ${WRITERS} writers with If-Match and one ETag one wins`,
    prove: async (client) =>
      await races(async (round) => {
        const key = `replace-once/${round}`;
        const first = required(await client.put(key, Buffer.from("first")), "PUT");
        const headers = { "if-match": etagOf(first) };
        return await race(client, key, async (body) => await client.put(key, body, headers));
      }),
  },
  {
    name: "stale-refused",
    title: "a write with the ETag of an older version is refused with 412",
    prove: stale,
  },
  {
    name: "complete-once",
    title: `of ${UPLOADS} uploads completed with If-None-Match: * one wins`,
    prove: completions,
  },
];

interface Race {
  readonly replies: readonly Reply[];
  /** Who was told that it won. */
  readonly winners: number;
  /** What stands there is what the only winner wrote. */
  readonly isWinners: boolean;
}

async function race(
  client: Client,
  key: string,
  write: (body: Buffer) => Promise<Reply>,
): Promise<Race> {
  const bodies = Array.from({ length: WRITERS }, (_, at) => Buffer.from(`writer ${at}`));
  const replies = await Promise.all(bodies.map(write));
  const won = bodies.filter((_, at) => replies[at]?.status === 200);
  const { body } = await client.get(key);
  return { replies, winners: won.length, isWinners: won.some((each) => each.equals(body)) };
}

async function races(run: (round: number) => Promise<Race>): Promise<Outcome> {
  const all: Race[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const done = await run(round);
    if (done.replies.every(isNotOffered)) return notOffered(tallied(done.replies));
    all.push(done);
  }
  const winners = all.map((each) => each.winners);
  const evidence = `winners in ${ROUNDS} rounds: ${winners.join(", ")} (${tallied(all.flatMap(({ replies }) => replies))})`;
  if (winners.some((count) => count !== 1)) return fail(evidence);
  const others = all.flatMap(({ replies }) => replies.filter(({ status }) => status !== 200));
  const isRefused = others.every(({ status }) => status === 412 || status === 409);
  if (!isRefused) return fail(`${evidence}: losers are told 412 or 409`);
  if (all.every(({ isWinners }) => isWinners)) return pass(evidence);
  return fail(`${evidence}: what stands there is not what the winner wrote`);
}

async function stale(client: Client): Promise<Outcome> {
  const key = "stale-refused/key";
  const first = required(await client.put(key, Buffer.from("first")), "PUT");
  required(await client.put(key, Buffer.from("second")), "PUT");
  const reply = await client.put(key, Buffer.from("third"), { "if-match": etagOf(first) });
  const { body } = await client.get(key);
  const evidence = `told ${told(reply)}, and "${body}" stands there`;
  if (isNotOffered(reply)) return notOffered(evidence);
  return reply.status === 412 && body.toString() === "second" ? pass(evidence) : fail(evidence);
}

async function completions(client: Client): Promise<Outcome> {
  const key = "complete-once/key";
  const texts = Array.from({ length: UPLOADS }, (_, at) => `upload ${at}`);
  const uploads = await Promise.all(
    texts.map(async (text) => await startUpload(client, key, [Buffer.from(text)])),
  );
  const replies = await Promise.all(
    uploads.map(async (upload) => await completed(client, upload, { "if-none-match": "*" })),
  );
  if (replies.every(isNotOffered)) return notOffered(tallied(replies));
  const { body } = await client.get(key);
  const won = texts.filter((_, at) => replies[at]?.status === 200);
  const evidence = `winners: ${won.length} of ${UPLOADS} (${tallied(replies)}), and "${body}" stands there`;
  return won.length === 1 && won[0] === body.toString() ? pass(evidence) : fail(evidence);
}
