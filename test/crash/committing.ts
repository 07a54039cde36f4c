/**
 * A program that commits one record after the other into the directory it is given, and prints what becomes
 * of each, and what can be read then.
 */
import { LmdbMetaStore } from "#meta/lmdb.ts";

const COMMITS = 5;

const [path = ""] = process.argv.slice(2);
const told: string[] = [];
const store = new LmdbMetaStore(path, { broken: ({ kind }) => told.push(kind) });
for (let count = 1; count <= COMMITS; count += 1) {
  const key = Buffer.from(`k${count}`);
  const committed = store.commit({ guards: [], writes: [{ key, value: key }] });
  process.stdout.write(`${await outcome(committed)} ${await outcome(read(key))}\n`);
}
await store[Symbol.asyncDispose]();
process.stdout.write(`told ${told}\n`);

async function read(key: Uint8Array): Promise<number | undefined> {
  return store.get(key)?.revision;
}

async function outcome(work: Promise<number | undefined>): Promise<string> {
  try {
    return String(await work);
  } catch (cause) {
    return cause instanceof Error && "kind" in cause ? String(cause.kind) : "unknown";
  }
}
