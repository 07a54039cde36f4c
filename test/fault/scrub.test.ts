/** A running server reads what it stores again by itself, and tells what a disk has changed in it. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "#base/clock.ts";
import { JobPlace } from "#catalog/job-place.ts";
import { SCRUB, type ScrubRecord } from "#job/scrub-record.ts";
import { LmdbMetaStore } from "#meta/lmdb.ts";
import { call, makeBucket, put } from "#test/fault/call.ts";
import { type RealServer, startRealServer } from "#test/support/real-server.ts";

const MIB = 2 ** 20;
const MONTH_MS = 31 * 86_400_000;
const TOKEN = "operator-token-of-the-scrub";

interface Pass {
  readonly startTime: string;
  readonly bytes: string;
  readonly blobs: string;
  readonly damaged: string;
  readonly damages: readonly {
    readonly kind: string;
    readonly bucketName: string;
    readonly key: string;
  }[];
}

interface Status {
  readonly state: string;
  readonly current?: Pass;
  readonly last?: Pass;
}

test("a byte that flips in a blob, and one in an inline object, are found, named and counted, over a restart", async (t) => {
  const environment = { LODE_ADMIN_TOKEN: TOKEN };
  const written = await startRealServer(t, { environment });
  const { dataDirectory } = written;
  const bucket = await makeBucket(written, "scrubbed");
  const [first, small, last] = [randomBytes(MIB), randomBytes(1_000), randomBytes(MIB + 1)];
  const whole = Array.from({ length: 8 }, () => randomBytes(MIB));
  await put(written, `${bucket}/a-first`, first);
  for (const [index, body] of whole.entries()) await put(written, `${bucket}/m-${index}`, body);
  await put(written, `${bucket}/y-small`, small);
  await put(written, `${bucket}/z-last`, last);
  assert.equal(await written.stop(), 0);
  await makeDue(dataDirectory);
  flipInBlobs(dataDirectory, [first, last]);
  flipInMetadata(dataDirectory, small);

  // So slowly that it is cut off between the first and the last.
  const slow = ["--scrub-rate", "1"];
  const cut = await startRealServer(t, { environment, dataDirectory, flags: slow });
  const before = await until(cut, ({ current }) => current?.damaged === "1");
  assert.equal(await cut.stop(), 0);
  const fast = ["--scrub-rate", "1000"];
  const server = await startRealServer(t, { environment, dataDirectory, flags: fast });
  const { last: pass } = await until(server, ({ state }) => state === "waiting");

  assert.equal(pass?.startTime, before.current?.startTime, "it went on where it was");
  assert.deepEqual(
    pass?.damages.map(({ kind, bucketName, key }) => [kind, bucketName, key]),
    [
      ["blob-damaged", "scrubbed", "a-first"],
      ["unreadable-record", "scrubbed", "y-small"],
      ["blob-damaged", "scrubbed", "z-last"],
    ],
  );
  assert.equal(pass?.blobs, String(whole.length), "no blob was read to the end twice");
  const metrics = await (await fetch(`${server.adminEndpoint}/metrics`)).text();
  assert.match(metrics, /^lode_scrub_damaged 3$/m);
  assert.match(metrics, /^lode_scrub_found_total\{kind="unreadable-record"\} 1$/m);
  // What is whole is served, and what is damaged never as if it were.
  assert.deepEqual((await call(server, { method: "GET", path: `${bucket}/m-0` })).body, whole[0]);
  assert.equal((await call(server, { method: "GET", path: `${bucket}/y-small` })).status, 500);
  await assert.rejects(call(server, { method: "GET", path: `${bucket}/a-first` }));
});

/** As if it had begun a month ago. */
async function makeDue(dataDirectory: string): Promise<void> {
  await using meta = new LmdbMetaStore(join(dataDirectory, "metadata"));
  const place = new JobPlace<ScrubRecord>(meta, systemClock, SCRUB);
  const held = await place.take("the test", 60_000);
  assert.ok(held?.place);
  await held.release({ ...held.place, startedMs: held.place.startedMs - MONTH_MS });
}

function flipInBlobs(dataDirectory: string, bodies: readonly Buffer[]): void {
  const files = readdirSync(join(dataDirectory, "blobs"), { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .map((each) => join(each.parentPath, each.name));
  for (const body of bodies) {
    const path = files.find((each) => readFileSync(each).subarray(0, body.length).equals(body));
    assert.ok(path);
    writeFileSync(path, flippedAt(readFileSync(path), body.length >> 1));
  }
}

/** In every page that has the bytes: those that are free still hold what stood there. */
function flipInMetadata(dataDirectory: string, bytes: Buffer): void {
  const path = join(dataDirectory, "metadata", "data.mdb");
  let file: Buffer = readFileSync(path);
  let count = 0;
  for (let at = file.indexOf(bytes); at >= 0; at = file.indexOf(bytes, at + 1)) {
    file = flippedAt(file, at + 500);
    count += 1;
  }
  assert.ok(count > 0);
  writeFileSync(path, file);
}

function flippedAt(bytes: Buffer, at: number): Buffer {
  const other = Buffer.from(bytes);
  other[at] = (other[at] ?? 0) ^ 0x10;
  return other;
}

/** The runner's own limit ends it when that never comes. */
async function until(server: RealServer, holds: (status: Status) => boolean): Promise<Status> {
  for (;;) {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const reply = await fetch(`${server.adminEndpoint}/v1/lode/scrub`, { headers });
    assert.equal(reply.status, 200);
    const status = (await reply.json()) as Status;
    if (holds(status)) return status;
    await systemClock.sleep(50);
  }
}
