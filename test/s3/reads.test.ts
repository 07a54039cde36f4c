/** What a request reads of the metadata besides its object. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryMetaStore } from "#meta/memory.ts";
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

test("a write without quotas and rates reads its bucket, the bucket's settings and the policies once each, and no counter", async (t) => {
  const meta = new ReadMetaStore();
  const server = await startInProcess(t, { meta });
  const bucket = await makeBucket(server, "bucket");
  await put(server, `${bucket}/key`, "before");
  meta.letters.length = 0;

  await put(server, `${bucket}/key`, "after");
  const written = meta.letters.splice(0).sort();
  await expectCall(server, { method: "GET", path: `${bucket}/key` });

  // The head of the key, and of a read its version.
  assert.deepEqual(written, ["D", "P", "b", "o"]);
  assert.deepEqual(meta.letters.sort(), ["D", "P", "b", "o", "v"]);
});
