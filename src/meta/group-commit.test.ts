import assert from "node:assert/strict";
import { test } from "node:test";
import { type CommitAll, GroupCommit } from "#meta/group-commit.ts";
import type { Change } from "#meta/store.ts";

const CHANGE: Change = { guards: [], writes: [] };

/** A committer that notes how many changes each transaction has, and gives them their place as sequence. */
function noted(): { readonly sizes: number[]; readonly commitAll: CommitAll } {
  const sizes: number[] = [];
  let sequence = 0;
  const commitAll: CommitAll = async (changes) => {
    sizes.push(changes.length);
    return changes.map(() => {
      sequence += 1;
      return sequence;
    });
  };
  return { sizes, commitAll };
}

test("changes of one turn of the event loop share a transaction, and each hears its own sequence", async () => {
  const { sizes, commitAll } = noted();
  const group = new GroupCommit(commitAll);

  const sequences = await Promise.all([1, 2, 3].map(() => group.commit(CHANGE)));

  assert.deepEqual(sequences, [1, 2, 3]);
  assert.deepEqual(sizes, [3]);
});

test("a transaction carries a bounded number of changes; the rest follows in its order", async () => {
  const { sizes, commitAll } = noted();
  const group = new GroupCommit(commitAll);

  const sequences = await Promise.all(Array.from({ length: 600 }, () => group.commit(CHANGE)));

  assert.deepEqual(
    sequences,
    sequences.map((_, index) => index + 1),
  );
  assert.deepEqual(sizes, [256, 256, 88]);
});

test("one transaction is made at a time, and what comes meanwhile shares the next", async () => {
  let running = 0;
  const sizes: number[] = [];
  const group = new GroupCommit(async (changes) => {
    running += 1;
    assert.equal(running, 1);
    sizes.push(changes.length);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    return changes.map(() => undefined);
  });

  const first = group.commit(CHANGE);
  await Promise.resolve();
  await Promise.resolve();
  const rest = [group.commit(CHANGE), group.commit(CHANGE)];

  assert.deepEqual(await Promise.all([first, ...rest]), [undefined, undefined, undefined]);
  assert.deepEqual(sizes, [1, 2]);
});

test("a transaction that fails fails all that are in it, and nobody after it", async () => {
  let isBroken = true;
  const group = new GroupCommit(async (changes) => {
    if (isBroken) throw new Error("no space");
    return changes.map(() => 7);
  });

  const both = [group.commit(CHANGE), group.commit(CHANGE)];
  for (const one of both) await assert.rejects(one, /no space/);
  isBroken = false;

  assert.equal(await group.commit(CHANGE), 7);
  await group.atRest();
});
