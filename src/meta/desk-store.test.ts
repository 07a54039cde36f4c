import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { StorageError } from "#base/error.ts";
import { serveCommits } from "#meta/commit-desk.ts";
import { DeskMetaStore } from "#meta/desk-store.ts";
import { FRAME_BYTES_MAX } from "#meta/frames.ts";
import { MemoryMetaStore } from "#meta/memory.ts";
import type { Change, MetaStore } from "#meta/store.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

test("where nobody is at the desk, it commits by itself", async () => {
  await using store = await DeskMetaStore.open(new MemoryMetaStore(), await socketPath());

  assert.equal(typeof (await store.commit(put("key", "value"))), "number");
  assert.equal(await textOf(store, "key"), "value");
});

test("a desk that ends leaves unknown what it has, and what comes then is committed without it", async (t) => {
  const path = await socketPath();
  const { server, visited } = await silentDesk(t, path);
  await using store = await DeskMetaStore.open(new MemoryMetaStore(), path);
  const lost = store.commit(put("lost", "x"));
  const visitor = await visited;
  await once(visitor, "data");

  server.close();
  visitor.destroy();

  await assert.rejects(
    lost,
    (cause) => cause instanceof StorageError && cause.kind === "unavailable",
  );
  assert.equal(typeof (await store.commit(put("key", "value"))), "number");
});

test("a desk whose answer is none has what was handed over left unknown", async (t) => {
  const path = await socketPath();
  const { visited } = await silentDesk(t, path);
  await using store = await DeskMetaStore.open(new MemoryMetaStore(), path);
  const lost = store.commit(put("lost", "x"));
  const visitor = await visited;

  visitor.write(Buffer.alloc(64, 0xff));

  await assert.rejects(lost, { kind: "unavailable" });
});

test("a desk that is there again is found", async (t) => {
  const path = await socketPath();
  const shared = new MemoryMetaStore();
  await using store = await DeskMetaStore.open(new MemoryMetaStore(), path);
  const server = await serveCommits(shared, path);
  t.after(() => server.close());
  await once(server, "connection");

  // What is handed over is seen in the desk's store; it may take a moment until the first is.
  for (let index = 0; (await shared.get(Buffer.from("key"))) === undefined; index += 1) {
    await store.commit(put("key", `${index}`));
    await turn();
  }
});

test("while nobody else commits it does so by itself, and no longer when somebody does", async (t) => {
  const path = await socketPath();
  const shared = new MemoryMetaStore();
  const atDesk: string[] = [];
  const desk = new MemoryMetaStore();
  desk.commit = async (change) => {
    atDesk.push(nameOf(change));
    return await shared.commit(change);
  };
  const server = await serveCommits(desk, path);
  t.after(() => server.close());
  await using store = await DeskMetaStore.open(shared, path);
  for (let index = 0; index < 20; index += 1) await store.commit(put("before", `${index}`));
  const before = atDesk.length;

  await store.commit(put("alone", "x"));
  await shared.commit(put("another's", "x"));
  await store.commit(put("sees it", "x"));
  await store.commit(put("not alone", "x"));

  assert.ok(before < 20, `${before} of 20 at the desk`);
  assert.deepEqual(atDesk.slice(before), ["not alone"]);
});

test("a failure keeps its kind and its words on its way", async (t) => {
  const path = await socketPath();
  const failing = new MemoryMetaStore();
  failing.commit = async () => {
    throw new StorageError("full", "no space, nicht einmal für einen");
  };
  const server = await serveCommits(failing, path);
  t.after(() => server.close());
  await using store = await DeskMetaStore.open(new MemoryMetaStore(), path);

  await assert.rejects(store.commit(put("key", "x")), {
    kind: "full",
    message: "no space, nicht einmal für einen",
  });
});

test("of one who sends more than can be held, no more is read until some is answered", async (t) => {
  const path = await socketPath();
  const slow = new MemoryMetaStore();
  const held: (() => void)[] = [];
  slow.commit = async () => {
    await new Promise<void>((resolve) => held.push(resolve));
    return 1;
  };
  const server = await serveCommits(slow, path);
  t.after(() => server.close());
  await using store = await DeskMetaStore.open(new MemoryMetaStore(), path);
  const value = "x".repeat(2 ** 20);
  const all = Array.from({ length: 40 }, (_, index) => store.commit(put(`${index}`, value)));
  while (held.length < 8) await turn();
  for (let turns = 0; turns < 50; turns += 1) await turn();

  assert.ok(held.length <= 10, `${held.length} of 1 MiB are held`);

  let answered = 0;
  while (answered < all.length) {
    held.shift()?.();
    answered = await countOf(all);
  }
});

test("a change that is too large for the way is committed without it", async (t) => {
  const path = await socketPath();
  const { visited } = await silentDesk(t, path);
  await using store = await DeskMetaStore.open(new MemoryMetaStore(), path);
  await visited;

  const sequence = await store.commit({
    guards: [],
    writes: [{ key: Buffer.from("key"), value: Buffer.alloc(FRAME_BYTES_MAX) }],
  });

  assert.equal(typeof sequence, "number");
});

test("who sends what is no frame is cut off, and others go on", async (t) => {
  const path = await socketPath();
  const server = await serveCommits(new MemoryMetaStore(), path);
  t.after(() => server.close());
  await using store = await DeskMetaStore.open(new MemoryMetaStore(), path);
  const stranger = connect(path);

  stranger.write(Buffer.alloc(64, 0xff));

  await once(stranger, "close");
  assert.equal(typeof (await store.commit(put("key", "value"))), "number");
});

/** Takes what comes, and never answers. */
async function silentDesk(
  t: TestContext,
  path: string,
): Promise<{ readonly server: Server; readonly visited: Promise<Socket> }> {
  const server = createServer();
  const visited = new Promise<Socket>((resolve) => {
    server.once("connection", (socket) => {
      t.after(() => socket.destroy());
      resolve(socket);
    });
  });
  server.listen(path);
  await once(server, "listening");
  t.after(() => server.close());
  return { server, visited };
}

async function socketPath(): Promise<string> {
  return join(await temporaryDirectory(), "commit.sock");
}

function put(key: string, value: string): Change {
  return { guards: [], writes: [{ key: Buffer.from(key), value: Buffer.from(value) }] };
}

function nameOf({ writes }: Change): string {
  return writes.map(({ key }) => Buffer.from(key).toString()).join();
}

async function textOf(store: MetaStore, key: string): Promise<string | undefined> {
  const entry = await store.get(Buffer.from(key));
  return entry && Buffer.from(entry.value).toString();
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

async function countOf(all: readonly Promise<unknown>[]): Promise<number> {
  const waits = Symbol("waits");
  await turn();
  const states = await Promise.all(all.map((one) => Promise.race([one, Promise.resolve(waits)])));
  return states.filter((state) => state !== waits).length;
}
