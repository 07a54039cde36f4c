import { randomBelow, randomBytes } from "#base/random.ts";
import type { Client } from "#prove/client.ts";
import {
  each,
  fail,
  notOffered,
  type Outcome,
  type Promised,
  pass,
  required,
  told,
} from "#prove/promise.ts";

const ROUNDS = 200;
const LISTS = 50;
const RANGES = 1_000;
const RANGED_BYTES = 4 * 2 ** 20;
const RANGE_BYTES_MAX = 64 * 2 ** 10;
const AT_ONCE = 8;

/**
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel
 */
export const CONSISTENT: readonly Promised[] = [
  {
    name: "read-after-write",
    title: "what was just written, first or over something, is what is read",
    prove: readAfterWrite,
  },
  {
    name: "list-after-write",
    title: "what was just written is in the list",
    prove: listAfterWrite,
  },
  {
    name: "gone-after-delete",
    title: "what was just deleted is neither read nor listed",
    prove: goneAfterDelete,
  },
  {
    name: "ranges",
    title: `${RANGES.toLocaleString("en-US")} ranges are what they are of the whole`,
    prove: ranges,
  },
];

async function readAfterWrite(client: Client): Promise<Outcome> {
  const wrong: string[] = [];
  await each({ count: ROUNDS, atOnce: AT_ONCE }, async (at) => {
    const key = `read-after-write/${at}`;
    for (const text of [Buffer.from(`${key} first`), Buffer.from(`${key} second`)]) {
      required(await client.put(key, text), "PUT");
      const read = await client.get(key);
      if (read.status !== 200 || !read.body.equals(text)) wrong.push(`${key}: ${told(read)}`);
    }
  });
  const evidence = `${2 * ROUNDS} writes, each read at once: ${wrong.length} read something else`;
  return wrong.length === 0 ? pass(evidence) : fail(`${evidence}; first ${wrong[0]}`);
}

async function listAfterWrite(client: Client): Promise<Outcome> {
  let missing = 0;
  await each({ count: LISTS, atOnce: AT_ONCE }, async (at) => {
    const prefix = `list-after-write/${at}/`;
    required(await client.put(`${prefix}key`, Buffer.from("x")), "PUT");
    if ((await client.list(prefix)).length !== 1) missing += 1;
  });
  const evidence = `${LISTS} writes, each listed at once: ${missing} were missing`;
  return missing === 0 ? pass(evidence) : fail(evidence);
}

async function goneAfterDelete(client: Client): Promise<Outcome> {
  let [read, listed] = [0, 0];
  await each({ count: LISTS, atOnce: AT_ONCE }, async (at) => {
    const prefix = `gone-after-delete/${at}/`;
    required(await client.put(`${prefix}key`, Buffer.from("x")), "PUT");
    required(await client.delete(`${prefix}key`), "DELETE");
    if ((await client.get(`${prefix}key`)).status !== 404) read += 1;
    if ((await client.list(prefix)).length > 0) listed += 1;
  });
  const evidence = `${LISTS} deletes: ${read} were read afterwards, ${listed} were listed`;
  return read + listed === 0 ? pass(evidence) : fail(evidence);
}

async function ranges(client: Client): Promise<Outcome> {
  const whole = randomBytes(RANGED_BYTES);
  required(await client.put("ranges/key", whole), "PUT");
  const wrong: string[] = [];
  let ignored = 0;
  await each({ count: RANGES, atOnce: AT_ONCE }, async () => {
    const first = randomBelow(RANGED_BYTES);
    const last = Math.min(first + randomBelow(RANGE_BYTES_MAX), RANGED_BYTES - 1);
    const range = `bytes=${first}-${last}`;
    const { status, headers, body, code } = await client.get("ranges/key", { range });
    if (status === 200 && body.equals(whole)) ignored += 1;
    const isSlice = body.equals(whole.subarray(first, last + 1));
    const says = headers["content-range"] === `bytes ${first}-${last}/${RANGED_BYTES}`;
    if (status !== 206 || !isSlice || !says) wrong.push(`${range}: ${status} ${code}`.trim());
  });
  if (ignored === RANGES) return notOffered("each range was answered with the whole");
  const evidence = `${RANGES} ranges of ${RANGED_BYTES} bytes: ${wrong.length} were wrong`;
  return wrong.length === 0 ? pass(evidence) : fail(`${evidence}; first ${wrong[0]}`);
}
