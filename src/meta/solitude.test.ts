import assert from "node:assert/strict";
import { test } from "node:test";
import { Solitude } from "#meta/solitude.ts";

test("who has seen none but its own commits for a while is alone", () => {
  const solitude = new Solitude();

  for (const sequence of [4, 5, 6, 7, 8, 9, 10, 11]) solitude.saw(solitude.last, sequence);
  assert.equal(solitude.isAlone, false);
  solitude.saw(solitude.last, 12);

  assert.equal(solitude.isAlone, true);
});

test("somebody else's commit ends it at once", () => {
  const solitude = alone();

  solitude.saw(solitude.last, 102);

  assert.equal(solitude.isAlone, false);
});

test("who has several changes under way is not alone, though nobody else has any", () => {
  const solitude = new Solitude();
  for (let sequence = 1; sequence <= 100; sequence += 2) {
    const before = solitude.last;
    solitude.saw(before, sequence);
    solitude.saw(before, sequence + 1);
  }

  assert.equal(solitude.isAlone, false);
});

test("a commit that was refused says nothing of others", () => {
  const solitude = alone();

  solitude.saw(solitude.last, undefined);
  assert.equal(solitude.isAlone, true);
  solitude.saw(solitude.last, 101);

  assert.equal(solitude.isAlone, true);
});

/** One whose last commit had the sequence 100. */
function alone(): Solitude {
  const solitude = new Solitude();
  for (let sequence = 1; sequence <= 100; sequence += 1) solitude.saw(solitude.last, sequence);
  return solitude;
}
