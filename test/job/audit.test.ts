import assert from "node:assert/strict";
import { readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import type { DataPlaneRecord } from "#audit/record.ts";
import { AuditSpool } from "#audit/spool.ts";
import { systemClock } from "#base/clock.ts";
import { StorageError } from "#base/error.ts";
import { makeLog } from "#base/log.ts";
import { MemoryBlobStore } from "#blob/memory.ts";
import { Catalog } from "#catalog/catalog.ts";
import { type AuditJob, Deliveries, deliverAll } from "#job/audit.ts";
import { MemoryMetaStore } from "#meta/memory.ts";
import { bucketName, objectKey } from "#object/name.ts";
import { TEST_KEYRING } from "#test/support/keyring.ts";
import { MovableClock } from "#test/support/movable-clock.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";
import { VersionedEngine } from "#versioned/engine.ts";

const BUCKET = bucketName("cw-ab1cd2-audit-logs");
const STREAM = { organizationId: "ab1cd2", plane: "data-plane" } as const;

async function parts() {
  const root = await temporaryDirectory();
  const meta = new MemoryMetaStore();
  const catalog = new Catalog(meta, systemClock);
  const engine = new VersionedEngine({
    meta,
    blobs: new MemoryBlobStore(),
    clock: systemClock,
    limits: { inlineBytesMax: 1_000_000, partBytesMin: 1 },
    keyring: TEST_KEYRING,
  });
  const lost: number[] = [];
  const spool = await AuditSpool.open({
    root,
    owner: "1",
    clock: systemClock,
    batchMs: 60_000,
    lost: (count) => lost.push(count),
  });
  const job: AuditJob = {
    root,
    catalog,
    engine,
    clock: systemClock,
    region: "us-east-1",
    heirOf: async (organizationId) => (organizationId === "gone" ? "ab1cd2" : undefined),
    batchMs: 60_000,
    count: () => undefined,
    log: makeLog({ pretty: false, access: false, to: 2 }),
    signal: new AbortController().signal,
  };
  return { root, catalog, engine, spool, job, lost };
}

function record(requestId: string): DataPlaneRecord {
  return {
    action: "s3:GetObject",
    "aws:arn": "arn:aws:iam::ab1cd2:coreweave/admin",
    principal: "coreweave/admin",
    timestamp: "2026-01-02T03:04:05.678Z",
    sourceIp: "127.0.0.1",
    host: "localhost",
    bucketName: "bucket",
    key: "key",
    versionId: undefined,
    accessKeyId: "CWABCDEFGHIJKLMN",
    requestId,
    status: 200,
    code: undefined,
    bytesReceived: 0,
    bytesSent: 5,
    durationMs: 1,
  };
}

async function delivered({ catalog, engine }: Awaited<ReturnType<typeof parts>>) {
  const bucket = await catalog.bucket(BUCKET);
  const ask = { prefix: "", delimiter: "", after: "", limit: 100 };
  const { objects } = await engine.list(bucket, ask);
  const texts: string[] = [];
  for (const { key, sizeBytes } of objects) {
    const object = await engine.get({ bucket, key: objectKey(key) });
    const chunks: Uint8Array[] = [];
    const bytes = object.read(0, sizeBytes);
    if (bytes instanceof Uint8Array) chunks.push(bytes);
    else for await (const chunk of bytes) chunks.push(Buffer.from(chunk));
    texts.push(gunzipSync(Buffer.concat(chunks)).toString());
  }
  return { keys: objects.map(({ key }) => key), texts };
}

function textOf(requestId: number): string {
  return `${JSON.stringify(record(String(requestId)))}\n`;
}

test("records of a clean stop are all delivered, in order, into the organization's bucket", async () => {
  const audit = await parts();
  const ids = Array.from({ length: 1_000 }, (_, index) => String(index));

  for (const id of ids) audit.spool.append(STREAM, record(id));
  await audit.spool.close();
  await deliverAll(audit.job);

  const { keys, texts } = await delivered(audit);
  assert.equal(keys.length, 1);
  assert.match(
    keys[0] ?? "",
    /^data-plane\/\d{4}\/\d\d\/\d\d\/\d\d\/\d{8}T\d{6}Z-1-1\.ndjson\.gz$/,
  );
  const lines = (texts[0] ?? "").trimEnd().split("\n");
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as DataPlaneRecord).requestId),
    ids,
  );
  assert.deepEqual(JSON.parse(lines[7] ?? ""), JSON.parse(JSON.stringify(record("7"))));
  assert.deepEqual(await readdir(audit.root), []);
  assert.deepEqual(audit.lost, []);
});

test("each plane of each organization has a file of its own", async () => {
  const audit = await parts();
  audit.spool.append(STREAM, record("1"));
  audit.spool.append({ ...STREAM, plane: "control-plane" }, record("2"));
  audit.spool.append({ ...STREAM, organizationId: "other" }, record("3"));

  await audit.spool.close();
  await deliverAll(audit.job);

  const { keys } = await delivered(audit);
  assert.deepEqual(
    keys.map((key) => key.split("/")[0]),
    ["control-plane", "data-plane"],
  );
  const other = await audit.catalog.bucket(bucketName("cw-other-audit-logs"));
  assert.equal(other.organizationId, "other");
});

test("what an organization that was deleted has left goes to its heir, apart from the heir's own", async () => {
  const audit = await parts();
  audit.spool.append({ organizationId: "gone", plane: "control-plane" }, record("1"));

  await audit.spool.close();
  await deliverAll(audit.job);

  const { keys, texts } = await delivered(audit);
  assert.equal(keys.length, 1);
  assert.match(keys[0] ?? "", /^deleted\/gone\/control-plane\//);
  assert.deepEqual(texts, [`${JSON.stringify(record("1"))}\n`]);
  assert.equal(await audit.catalog.find(bucketName("cw-gone-audit-logs")), undefined);
});

test("what cannot be delivered to one organization keeps no other waiting, is told once, and comes in order later", async () => {
  const audit = await parts();
  const told: unknown[] = [];
  const failing = { on: true };
  const job: AuditJob = {
    ...audit.job,
    log: { ...audit.job.log, error: (_, cause) => told.push(String(cause)) },
    heirOf: async (organizationId) => {
      if (failing.on && organizationId === "aaa") throw new StorageError("corrupt", "unreadable");
      return undefined;
    },
  };
  const write = async (organizationId: string, at: number) => {
    const name = `${organizationId}.data-plane.${1_767_323_045_678 + at}-7-${at}.ready`;
    await writeFile(join(audit.root, name), `${JSON.stringify(record(String(at)))}\n`);
  };
  for (let at = 0; at < 4; at += 1) await write(at % 2 === 0 ? "aaa" : "ab1cd2", at);
  const deliveries = new Deliveries(job);

  await deliveries.all();
  await deliveries.all();

  assert.deepEqual((await delivered(audit)).texts, [1, 3].map(textOf));
  assert.deepEqual(told, ["StorageError: unreadable"]);
  assert.equal((await readdir(audit.root)).length, 2);
  failing.on = false;
  await deliveries.all();
  assert.deepEqual(await readdir(audit.root), []);
  failing.on = true;
  await write("aaa", 5);
  await deliveries.all();
  assert.equal(told.length, 2);
});

test("a batch that was delivered but not removed is delivered again under the same key", async () => {
  const audit = await parts();
  const name = "ab1cd2.data-plane.1767323045678-7-1.ready";
  const text = `${JSON.stringify(record("1"))}\n`;
  await writeFile(join(audit.root, name), text);
  await deliverAll(audit.job);
  await writeFile(join(audit.root, name), text);

  await deliverAll(audit.job);

  const { keys, texts } = await delivered(audit);
  assert.deepEqual(keys, ["data-plane/2026/01/02/03/20260102T030405Z-7-1.ndjson.gz"]);
  assert.deepEqual(texts, [text]);
});

test("what a killed process left is adopted, without the half of a line at its end", async () => {
  const audit = await parts();
  const path = join(audit.root, "ab1cd2.data-plane.1767323045678-7-1.open");
  const whole = `${JSON.stringify(record("1"))}\n`;
  await writeFile(path, `${whole}{"action":"s3:Get`);
  await deliverAll(audit.job);
  assert.equal((await readdir(audit.root)).length, 1, "a file that may still be written stays");
  const longAgo = new Date(systemClock.now() - 10 * 60_000);
  await utimes(path, longAgo, longAgo);

  await deliverAll(audit.job);

  assert.deepEqual((await delivered(audit)).texts, [whole]);
});

test("what a killed process left before the clock was set back is adopted when nobody has written to it for as long as else", async () => {
  const audit = await parts();
  const path = join(audit.root, "ab1cd2.data-plane.1767225600000-9-1.open");
  await writeFile(path, textOf(1));
  const aheadSeconds = systemClock.now() / 1_000 + 10 * 86_400;
  await utimes(path, aheadSeconds, aheadSeconds);
  const clock = new MovableClock(systemClock.now());
  const job = { ...audit.job, clock };

  await deliverAll(job);
  const early = await readdir(audit.root);
  clock.move(job.batchMs + 120_000);
  await deliverAll(job);

  assert.equal(early.length, 1);
  assert.deepEqual((await delivered(audit)).texts, [textOf(1)]);
});

test("records that cannot be written are counted as lost", async () => {
  const audit = await parts();
  const gone = await AuditSpool.open({
    root: join(audit.root, "directory"),
    owner: "1",
    clock: systemClock,
    batchMs: 60_000,
    lost: (count) => audit.lost.push(count),
  });
  await rm(join(audit.root, "directory"), { recursive: true });
  gone.append(STREAM, record("1"));
  gone.append(STREAM, record("2"));

  await gone.close();

  assert.deepEqual(audit.lost, [2]);
});

test("a record of which nobody can tell whether it is wanted is counted as lost, and others are kept", async () => {
  const audit = await parts();
  const root = join(audit.root, "directory");
  const spool = await AuditSpool.open({
    ...{ root, owner: "1", clock: systemClock, batchMs: 60_000 },
    lost: (count) => audit.lost.push(count),
  });
  spool.appendIf(Promise.reject(new Error("unreadable")), STREAM, record("1"));
  spool.appendIf(Promise.resolve(false), STREAM, record("2"));
  // Still undecided when the spool is closed.
  const later = new Promise<boolean>((resolve) => setImmediate(resolve, true));
  spool.appendIf(later, STREAM, record("3"));

  await spool.close();

  assert.deepEqual(audit.lost, [1]);
  const [name = ""] = await readdir(root);
  const kept: DataPlaneRecord = JSON.parse(await readFile(join(root, name), "utf8"));
  assert.equal(kept.requestId, "3");
});
