import { join } from "node:path";
import { serveCommits } from "#meta/commit-desk.ts";
import { DeskMetaStore } from "#meta/desk-store.ts";
import { LmdbMetaStore } from "#meta/lmdb.ts";
import { MemoryMetaStore } from "#meta/memory.ts";
import { metaStoreContract } from "#test/contract/meta-store.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

metaStoreContract("memory", async () => new MemoryMetaStore());
metaStoreContract("lmdb", async () => new LmdbMetaStore(await temporaryDirectory()));
metaStoreContract("lmdb, committed at a desk", async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, "commit.sock");
  const store = new LmdbMetaStore(directory);
  (await serveCommits(store, path)).unref();
  return await DeskMetaStore.open(store, path);
});
