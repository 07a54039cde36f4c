import type { Bench } from "../bench.ts";
import { fieldOf, fieldsOf, Session } from "../client/session.ts";
import { keyOf } from "../driver/job.ts";
import { fill } from "../fill/fill.ts";
import { createBucket } from "../target/bucket.ts";
import type { Target } from "../target/target.ts";
import { measureWork, type Work } from "./measure.ts";
import type { Filled } from "./scale.ts";

const LEVELS = 500;
const DEEP = "a/".repeat(LEVELS);
const DEEP_KEYS = 100;
const LISTINGS = 50;
const PAGE = 1000;

/** Keys that lie very deep, and very many common prefixes beside each other. */
export async function prefixRows(bench: Bench, { dataDirectory, target }: Filled): Promise<void> {
  const wide = bench.scale.commonPrefixes;
  const on: Target = { ...target, name: "lode", bucket: "lode-bench-prefixes" };
  await createBucket(on);
  const deep = `keys of ${LEVELS} levels`;
  await fill(bench.ledger, `storing ${DEEP_KEYS} ${deep}`, {
    ...{ dataDirectory, bucket: on.bucket, prefix: DEEP, suffix: "", oneKey: false },
    ...{ first: 0, count: DEEP_KEYS, sizeBytes: 0 },
  });
  const record = async (row: string, work: () => Promise<Work>): Promise<void> =>
    bench.ledger.record(await measureWork(on, row, work));
  await record(`HEAD, ${deep}`, () => heads(on));
  for (const at of [0, LEVELS / 2, LEVELS - 1]) {
    await record(`LIST delimiter at level ${at}, ${deep}`, () => folder(on, at));
  }
  await record(`LIST all, ${deep}`, () => all(on));

  const text = `${wide.toLocaleString("en-US")} common prefixes`;
  await fill(bench.ledger, `storing ${text}`, {
    ...{ dataDirectory, bucket: on.bucket, prefix: "wide/", suffix: "/x", oneKey: false },
    ...{ first: 0, count: wide, sizeBytes: 0 },
  });
  await record(`LIST delimiter, ${text}`, () => pages(on, wide));
}

async function heads({ endpoint, bucket }: Target): Promise<Work> {
  return await repeated(endpoint, DEEP_KEYS, async (session, turn) => {
    await session.call({ method: "HEAD", bucket, key: keyOf(DEEP, turn) });
  });
}

/** One folder of the deep keys, which has one folder and nothing else. */
async function folder({ endpoint, bucket }: Target, level: number): Promise<Work> {
  const prefix = "a/".repeat(level);
  return await repeated(endpoint, LISTINGS, async (session) => {
    const query = { "list-type": "2", delimiter: "/", prefix };
    const found = fieldsOf(await session.call({ method: "GET", bucket, query }), "Prefix");
    // The one that was asked for comes back, too.
    if (!found.includes(`${prefix}a/`)) throw new Error(`level ${level}: no common prefix`);
  });
}

async function all({ endpoint, bucket }: Target): Promise<Work> {
  return await repeated(endpoint, LISTINGS, async (session) => {
    const query = { "list-type": "2", prefix: "a/" };
    const keys = fieldsOf(await session.call({ method: "GET", bucket, query }), "Key");
    if (keys.length !== DEEP_KEYS) throw new Error(`${keys.length} of ${DEEP_KEYS} deep keys`);
  });
}

async function repeated(
  endpoint: Target["endpoint"],
  count: number,
  act: (session: Session, turn: number) => Promise<void>,
): Promise<Work> {
  using session = new Session(endpoint);
  await session.open();
  const latenciesMs: number[] = [];
  for (let turn = 0; turn < count; turn += 1) {
    const begin = performance.now();
    await act(session, turn);
    latenciesMs.push(performance.now() - begin);
  }
  return { unit: "op", count, latenciesMs };
}

/** Every common prefix, page after page. Fails when one is missing. */
async function pages({ endpoint, bucket }: Target, count: number): Promise<Work> {
  using session = new Session(endpoint);
  await session.open();
  const latenciesMs: number[] = [];
  const base = { "list-type": "2", delimiter: "/", prefix: "wide/", "max-keys": String(PAGE) };
  let [seen, token]: [number, string | undefined] = [0, undefined];
  do {
    const next: Record<string, string> = token === undefined ? {} : { "continuation-token": token };
    const begin = performance.now();
    const reply = await session.call({ method: "GET", bucket, query: { ...base, ...next } });
    latenciesMs.push(performance.now() - begin);
    seen += reply.body.split("<CommonPrefixes>").length - 1;
    token = fieldOf(reply, "NextContinuationToken");
  } while (token !== undefined && seen <= count);
  if (seen !== count) throw new Error(`the pages list ${seen} of ${count} common prefixes`);
  return { unit: "key", count: seen, latenciesMs };
}
