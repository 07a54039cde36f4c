import assert from "node:assert/strict";
import { test } from "node:test";
import { after, afterEach, rescue, type Soon } from "#base/soon.ts";

const here = (value: number): Soon<number> => value;
const later = async (value: number): Promise<number> => value;

test("what is at hand goes on at once, and what will be when it comes", async () => {
  assert.equal(
    after(here(1), (value) => value + 1),
    2,
  );
  assert.equal(await after(later(1), (value) => value + 1), 2);
  assert.equal(await after(here(1), later), 1);
});

test("each is taken one after the other, whichever of them must be waited for", async () => {
  for (const waits of [[], [0], [2], [0, 1, 2, 3]]) {
    const begun: number[] = [];
    let under = 0;
    const next = (item: number): Soon<number> => {
      begun.push(item);
      under += 1;
      assert.equal(under, 1);
      const end = (value: number) => {
        under -= 1;
        return value * 10;
      };
      return waits.includes(item) ? later(item).then(end) : end(item);
    };

    const made = afterEach([0, 1, 2, 3], next);

    assert.equal(made instanceof Promise, waits.length > 0);
    assert.deepEqual(await made, [0, 10, 20, 30]);
    assert.deepEqual(begun, [0, 1, 2, 3]);
  }
});

test("a failure ends it: none is taken behind it", async () => {
  const begun: number[] = [];
  const failing = async (item: number) => {
    begun.push(item);
    if (item === 1) throw new Error("of 1");
    return item;
  };
  await assert.rejects(async () => await afterEach([0, 1, 2], failing), /of 1/);
  assert.deepEqual(begun, [0, 1]);
});

test("a failure is caught, whether it is thrown or comes later", async () => {
  const caught = (cause: unknown) => (cause instanceof Error ? cause.message : "none");
  const thrown = rescue((): Soon<string> => {
    throw new Error("at once");
  }, caught);
  const rejected = rescue(async (): Promise<string> => {
    throw new Error("later");
  }, caught);

  assert.equal(thrown, "at once");
  assert.equal(await rejected, "later");
  assert.equal(
    rescue(() => "fine", caught),
    "fine",
  );
});
