/** What keeps its promises passes; whoever breaks one is caught at that one, and at no other. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { S3Error } from "#base/error.ts";
import type { Body } from "#object/body.ts";
import type { Engine, ListPage } from "#object/engine.ts";
import { PROMISES, type ProveReport, prove } from "#prove/prove.ts";
import { serverWith } from "#test/prove/broken-server.ts";
import { headOrNone } from "#test/support/head-or-none.ts";
import { run } from "#test/support/process.ts";
import { startRealServer } from "#test/support/real-server.ts";

test("a real server of ours keeps every promise, and is left without the bucket", async (t) => {
  const { endpoint, accessKeyId, secret } = await startRealServer(t, { workers: 2 });
  const environment = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secret };
  const command = [process.execPath, "bin/lode", "prove", "--endpoint", endpoint, "--json"];

  const { code, stdout, stderr } = await run(t, { command, environment });

  assert.deepEqual([code, stderr], [0, ""]);
  const report = JSON.parse(stdout) as ProveReport;
  assert.deepEqual(broken(report), []);
  assert.equal(report.left, undefined);
  assert.equal(report.promises.filter(({ verdict }) => verdict !== "pass").length, 0);
});

test("without a key it ends with 2 and says what is missing", async (t) => {
  const command = [process.execPath, "bin/lode", "prove", "--endpoint", "http://127.0.0.1:9"];
  const { code, stderr } = await run(t, { command });
  assert.equal(code, 2);
  assert.match(stderr, /AWS_ACCESS_KEY_ID is not set/);
});

/** Tried with the real server, and where they are to fail. */
const SLOW = ["read-after-write", "ranges", "overwrite-atomic"];

interface Fault {
  readonly title: string;
  readonly change: (engine: Engine) => Partial<Engine>;
  readonly breaks: readonly string[];
}

const SUMS = [
  ...["wrong-content-md5", "wrong-crc32", "wrong-crc32c", "wrong-sha256"],
  "wrong-signed-sha256",
];

const FAULTS: readonly Fault[] = [
  {
    title: "conditions of a write are not looked at",
    change: (engine) => ({
      put: async (name, input) => await engine.put(name, { ...input, conditions: {} }),
    }),
    breaks: ["create-once", "replace-once", "stale-refused"],
  },
  {
    title: "conditions of a write are looked at before it, not with it",
    change: (engine) => ({
      put: async (name, input) => {
        if (Object.keys(input.conditions).length === 0) return await engine.put(name, input);
        const there = await headOrNone(engine, name);
        const { ifNoneMatch, ifMatch } = input.conditions;
        const isRefused =
          (ifNoneMatch !== undefined && there !== undefined) ||
          (ifMatch !== undefined && there?.etag !== ifMatch.replaceAll('"', ""));
        if (isRefused) throw new S3Error("PreconditionFailed", { Condition: "If-Match" });
        await turns(20);
        return await engine.put(name, { ...input, conditions: {} });
      },
    }),
    breaks: ["create-once", "replace-once"],
  },
  {
    title: "conditions of a completion are not looked at",
    change: (engine) => ({
      completeUpload: async (name, input) =>
        await engine.completeUpload(name, { ...input, conditions: {} }),
    }),
    breaks: ["complete-once"],
  },
  {
    title: "lists are a little old",
    change: (engine) => ({ list: async (bucket, ask) => await oldList(engine, bucket, ask) }),
    breaks: ["list-after-write"],
  },
  {
    title: "deletes come later",
    change: (engine) => ({
      delete: async (name, conditions) => {
        setTimeout(() => void engine.delete(name, conditions).catch(() => undefined), 50);
        return { deleteMarker: false, versionId: undefined };
      },
    }),
    breaks: ["gone-after-delete"],
  },
  {
    title: "sums are not compared",
    change: (engine) => ({
      put: async (name, input) => await engine.put(name, { ...input, body: unclaimed(input.body) }),
    }),
    breaks: SUMS,
  },
  {
    title: "a body that is cut is stored as far as it came",
    change: (engine) => ({
      put: async (name, input) => {
        const body = await asFarAsItCame(input.body);
        return await engine.put(name, { ...input, body });
      },
    }),
    breaks: ["cut-body"],
  },
  {
    title: "a read takes its second half from what is there by then",
    change: (engine) => ({
      get: async (name, key) => {
        const open = await engine.get(name, key);
        return {
          ...open,
          read: async function* read(from: number, to: number) {
            const half = Math.floor((from + to) / 2);
            yield* chunksOf(open.read(from, half));
            await turns(50);
            const later = await engine.get(name, key);
            yield* chunksOf(later.read(half, Math.min(to, later.info.sizeBytes)));
          },
        };
      },
    }),
    breaks: ["overwrite-atomic"],
  },
  {
    title: "a rename is a delete and a copy",
    change: (engine) => ({
      rename: async (name, { source }) => {
        const open = await engine.get({ bucket: name.bucket, key: source });
        const bytes: Buffer[] = [];
        for await (const chunk of chunksOf(open.read(0, open.info.sizeBytes))) {
          bytes.push(Buffer.from(chunk));
        }
        await turns(50);
        await engine.delete({ bucket: name.bucket, key: source }, {});
        await new Promise((resolve) => setTimeout(resolve, 30));
        const body = bodyOf(Buffer.concat(bytes));
        const { attributes, etag } = open.info;
        await engine.put(name, { body, attributes, conditions: {} });
        return { etag };
      },
    }),
    breaks: ["rename-atomic", "rename-once"],
  },
  {
    title: "ranges begin one byte late",
    change: (engine) => ({
      get: async (name, key) => {
        const open = await engine.get(name, key);
        const late = (from: number) => (from > 0 && from < open.info.sizeBytes - 1 ? 1 : 0);
        return {
          ...open,
          read: async function* read(from: number, to: number) {
            const shift = to < open.info.sizeBytes ? late(from) : 0;
            yield* chunksOf(open.read(from + shift, to + shift));
          },
        };
      },
    }),
    breaks: ["ranges"],
  },
];

for (const { title, change, breaks } of FAULTS) {
  test(`where ${title}, ${breaks.join(", ")} fail and nothing else`, async (t) => {
    const promises = PROMISES.filter(({ name }) => breaks.includes(name) || !SLOW.includes(name));
    const report = await prove(await serverWith(t, change), { promises });
    assert.deepEqual(broken(report), breaks);
  });
}

test("what a server says it does not offer is not called broken", async (t) => {
  const target = await serverWith(t, () => ({
    rename: () => {
      throw new S3Error("NotImplemented", { Operation: "RenameObject" });
    },
  }));
  const promises = PROMISES.filter(({ name }) => name.startsWith("rename"));
  const report = await prove(target, { promises });
  assert.deepEqual(
    report.promises.map(({ verdict }) => verdict),
    ["not offered", "not offered"],
  );
});

function broken({ promises }: ProveReport): readonly string[] {
  return promises.filter(({ verdict }) => verdict === "fail").map(({ name }) => name);
}

/** Lets others have so many turns of the event loop. */
async function turns(count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) await new Promise((resolve) => setImmediate(resolve));
}

const lists = new Map<string, Promise<ListPage>>();

/** Of before the last write, where somebody asked then. */
async function oldList(
  engine: Engine,
  bucket: Parameters<Engine["list"]>[0],
  ask: Parameters<Engine["list"]>[1],
): Promise<ListPage> {
  const isAsked = ask.prefix.startsWith("list-after-write");
  const page = engine.list(bucket, ask);
  if (!isAsked) return await page;
  const name = `${bucket.id}/${ask.prefix}`;
  const old = lists.get(name) ?? Promise.resolve({ ...(await page), objects: [] });
  lists.set(name, page);
  return await old;
}

function unclaimed(body: Body): Body {
  const none = { md5: undefined, sha256: undefined, checksum: undefined };
  return { ...body, claims: () => none };
}

async function asFarAsItCame(body: Body): Promise<Body> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of body.chunks) chunks.push(Buffer.from(chunk));
  } catch {
    return bodyOf(Buffer.concat(chunks));
  }
  const bytes = Buffer.concat(chunks);
  return { ...body, ...pick(bodyOf(bytes)) };
}

function pick({ chunks, sizeBytes }: Body) {
  return { chunks, sizeBytes };
}

function bodyOf(bytes: Buffer): Body {
  return {
    sizeBytes: bytes.length,
    chunks: (async function* whole() {
      yield bytes;
    })(),
    algorithm: undefined,
    hasSha256: false,
    claims: () => ({ md5: undefined, sha256: undefined, checksum: undefined }),
  };
}

async function* chunksOf(
  content: Uint8Array | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (content instanceof Uint8Array) yield content;
  else yield* content;
}
