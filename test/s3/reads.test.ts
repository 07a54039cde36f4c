/** What a request reads of the metadata besides its object. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryMetaStore } from "#meta/memory.ts";
import { SELDOM_KEY } from "#meta/seldom.ts";
import type { Entry } from "#meta/store.ts";
import { expectCall, makeBucket, put } from "#test/fault/call.ts";
import { startInProcess } from "#test/fault/in-process.ts";

/** Remembers the first letters of the keys that are read. */
class ReadMetaStore extends MemoryMetaStore {
  readonly letters: string[] = [];

  override async get(key: Uint8Array): Promise<Entry | undefined> {
    this.letters.push(String.fromCharCode(key[0] ?? 0));
    return await super.get(key);
  }
}

test("a request reads who may do what only when any of it has changed, and no counter without quotas", async (t) => {
  const meta = new ReadMetaStore();
  const server = await startInProcess(t, { meta });
  const bucket = await makeBucket(server, "bucket");
  const ask = async (method: "GET" | "PUT") => {
    meta.letters.length = 0;
    if (method === "PUT") await put(server, `${bucket}/key`, "bytes");
    else await expectCall(server, { method, path: `${bucket}/key` });
    return meta.letters.splice(0).sort().join("");
  };

  await ask("PUT");
  // The head of the key alone, and of a read its version.
  assert.equal(await ask("PUT"), `${ASKS}o`);
  assert.equal(await ask("GET"), `${ASKS}ov`);
  await makeBucket(server, "another");
  // Of the bucket, its settings, its organization and the policies, too.
  assert.equal(await ask("PUT"), `${ASKS}DOPbo`);
  assert.equal(await ask("PUT"), `${ASKS}o`);
});

/** Whether anything has changed that seldom does. */
const ASKS = String.fromCharCode(SELDOM_KEY[0] ?? 0);
