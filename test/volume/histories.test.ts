/** Random histories in which S3 and other programs write to one tree, against a model of it. */
import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { PartInfo } from "#object/engine.ts";
import { md5, refused } from "#test/contract/engine-objects.ts";
import { above, type FileModel, TreeModel } from "#test/volume/tree-model.ts";
import { listAll, newRoot, type TestVolume, testVolume } from "#test/volume/volume.ts";
import { Volume } from "#volume/volume.ts";

const LONG = process.env["LODE_LONG"] === "1";

const path = fc.constantFrom("a", "a/b", "a/b/c", "a-", "d", "d/x", "d/y/z", "é%");
const bytes = fc
  .constantFrom("", "one", "two two", "x".repeat(70_000))
  .map((text) => Buffer.from(text));

const step = fc.oneof(
  fc.record({ by: fc.constant("put" as const), path, bytes }),
  fc.record({
    by: fc.constant("upload" as const),
    path,
    parts: fc.array(bytes, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ by: fc.constant("directory" as const), path }),
  fc.record({ by: fc.constant("delete" as const), path }),
  fc.record({ by: fc.constant("deleteDirectory" as const), path }),
  fc.record({ by: fc.constant("copy" as const), path, to: path }),
  fc.record({ by: fc.constant("rename" as const), path, to: path, only: fc.boolean() }),
  fc.record({ by: fc.constant("renameDirectory" as const), path, to: path }),
  fc.record({ by: fc.constant("write" as const), path, bytes }),
  fc.record({ by: fc.constant("append" as const), path }),
  fc.record({ by: fc.constant("mkdir" as const), path }),
  fc.record({ by: fc.constant("rm" as const), path }),
  fc.record({ by: fc.constant("mv" as const), path, to: path }),
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;
type StepOf<By extends Step["by"]> = Extract<Step, { readonly by: By }>;

test("whatever S3 and other programs do to a tree, both see what was done", async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 25, size: "max" }),
      async (steps) => {
        const root = await newRoot(t);
        await using volume = await Volume.open({ root });
        await new History(testVolume(root, volume)).run(steps);
      },
    ),
    { numRuns: LONG ? 2_000 : 25 },
  );
});

class History {
  readonly #volume: TestVolume;
  readonly #model = new TreeModel();

  constructor(volume: TestVolume) {
    this.#volume = volume;
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const each of steps) {
      await this.#do(each);
      await this.#compare(each);
    }
  }

  async #compare(last: Step): Promise<void> {
    const said = `after ${JSON.stringify(last)}`;
    const { s3 } = this.#volume;
    const listed = await listAll(this.#volume, { limit: 3 });
    assert.deepEqual(
      listed.map(({ key }) => key),
      this.#model.keys(),
      said,
    );
    for (const { key, etag, sizeBytes } of listed) {
      const file = this.#model.file(key);
      if (file === undefined) continue;
      assert.equal(etag.endsWith("-0") ? "derived" : etag, file.etag, `${said}: ${key}`);
      assert.equal((await s3.head(key)).etag, etag);
      assert.equal(sizeBytes, file.bytes.length);
      assert.ok(file.bytes.equals(await s3.bytes(key)), `${said}: ${key}`);
    }
  }

  async #do(each: Step): Promise<void> {
    switch (each.by) {
      case "put":
        return await this.#write(each.path, this.#volume.s3.put(each.path, each.bytes), {
          ...{ bytes: each.bytes, etag: md5(each.bytes) },
        });
      case "upload":
        return await this.#upload(each);
      case "directory":
        return await this.#directory(each);
      case "delete":
        await this.#volume.s3.delete(each.path);
        if (this.#model.isFile(each.path)) this.#model.remove(each.path);
        return;
      case "deleteDirectory":
        await this.#volume.s3.delete(`${each.path}/`);
        if (this.#model.isDirectory(each.path) && this.#model.isEmpty(each.path)) {
          this.#model.remove(each.path);
        }
        return;
      case "copy":
        return await this.#copy(each);
      case "rename":
        return await this.#rename(each);
      case "renameDirectory":
        return await this.#renameDirectory(each);
      default:
        this.#elsewhere(each);
    }
  }

  async #write(at: string, done: Promise<unknown>, file: FileModel): Promise<void> {
    if (!this.#model.canWrite(at)) return await refused(done, "InvalidArgument");
    await done;
    this.#model.write(at, file);
  }

  async #upload({ path: at, parts }: StepOf<"upload">): Promise<void> {
    const { s3 } = this.#volume;
    if (!this.#model.canWrite(at)) return await refused(s3.create(at), "InvalidArgument");
    const upload = await s3.create(at);
    const sent: PartInfo[] = [];
    for (const [index, part] of parts.entries()) sent.push(await s3.part(upload, index + 1, part));
    const md5s = Buffer.concat(sent.map(({ etag }) => Buffer.from(etag, "hex")));
    const file = { bytes: Buffer.concat(parts), etag: `${md5(md5s)}-${parts.length}` };
    await this.#write(at, s3.complete(upload, sent), file);
  }

  async #directory({ path: at }: StepOf<"directory">): Promise<void> {
    const done = this.#volume.s3.put(`${at}/`, "");
    if (!this.#model.isReachable(at) || this.#model.isFile(at)) {
      return await refused(done, "InvalidArgument");
    }
    await done;
    this.#model.makeDirectories([...above(at), at]);
  }

  async #copy({ path: from, to }: StepOf<"copy">): Promise<void> {
    const done = this.#volume.s3.copy(from, to);
    const source = this.#model.file(from);
    if (source === undefined) return await refused(done, "NoSuchKey");
    // A copy that reads the bytes knows their MD5; one onto itself reads none.
    const etag = source.etag === "derived" && from !== to ? md5(source.bytes) : source.etag;
    await this.#write(to, done, { bytes: source.bytes, etag });
  }

  async #rename({ path: from, to, only }: StepOf<"rename">): Promise<void> {
    const conditions = only ? { ifNoneMatch: "*" } : {};
    const done = this.#volume.s3.rename(from, to, { conditions });
    if (!this.#model.isFile(from)) return await refused(done, "NoSuchKey");
    if (only && this.#model.isFile(to)) return await refused(done, "PreconditionFailed");
    if (from === to) return void (await done);
    if (!this.#model.canWrite(to)) return await refused(done, "InvalidArgument");
    await done;
    this.#model.move(from, to);
  }

  async #renameDirectory({ path: from, to }: StepOf<"renameDirectory">): Promise<void> {
    const done = this.#volume.s3.rename(`${from}/`, `${to}/`);
    const isInto = to.startsWith(`${from}/`);
    if (isInto) return await refused(done, "InvalidRequest");
    if (!this.#model.isDirectory(from)) return await refused(done, "NoSuchKey");
    if (from === to) return void (await done);
    const isFull = this.#model.isDirectory(to) && !this.#model.isEmpty(to);
    if (isFull) return await refused(done, "InvalidRequest");
    if (!this.#model.isReachable(to) || this.#model.isFile(to)) {
      return await refused(done, "InvalidArgument");
    }
    await done;
    this.#model.move(from, to);
  }

  /** Another program does it, where the system lets it. */
  #elsewhere(each: StepOf<"write" | "append" | "mkdir" | "rm" | "mv">): void {
    const { at } = this.#volume;
    const model = this.#model;
    const there = model.file(each.path);
    if (each.by === "write" && model.canWrite(each.path)) {
      mkdirSync(dirname(at(each.path)), { recursive: true });
      writeFileSync(at(each.path), each.bytes);
      model.write(each.path, { bytes: each.bytes, etag: "derived" });
    } else if (each.by === "append" && there !== undefined) {
      appendFileSync(at(each.path), "+");
      const grown = Buffer.concat([there.bytes, Buffer.from("+")]);
      model.write(each.path, { bytes: grown, etag: "derived" });
    } else if (each.by === "mkdir" && model.isReachable(each.path) && there === undefined) {
      mkdirSync(at(each.path), { recursive: true });
      model.makeDirectories([...above(each.path), each.path]);
    } else if (each.by === "rm") {
      rmSync(at(each.path), { recursive: true, force: true });
      model.remove(each.path);
    } else if (each.by === "mv" && there !== undefined && model.canWrite(each.to)) {
      mkdirSync(dirname(at(each.to)), { recursive: true });
      renameSync(at(each.path), at(each.to));
      if (each.path !== each.to) model.move(each.path, each.to);
    }
  }
}
