/** Races on one key and one bucket, over a server with several worker processes. */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import {
  call,
  expectCall,
  type Got,
  listKeys,
  makeBucket,
  put,
  sentUpload,
  type Target,
} from "#test/fault/call.ts";
import { startRealServer } from "#test/support/real-server.ts";

const WRITERS = 32;
const ROUNDS = 10;
/** Goes to a file. */
const LARGE_BYTES = 70_000;
const LOST = ["ConditionalRequestConflict", "PreconditionFailed"];

test("concurrent requests to several workers leave what some order of them would", async (t) => {
  const server = await startRealServer(t, { workers: 4 });
  const bucket = await makeBucket(server, "races");

  await t.test("exactly one of 32 writers with If-None-Match: * wins, each time", async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const path = `${bucket}/create-${round}`;
      const answers = await race(server, { path, round, headers: { "if-none-match": "*" } });
      await requireOneWinner(server, path, answers);
    }
  });

  await t.test("the losers leave no bytes behind", async () => {
    const path = `${bucket}/large`;
    const headers = { "if-none-match": "*" };
    const answers = await race(server, { path, round: 0, headers, sizeBytes: LARGE_BYTES });
    await requireOneWinner(server, path, answers);
    const directories = await readdir(join(server.dataDirectory, "blobs"), { recursive: true });
    assert.equal(directories.filter((name) => /[0-9a-f]{32}\.sum$/.test(name)).length, 1);
  });

  await t.test("exactly one of 32 writers with If-Match of one ETag wins, each time", async () => {
    const path = `${bucket}/swap`;
    let { etag = "" } = (await put(server, path, "first")).headers;
    for (let round = 0; round < ROUNDS; round += 1) {
      const answers = await race(server, { path, round, headers: { "if-match": etag } });
      etag = await requireOneWinner(server, path, answers);
    }
  });

  await t.test(
    "of 32 renames onto one key that must not exist one wins, and the other sources stay",
    async () => {
      for (let round = 0; round < ROUNDS; round += 1) await renameOntoOneKey(server, bucket, round);
    },
  );

  await t.test("of 32 renames of one object one wins, and it is at one key only", async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const source = `${bucket}/moved-${round}`;
      await put(server, source, `moved ${round}`);
      const targets = Array.from({ length: WRITERS }, (_, at) => `${bucket}/to-${round}-${at}`);
      const answers = await Promise.all(targets.map((path) => call(server, rename(path, source))));
      assert.equal(answers.filter(({ status }) => status === 200).length, 1);
      assert.deepEqual(new Set(codes(answers)), new Set(["NoSuchKey"]));
      const found = await Promise.all(
        [source, ...targets].map((path) => call(server, { method: "GET", path })),
      );
      assert.equal(found.filter(({ status }) => status === 200).length, 1);
    }
  });

  await t.test(
    "unconditional writers of one key all succeed, and one of them stays, whole",
    async () => {
      const path = `${bucket}/last`;
      for (let round = 0; round < ROUNDS; round += 1) {
        const answers = await race(server, { path, round, sizeBytes: LARGE_BYTES });
        assert.deepEqual(statuses(answers), new Set([200]));
        const { body, headers } = await expectCall(server, { method: "GET", path });
        const writer = answers.findIndex((answer) => answer.headers.etag === headers.etag);
        assert.equal(body.toString(), bodyOf({ round, writer, sizeBytes: LARGE_BYTES }));
      }
    },
  );

  await t.test(
    "of 16 completions of one upload all answer the same object, or that it is gone",
    async () => {
      for (let round = 0; round < 3; round += 1) {
        const path = `${bucket}/upload-${round}`;
        const parts = [Buffer.alloc(5 * 2 ** 20, round), Buffer.from(`last ${round}`)];
        const { complete } = await sentUpload(server, { path, parts });
        const answers = await Promise.all(Array.from({ length: 16 }, () => call(server, complete)));
        const done = answers.filter(({ status }) => status === 200);
        assert.ok(done.length >= 1);
        assert.equal(
          new Set(done.map(({ body }) => /<ETag>.*<\/ETag>/.exec(body.toString())?.[0])).size,
          1,
        );
        const refused = answers.filter(({ status }) => status !== 200).map(({ code }) => code);
        assert.deepEqual(
          refused.filter((code) => code !== "NoSuchUpload"),
          [],
        );
        const { body } = await expectCall(server, { method: "GET", path });
        assert.ok(body.equals(Buffer.concat(parts)));
      }
    },
  );

  await t.test(
    "a bucket that is deleted under writers keeps no object, and a new one has none",
    async () => {
      for (let round = 0; round < ROUNDS; round += 1) await deleteUnderWriters(server, round);
    },
  );

  await t.test("what was acknowledged is read, and listed, by every worker at once", async () => {
    const own = await makeBucket(server, "read-after-write");
    await Promise.all(
      Array.from({ length: 8 }, async (_, writer) => {
        for (let index = 0; index < ROUNDS; index += 1) {
          const key = `${writer}-${index}`;
          await put(server, `${own}/${key}`, key);
          const read = () => call(server, { method: "GET", path: `${own}/${key}` });
          const list = { method: "GET", path: `${own}?list-type=2&prefix=${key}` };
          const answers = await Promise.all([read(), read(), call(server, list)]);
          for (const { status, body } of answers) {
            assert.equal(status, 200);
            assert.ok(body.toString().includes(key));
          }
          await expectCall(server, { method: "DELETE", path: `${own}/${key}` }, 204);
          assert.equal((await read()).code, "NoSuchKey");
        }
      }),
    );
    assert.deepEqual(await listKeys(server, own), []);
  });
});

interface Race {
  readonly path: string;
  readonly round: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly sizeBytes?: number;
}

/** Every writer's body differs, and from those of other rounds. */
async function race(
  server: Target,
  { path, round, headers = {}, sizeBytes }: Race,
): Promise<Got[]> {
  return await Promise.all(
    Array.from({ length: WRITERS }, (_, writer) =>
      call(server, { method: "PUT", path, headers, body: bodyOf({ round, writer, sizeBytes }) }),
    ),
  );
}

function bodyOf(which: { round: number; writer: number; sizeBytes?: number | undefined }): string {
  const { round, writer, sizeBytes = 0 } = which;
  return `${round} of ${writer};`.padEnd(sizeBytes, String(writer));
}
function rename(path: string, source: string, headers: Record<string, string> = {}) {
  const all = { "x-amz-rename-source": source, ...headers };
  return { method: "PUT", path: `${path}?renameObject`, headers: all };
}

function codes(answers: readonly Got[]): string[] {
  return answers.flatMap(({ status, code }) => (status === 200 ? [] : [code ?? ""]));
}

async function renameOntoOneKey(server: Target, bucket: string, round: number): Promise<void> {
  const target = `${bucket}/renamed-${round}`;
  const sources = Array.from({ length: WRITERS }, (_, at) => `${bucket}/from-${round}-${at}`);
  await Promise.all(sources.map((source) => put(server, source, source)));
  const answers = await Promise.all(
    sources.map((source) => call(server, rename(target, source, { "if-none-match": "*" }))),
  );
  assert.equal(answers.filter(({ status }) => status === 200).length, 1);
  assert.ok(
    codes(answers).every((code) => LOST.includes(code)),
    codes(answers).join(),
  );
  const winner = sources[answers.findIndex(({ status }) => status === 200)];
  const { body } = await expectCall(server, { method: "GET", path: target });
  assert.equal(body.toString(), winner);
  const left = await Promise.all(sources.map((path) => call(server, { method: "GET", path })));
  assert.equal(left.filter(({ status }) => status === 200).length, WRITERS - 1);
}

/** The winner's ETag. */
async function requireOneWinner(server: Target, path: string, answers: Got[]): Promise<string> {
  const winners = answers.filter(({ status }) => status === 200);
  const losers = answers.filter(({ status }) => status !== 200);
  assert.equal(winners.length, 1);
  assert.deepEqual(
    losers.filter(({ code = "" }) => !LOST.includes(code)),
    [],
  );
  const { headers } = await expectCall(server, { method: "HEAD", path });
  assert.equal(headers.etag, winners[0]?.headers.etag);
  return headers.etag ?? "";
}

async function deleteUnderWriters(server: Target, round: number): Promise<void> {
  const name = `deleted-${round}`;
  const path = await makeBucket(server, name);
  // Of long bodies the bucket is found well before they are committed.
  const body = "x".repeat(round % 4 === 0 ? 1 : 300_000);
  const write = (writer: number) =>
    call(server, { method: "PUT", path: `${path}/${writer}`, body });
  const early = round % 2 === 1 ? [call(server, { method: "DELETE", path })] : [];
  const writes = Array.from({ length: 8 }, (_, writer) => write(writer));
  const late = Array.from({ length: 8 }, () => call(server, { method: "DELETE", path }));
  const written = await Promise.all(writes);
  const deleted = await Promise.all([...early, ...late]);
  const gone = deleted.some(({ status }) => status === 204);
  const codes = new Set([...written, ...deleted].flatMap(({ code }) => code ?? []));
  for (const code of codes) {
    assert.ok(["NoSuchBucket", "BucketNotEmpty", "OperationAborted"].includes(code), code);
  }
  if (gone) {
    // Whoever was answered 200 wrote to the bucket before it was empty: nobody was.
    assert.deepEqual(
      written.filter(({ status }) => status === 200),
      [],
    );
    assert.equal((await call(server, { method: "GET", path: `${path}/0` })).code, "NoSuchBucket");
    await makeBucket(server, name);
    assert.deepEqual(await listKeys(server, path), []);
  } else {
    const kept = written.flatMap(({ status }, writer) => (status === 200 ? [String(writer)] : []));
    assert.deepEqual(await listKeys(server, path), kept);
  }
}

function statuses(answers: readonly Got[]): Set<number> {
  return new Set(answers.map(({ status }) => status));
}
