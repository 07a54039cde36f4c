import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { S3Error } from "#base/error.ts";
import type { Rates } from "#catalog/organization-limits.ts";
import { Throttle, type ThrottleParts } from "#s3/throttle.ts";

/** A throttle, its clock, and one party to ask for. */
function throttle(rates: Rates, parts: Partial<ThrottleParts> = {}) {
  let nowMs = 1_000_000;
  const clock = { now: () => nowMs, sleep: async () => undefined };
  const inner = new Throttle({ clock, workers: 1, ...parts });
  const parties = [{ name: "somebody", rates }];
  return {
    inner,
    parties,
    move: (ms: number) => {
      nowMs += ms;
    },
    /** The seconds to wait for; 0 when it was admitted. */
    ask: (bytes = 0, of = parties): number => waitOf(() => inner.admit(of, bytes)),
  };
}

function waitOf(admit: () => unknown): number {
  try {
    admit();
    return 0;
  } catch (cause) {
    assert.ok(cause instanceof S3Error && cause.code === "SlowDown");
    return Number(cause.headers["retry-after"]);
  }
}

test("as many requests as a second gives come at once, then one for each share of a second", () => {
  const { ask, move } = throttle({ requestsPerSecond: 4 });

  assert.deepEqual([ask(), ask(), ask(), ask(), ask()], [0, 0, 0, 0, 1]);
  move(249);
  assert.equal(ask(), 1);
  move(1);
  assert.deepEqual([ask(), ask()], [0, 1]);
  move(60_000);
  assert.deepEqual([ask(), ask(), ask(), ask(), ask()], [0, 0, 0, 0, 1]);
});

test("a rate below one a second admits one, and says when the next", () => {
  const { ask, move } = throttle({ requestsPerSecond: 0.1 });

  assert.deepEqual([ask(), ask()], [0, 10]);
  move(7_500);
  assert.equal(ask(), 3);
  move(2_500);
  assert.deepEqual([ask(), ask()], [0, 10]);
});

test("a refused request costs nothing", () => {
  const { ask, move } = throttle({ requestsPerSecond: 1 });
  ask();

  for (let again = 0; again < 100; again += 1) assert.equal(ask(), 1);
  move(1_000);
  assert.equal(ask(), 0);
});

test("a body larger than the rate is admitted, and paid for before the next request", () => {
  const { ask, move } = throttle({ bytesPerSecond: 100 });

  assert.deepEqual([ask(1_100), ask()], [0, 11]);
  move(9_000);
  assert.equal(ask(), 2);
  move(1_100);
  assert.equal(ask(), 0);
});

test("bytes of the answer count like bytes of the request", () => {
  const { inner, parties, ask, move } = throttle({ bytesPerSecond: 100 });
  const charge = inner.admit(parties, 50);
  charge(150);

  assert.equal(ask(), 2);
  move(2_000);
  assert.equal(ask(), 0);
});

test("a request is admitted by all its parties or charged to none", () => {
  const { inner, move } = throttle({});
  const slow = { name: "slow", rates: { requestsPerSecond: 1 } };
  const fast = { name: "fast", rates: { requestsPerSecond: 2 } };
  const ask = (...parties: (typeof slow)[]) => waitOf(() => inner.admit(parties, 0));

  assert.deepEqual([ask(slow, fast), ask(slow, fast), ask(slow, fast)], [0, 1, 1]);
  assert.deepEqual([ask(fast), ask(fast)], [0, 1], "the two that were refused took nothing of it");
  move(1_000);
  assert.equal(ask(slow, fast), 0);
});

test("rates are divided by the number of processes", () => {
  const { ask, move } = throttle({ requestsPerSecond: 8 }, { workers: 4 });

  assert.deepEqual([ask(), ask(), ask()], [0, 0, 1]);
  move(500);
  assert.deepEqual([ask(), ask()], [0, 1]);
});

test("a rate that is changed, set or taken away counts with the next request", () => {
  const { inner, ask, move } = throttle({ requestsPerSecond: 1 });
  const other = [{ name: "somebody", rates: { requestsPerSecond: 10 } }];
  assert.deepEqual([ask(), ask()], [0, 1]);

  assert.equal(
    waitOf(() => inner.admit([{ name: "somebody", rates: {} }], 0)),
    0,
  );
  move(100);
  assert.deepEqual([ask(0, other), ask(0, other)], [0, 1]);
});

test("a clock that is set back gives nothing, and stops nobody for longer", () => {
  const { ask, move } = throttle({ requestsPerSecond: 1 });
  ask();
  move(-3_600_000);

  assert.equal(ask(), 1);
  move(1_000);
  assert.equal(ask(), 0);
});

test("parties that are remembered are bounded: the one that was idle for the longest goes", () => {
  const { inner } = throttle({}, { partiesMax: 2 });
  const rates = { requestsPerSecond: 1 };
  const ask = (name: string) => waitOf(() => inner.admit([{ name, rates }], 0));

  assert.deepEqual([ask("a"), ask("b"), ask("a")], [0, 0, 1]);
  assert.equal(ask("c"), 0);
  assert.deepEqual([ask("a"), ask("b")], [1, 0]);
});

test("over any time no more is admitted than the burst and the rate of that time", () => {
  const step = fc.record({ ms: fc.nat(3_000), bytes: fc.nat(500) });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 400 }),
      fc.array(step, { maxLength: 200 }),
      (requestsPerSecond, bytesPerSecond, steps) => {
        const { ask, move } = throttle({ requestsPerSecond, bytesPerSecond });
        let [ms, requests, bytes, largest] = [0, 0, 0, 0];
        for (const each of steps) {
          move(each.ms);
          ms += each.ms;
          const waitSeconds = ask(each.bytes);
          if (waitSeconds > 0) continue;
          requests += 1;
          bytes += each.bytes;
          largest = Math.max(largest, each.bytes);
        }
        const seconds = 1 + ms / 1_000;
        assert.ok(requests <= seconds * requestsPerSecond + 1e-6);
        // Who is admitted owes at most one body.
        assert.ok(bytes <= seconds * bytesPerSecond + largest + 1e-6);
      },
    ),
  );
});

test("whoever comes back after the time to wait is admitted", () => {
  const rate = fc.double({ min: 0.01, max: 1_000, noNaN: true });
  fc.assert(
    fc.property(rate, rate, fc.array(fc.nat(10_000), { maxLength: 50 }), (first, second, sizes) => {
      const { ask, move } = throttle({ requestsPerSecond: first, bytesPerSecond: second });
      for (const size of sizes) {
        const waitSeconds = ask(size);
        if (waitSeconds === 0) continue;
        move(waitSeconds * 1_000);
        assert.equal(ask(size), 0);
      }
    }),
  );
});
