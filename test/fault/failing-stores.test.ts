/** Stores that fail at each step of a write, over a whole server in this process. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { StorageError } from "#base/error.ts";
import { MemoryBlobStore } from "#blob/memory.ts";
import type { BlobWriter, FinishedBlob } from "#blob/store.ts";
import { MemoryMetaStore } from "#meta/memory.ts";
import type { Change } from "#meta/store.ts";
import { call, expectCall, makeBucket, put, type Sent, sentUpload } from "#test/fault/call.ts";
import { startInProcess } from "#test/fault/in-process.ts";

type Step = "commit" | "create" | "write" | "finish";
type Kind = StorageError["kind"];

/** What fails next, and as what; nothing when `step` is undefined. */
class Fault {
  step: Step | undefined;
  kind: Kind = "full";

  check(step: Step): void {
    if (this.step === step) throw new StorageError(this.kind, `${step} fails, as the test asks`);
  }
}

class FailingMetaStore extends MemoryMetaStore {
  readonly #fault: Fault;

  constructor(fault: Fault) {
    super();
    this.#fault = fault;
  }

  override async commit(change: Change): Promise<number | undefined> {
    this.#fault.check("commit");
    return await super.commit(change);
  }
}

class FailingBlobStore extends MemoryBlobStore {
  readonly #fault: Fault;

  constructor(fault: Fault) {
    super();
    this.#fault = fault;
  }

  async count(): Promise<number> {
    return (await Array.fromAsync(this.list())).length;
  }

  override async create(): Promise<BlobWriter> {
    this.#fault.check("create");
    return new FailingWriter(await super.create(), this.#fault);
  }
}

class FailingWriter implements BlobWriter {
  readonly #inner: BlobWriter;
  readonly #fault: Fault;
  #bytes = 0;

  constructor(inner: BlobWriter, fault: Fault) {
    this.#inner = inner;
    this.#fault = fault;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#bytes += chunk.length;
    if (this.#bytes > 100_000) this.#fault.check("write");
    await this.#inner.write(chunk);
  }

  async finish(): Promise<FinishedBlob> {
    this.#fault.check("finish");
    return await this.#inner.finish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }
}

const BODY = Buffer.alloc(3_000_000, "body ");
const MESSAGES: Readonly<Record<string, RegExp>> = {
  full: /The server's disk is full: nothing was stored/,
  unavailable: /Service is unable to handle request/,
};
const FAULTS: readonly (readonly [Step, Kind])[] = [
  ["create", "full"],
  ["write", "full"],
  ["finish", "full"],
  ["commit", "full"],
  ["write", "unavailable"],
  ["commit", "unavailable"],
];

for (const [step, kind] of FAULTS) {
  test(`a PutObject whose ${step} fails with ${kind} is answered 503, and leaves the key as it was`, async (t) => {
    const { fault, server, bucket, blobs } = await serve(t);
    await put(server, `${bucket}/key`, "before");
    Object.assign(fault, { step, kind });
    for (const path of [`${bucket}/key`, `${bucket}/new`]) {
      const { status, code, body } = await call(server, { method: "PUT", path, body: BODY });
      assert.deepEqual([status, code], [503, "ServiceUnavailable"]);
      assert.match(body.toString(), MESSAGES[kind] ?? /^$/);
    }
    fault.step = undefined;
    // Of a commit whose outcome is unknown the blob must stay.
    if (kind === "full") assert.equal(await blobs.count(), 0);
    assert.equal((await get(server, `${bucket}/key`)).body.toString(), "before");
    assert.equal((await get(server, `${bucket}/new`)).code, "NoSuchKey");
    await put(server, `${bucket}/key`, BODY);
    assert.ok((await get(server, `${bucket}/key`)).body.equals(BODY));
  });
}

test("each operation that writes answers a full disk with 503, and has changed nothing", async (t) => {
  const { fault, server, bucket } = await serve(t);
  await put(server, `${bucket}/key`, "before");
  const { uploadId, complete } = await sentUpload(server, {
    path: `${bucket}/upload`,
    parts: [Buffer.from("part")],
  });
  const part = `${bucket}/upload?partNumber=1&uploadId=${uploadId}`;
  const copy = { "x-amz-copy-source": `${bucket}/key` };
  const writes: readonly Sent[] = [
    { method: "PUT", path: "/another" },
    { method: "PUT", path: `${bucket}/copy`, headers: copy },
    { method: "PUT", path: part, body: "another" },
    { method: "POST", path: `${bucket}/other?uploads` },
    { method: "DELETE", path: `${bucket}/key` },
    { method: "DELETE", path: `${bucket}/upload?uploadId=${uploadId}` },
    complete,
    { method: "PUT", path: `${bucket}/key?tagging`, body: "<Tagging><TagSet/></Tagging>" },
  ];
  const state = async () => {
    const paths = [
      "/",
      `${bucket}?versions`,
      `${bucket}?uploads`,
      `${bucket}/upload?uploadId=${uploadId}`,
    ];
    const answers = paths.map((path) => expectCall(server, { method: "GET", path }));
    return (await Promise.all(answers)).map(({ body }) => body.toString());
  };
  const before = await state();
  fault.step = "commit";
  for (const sent of writes) {
    const { status, code, body } = await call(server, sent);
    assert.deepEqual([status, code], [503, "ServiceUnavailable"], `${sent.method} ${sent.path}`);
    assert.match(body.toString(), /The server's disk is full/);
  }
  assert.deepEqual(await state(), before);
  fault.step = undefined;
  await expectCall(server, complete);
  assert.equal((await get(server, `${bucket}/upload`)).body.toString(), "part");
});

async function serve(t: Parameters<typeof startInProcess>[0]) {
  const fault = new Fault();
  const blobs = new FailingBlobStore(fault);
  const server = await startInProcess(t, { meta: new FailingMetaStore(fault), blobs });
  return { fault, server, blobs, bucket: await makeBucket(server, "failing") };
}

async function get(server: Parameters<typeof call>[0], path: string) {
  return await call(server, { method: "GET", path });
}
