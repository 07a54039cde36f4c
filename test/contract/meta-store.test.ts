import { LmdbMetaStore } from "#meta/lmdb.ts";
import { MemoryMetaStore } from "#meta/memory.ts";
import { metaStoreContract } from "#test/contract/meta-store.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

metaStoreContract("memory", async () => new MemoryMetaStore());
metaStoreContract("lmdb", async () => new LmdbMetaStore(await temporaryDirectory()));
