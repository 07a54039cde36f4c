/** Lists of directories that other programs made, and change meanwhile. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { ListAsk } from "#object/engine.ts";
import { refused } from "#test/contract/engine-objects.ts";
import { listingOf, type Row } from "#test/model/listing.ts";
import { listAll, openVolume, type TestVolume } from "#test/volume/volume.ts";
import { SortedNames } from "#volume/sorted-names.ts";

const NAMES = [
  "a",
  "a-",
  "a.",
  "a b",
  "a0",
  "aa",
  "b",
  "A",
  "é",
  "\u{10000}",
  "\uFFFD",
  "50%",
  "!",
];

/** A directory as an object, a file as null. */
interface Tree {
  readonly [name: string]: Tree | null;
}

const { tree } = fc.letrec<{ tree: Tree; node: Tree | null }>((tie) => ({
  tree: fc.dictionary(fc.constantFrom(...NAMES), tie("node"), { maxKeys: 6 }),
  node: fc.oneof({ maxDepth: 3, withCrossShrink: true }, fc.constant(null), tie("tree")),
}));

const part = fc.constantFrom(...NAMES, ...NAMES.map((name) => `${name}/`), "");
const path = fc.array(part, { maxLength: 3 }).map((parts) => parts.join(""));
const ask: fc.Arbitrary<ListAsk> = fc.record({
  prefix: fc.oneof(fc.constant(""), path),
  delimiter: fc.constantFrom("", "/", "/", "a", "-", "/a", "a/"),
  after: fc.oneof(fc.constant(""), path),
  limit: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant(1_000)),
});

/** The keys of a tree: its files, and the directories in which nothing is. */
function keysOf(given: Tree, base = ""): string[] {
  const entries = Object.entries(given);
  if (entries.length === 0 && base !== "") return [base];
  return entries.flatMap(([name, node]) =>
    node === null ? [base + name] : keysOf(node, `${base}${name}/`),
  );
}

function make(root: string, given: Tree): void {
  mkdirSync(root, { recursive: true });
  for (const [name, node] of Object.entries(given)) {
    if (node === null) writeFileSync(join(root, name), "");
    else make(join(root, name), node);
  }
}

test("a list of any tree by any prefix, delimiter, start and limit is the simple one", async (t) => {
  const volume = await openVolume(t);
  let run = 0;
  await fc.assert(
    fc.asyncProperty(tree, fc.array(ask, { minLength: 6, maxLength: 6 }), async (given, asks) => {
      run += 1;
      const base = `t${run}/`;
      make(volume.at(base), given);
      const keys = keysOf(given, base);
      for (const { prefix, after, ...each } of asks) {
        const below = { ...each, prefix: base + prefix, after: after && base + after };
        await requireSimple(volume, keys, below);
      }
      await requirePages(volume, keys, { ...(asks[0] ?? PLAIN), prefix: base, after: "" });
      rmSync(volume.at(base), { recursive: true });
    }),
    { numRuns: 150 },
  );
});

const PLAIN: ListAsk = { prefix: "", delimiter: "", after: "", limit: 1_000 };

async function requireSimple({ s3 }: TestVolume, keys: string[], given: ListAsk): Promise<void> {
  const page = await s3.list(given);
  const simple = listingOf(keys, (key) => key, given);
  const shown = [page.objects.map(({ key }) => key), page.prefixes, page.next];
  assert.deepEqual(shown, [...split(simple.rows), simple.next], JSON.stringify([keys, given]));
}

async function requirePages({ s3 }: TestVolume, keys: string[], given: ListAsk): Promise<void> {
  const [objects, prefixes]: [string[], string[]] = [[], []];
  for (let after: string | undefined = ""; after !== undefined; ) {
    const page = await s3.list({ ...given, after });
    objects.push(...page.objects.map(({ key }) => key));
    prefixes.push(...page.prefixes);
    assert.ok(page.next === undefined || Buffer.from(page.next).compare(Buffer.from(after)) > 0);
    after = page.next;
  }
  const whole = listingOf(keys, (key) => key, { ...given, limit: 10_000 });
  assert.deepEqual([objects, prefixes], split(whole.rows), JSON.stringify([keys, given]));
}

function split(rows: readonly Row<string>[]): readonly [string[], string[]] {
  return [
    rows.flatMap((row) => ("prefix" in row ? [] : [row.item])),
    rows.flatMap((row) => ("prefix" in row ? [row.prefix] : [])),
  ];
}

test("a directory comes in the place of its name with a slash", async (t) => {
  const { s3, at } = await openVolume(t);
  make(at(), {
    a: { b: null },
    "a-b": null,
    "a.b": null,
    a0: null,
    "a-": { c: null },
    "a-.": null,
  });
  const keys = ["a-.", "a-/c", "a-b", "a.b", "a/b", "a0"];
  assert.deepEqual(await s3.keys(), keys);
  for (const [index, after] of keys.entries()) {
    const { objects } = await s3.list({ after });
    assert.deepEqual(
      objects.map(({ key }) => key),
      keys.slice(index + 1),
      after,
    );
  }
});

test("a list meets every file that stays, once, while others come and go around it", async (t) => {
  const volume = await openVolume(t);
  const { s3, at } = volume;
  const stay = Array.from({ length: 12 }, (_, d) =>
    Array.from({ length: 30 }, (_, f) => `d${d}/f${f}`),
  ).flat();
  for (const key of stay) {
    mkdirSync(at(join(key, "..")), { recursive: true });
    writeFileSync(at(key), "");
  }
  let made = 0;
  const met: string[] = [];
  for (let after: string | undefined = ""; after !== undefined; ) {
    const page = await s3.list({ after, limit: 7 });
    met.push(...page.objects.map(({ key }) => key));
    assert.ok(page.next === undefined || page.next > after);
    after = page.next;
    // Before and behind the place, in the directory and beside it, from other programs and from S3.
    made += 1;
    mkdirSync(at(`d${made % 14}x`), { recursive: true });
    writeFileSync(at(`d${made % 12}/new-${made}`), "");
    await s3.put(`d${(made * 5) % 12}/f${made % 30}~`, "");
    rmSync(at(`d${(made * 7) % 14}x`), { recursive: true, force: true });
    rmSync(at(`d${(made * 3) % 12}/new-${made - 3}`), { force: true });
  }
  assert.equal(new Set(met).size, met.length, "nothing comes twice");
  assert.deepEqual(
    stay.filter((key) => !met.includes(key)),
    [],
  );
});

test("a list of many files that S3 did not write reads none of them", async (t) => {
  const volume = await openVolume(t);
  for (let directory = 0; directory < 12; directory += 1) {
    mkdirSync(volume.at(`d${directory}`));
    for (let file = 0; file < 1_000; file += 1)
      writeFileSync(volume.at(`d${directory}/f${file}`), "");
  }
  for (let large = 0; large < 20; large += 1) {
    writeFileSync(volume.at(`d1/large-${large}`), "");
    truncateSync(volume.at(`d1/large-${large}`), 2 ** 30);
  }
  const readBytes = () =>
    Number(/^rchar: (\d+)$/m.exec(readFileSync("/proc/self/io", "utf8"))?.[1]);
  const before = readBytes();
  const listed = await listAll(volume);
  assert.equal(listed.length, 12_020);
  assert.equal(new Set(listed.map(({ etag }) => etag)).size, 12_020);
  // A record for the few whose time has the mark by chance is looked for, and not there.
  assert.ok(readBytes() - before < 2 ** 20, `${readBytes() - before} bytes were read`);
});

test("what a list says of files that S3 wrote, and of others, is what their heads say", async (t) => {
  const volume = await openVolume(t);
  const { s3, at } = volume;
  await s3.put("d/a", "bytes");
  const upload = await s3.create("d/b");
  await s3.complete(upload, [await s3.part(upload, 1, "bytes")]);
  writeFileSync(at("d/c"), "bytes");
  symlinkSync("d/a", at("e"));
  await s3.put("f/", "");
  for (const { checksumAlgorithm, checksumType, storageClass: _, ...listed } of await listAll(
    volume,
  )) {
    const {
      attributes: __,
      checksum,
      partsCount: ___,
      versionId: ____,
      ...head
    } = await s3.head(listed.key);
    assert.deepEqual(listed, head);
    assert.deepEqual([checksumAlgorithm, checksumType], [checksum?.algorithm, checksum?.type]);
  }
});

test("names of a large directory are kept for the next page, until something changes in it", async (t) => {
  const { at, volume } = await openVolume(t);
  mkdirSync(at("d"));
  for (let file = 0; file < 2_000; file += 1) writeFileSync(at(`d/${file}`), "");
  const names = new SortedNames();
  await using directory = await volume.tree.directory(["d"]);
  assert.ok(directory !== undefined);
  const isOld = async () => true;
  const first = await names.of(directory, isOld);
  assert.equal(await names.of(directory, isOld), first);
  writeFileSync(at("d/new"), "");
  const second = await names.of(directory, isOld);
  assert.deepEqual([first.includes("new"), second.includes("new")], [false, true]);
  rmSync(at("d/new"));
  assert.deepEqual(await names.of(directory, isOld), first);
  // A change within the same tick of the clock would not show.
  const fresh = new SortedNames();
  const isYoung = async () => false;
  assert.notEqual(await fresh.of(directory, isYoung), await fresh.of(directory, isYoung));
});

test("keys of more than 1,024 bytes are left out of a list, others beside them are not", async (t) => {
  const { s3, at } = await openVolume(t);
  const name = "n".repeat(250);
  const deep = [name, name, name, name].join("/");
  mkdirSync(at(`${deep}/d`), { recursive: true });
  writeFileSync(at(`${deep}/${"x".repeat(20)}`), "");
  writeFileSync(at(`${deep}/${"x".repeat(21)}`), "");
  writeFileSync(at("z"), "");
  const keys = await s3.keys();
  assert.deepEqual(keys, [`${deep}/d/`, `${deep}/${"x".repeat(20)}`, "z"]);
  await refused(s3.head(`${deep}/y`), "NoSuchKey");
});
