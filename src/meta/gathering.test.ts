import assert from "node:assert/strict";
import { test } from "node:test";
import { Gathering } from "#meta/gathering.ts";

/** Of a commit on a slow disk: a wait of its share would outlast the test's patience many times over. */
const LONG_MS = 1e9;

test("who comes alone, and whose commits are fast, is not kept waiting", async () => {
  const gathering = new Gathering();

  await gathering.wait(1, LONG_MS, () => 0);
  await gathering.wait(64, 0.9, () => 64);
});

test("those who were told are waited for until all are there", async () => {
  const gathering = new Gathering();
  let waiting = 2;
  let isOver = false;
  const over = gathering
    .wait(3, LONG_MS, () => waiting)
    .then(() => {
      isOver = true;
    });
  for (; waiting < 5; waiting += 1) {
    gathering.stir();
    await Promise.resolve();
    assert.equal(isOver, false);
  }

  gathering.stir();

  await over;
});

test("when they do not come back it goes on without them, and does not wait the next times", async () => {
  const gathering = new Gathering();
  await gathering.wait(3, LONG_MS, () => 1);

  let asked = 0;
  const next = gathering.wait(3, LONG_MS, () => {
    asked += 1;
    return 1;
  });

  await next;
  assert.equal(asked, 1);
});
