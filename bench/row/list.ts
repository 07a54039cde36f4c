import type { Bench } from "../bench.ts";
import { fieldOf, Session } from "../client/session.ts";
import { createBucket } from "../target/bucket.ts";
import type { Target } from "../target/target.ts";
import { attempt, interleave, measureWork, type Work } from "./measure.ts";

const DIRECTORIES = 10;
const PAGE_KEYS = 1000;
/** Keys are stored in steps, to show progress and to keep each step's signatures young. */
const STEP_KEYS = 10_000;
/** So many that a server which compiles as it goes has done so before most of them. */
const FOLDER_LISTINGS = 1_000;
const PAGES_MIN = 200;

export async function listRows(bench: Bench): Promise<void> {
  for (const keys of bench.scale.listKeys) {
    const text = keys.toLocaleString("en-US");
    const filled: Target[] = [];
    for (const target of bench.targets) {
      const bucket = `${target.bucket}-list-${keys}`;
      const row = `storing ${text} keys`;
      const done = await attempt(bench, { row, target }, () =>
        fill(bench, { ...target, bucket }, keys),
      );
      if (done !== undefined) filled.push({ ...target, bucket });
    }
    const listed = { ...bench, targets: filled };
    const row = `LIST ${text} keys`;
    await interleave(listed, row, (target) =>
      measureWork(target, row, () => listAll(target, keys)),
    );
    const folders = `LIST delimiter over ${text} keys`;
    await interleave(listed, folders, (target) =>
      measureWork(target, folders, () => listFolders(target)),
    );
  }
}

async function fill(bench: Bench, target: Target, keys: number): Promise<true> {
  await createBucket(target);
  for (let stored = 0; stored < keys; stored += STEP_KEYS) {
    // Steps of 10,000 over ten directories; each directory holds its share of the whole range.
    const perStep = Math.min(STEP_KEYS, keys - stored) / DIRECTORIES;
    for (let directory = 0; directory < DIRECTORIES; directory += 1) {
      const { errors, errorSample } = await bench.fleet.run({
        kind: "put",
        endpoint: target.endpoint,
        bucket: target.bucket,
        prefix: `directory-${directory}/`,
        first: stored / DIRECTORIES,
        count: perStep,
        sizeBytes: 0,
        connections: 64,
      });
      if (errors > 0) throw new Error(errorSample);
    }
    bench.ledger.progress(
      `${target.name}: ${stored + perStep * DIRECTORIES} of ${keys} keys stored`,
    );
  }
  return true;
}

/** Fails when pages do not add up to every key. */
async function listAll(target: Target, keys: number): Promise<Work> {
  using session = new Session(target.endpoint);
  await session.open();
  const latenciesMs: number[] = [];
  let count = 0;
  while (latenciesMs.length < PAGES_MIN) {
    latenciesMs.push(...(await listOnce(target, { session, keys })));
    count += keys;
  }
  return { unit: "key", count, latenciesMs };
}

/** Resolves to how long each page took. */
async function listOnce(
  target: Target,
  { session, keys }: { readonly session: Session; readonly keys: number },
): Promise<readonly number[]> {
  const latenciesMs: number[] = [];
  let seen = 0;
  let token: string | undefined;
  do {
    const begin = performance.now();
    const reply = await session.call({
      method: "GET",
      bucket: target.bucket,
      query: {
        "list-type": "2",
        "max-keys": String(PAGE_KEYS),
        ...(token === undefined ? {} : { "continuation-token": token }),
      },
    });
    latenciesMs.push(performance.now() - begin);
    seen += occurrences(reply.body, "<Key>");
    token = fieldOf(reply, "NextContinuationToken");
  } while (token !== undefined && seen <= keys);
  if (seen !== keys) throw new Error(`the pages list ${seen} of ${keys} keys`);
  return latenciesMs;
}

async function listFolders(target: Target): Promise<Work> {
  using session = new Session(target.endpoint);
  await session.open();
  const latenciesMs: number[] = [];
  for (let turn = 0; turn < FOLDER_LISTINGS; turn += 1) {
    const begin = performance.now();
    const { body } = await session.call({
      method: "GET",
      bucket: target.bucket,
      query: { "list-type": "2", delimiter: "/" },
    });
    latenciesMs.push(performance.now() - begin);
    const found = occurrences(body, "<CommonPrefixes>");
    if (found !== DIRECTORIES) throw new Error(`${found} of ${DIRECTORIES} common prefixes`);
  }
  return { unit: "op", count: FOLDER_LISTINGS, latenciesMs };
}

function occurrences(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) count += 1;
  return count;
}
