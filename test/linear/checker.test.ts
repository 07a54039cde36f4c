/** The checker itself, on histories whose answer is known. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isLinearizable, type Operation } from "#test/linear/checker.ts";
import { type Ask, type Keys, REGISTERS, type Told } from "#test/linear/register.ts";
import { runs } from "#test/support/runs.ts";

type Op = Operation<Ask, Told>;

const DONE: Told = { kind: "done" };
const LOST = Number.POSITIVE_INFINITY;

function op(begun: number, ended: number, [input, output]: readonly [Ask, Told | undefined]): Op {
  return { begun, ended, input, output };
}
const put = (value: string, when?: { has: string } | "none"): Ask => ({
  ...{ kind: "put", key: "k", value, when },
});
const read = (value: string | undefined): readonly [Ask, Told] => [
  { kind: "get", key: "k" },
  value === undefined ? { kind: "missing" } : { kind: "done", value },
];

const GOOD: Readonly<Record<string, readonly Op[]>> = {
  "nothing at all": [],
  "a read of what was written": [op(0, 1, [put("a"), DONE]), op(2, 3, read("a"))],
  "a read beside a write, of the old value or the new": [
    op(0, 1, [put("a"), DONE]),
    op(2, 9, [put("b"), DONE]),
    op(3, 4, read("a")),
    op(5, 6, read("b")),
  ],
  "two writes at once, and readers who agree which was last": [
    op(0, 9, [put("a"), DONE]),
    op(0, 9, [put("b"), DONE]),
    op(10, 11, read("a")),
    op(12, 13, read("a")),
  ],
  "a swap that fails beside the one that wins": [
    op(0, 1, [put("a"), DONE]),
    op(2, 8, [put("b", { has: "a" }), DONE]),
    op(3, 9, [put("c", { has: "a" }), { kind: "failed" }]),
    op(10, 11, read("b")),
  ],
  "a lost write that is seen long after": [
    op(0, LOST, [put("a"), undefined]),
    op(5, 6, read(undefined)),
    op(7, 8, read("a")),
  ],
  "a lost write that never is seen": [
    op(0, LOST, [put("a"), undefined]),
    op(5, 6, read(undefined)),
    op(7, 8, [put("b", "none"), DONE]),
    op(9, 10, read("b")),
  ],
  "a lost swap that comes between two reads": [
    op(0, 1, [put("a"), DONE]),
    op(2, LOST, [put("b", { has: "a" }), undefined]),
    op(3, 4, read("a")),
    op(5, 6, read("b")),
    op(7, 8, [put("c", { has: "b" }), DONE]),
  ],
  "a rename beside a list that sees it whole": [
    op(0, 1, [put("a"), DONE]),
    op(2, 9, [{ kind: "rename", from: "k", to: "l", when: undefined }, DONE]),
    op(3, 4, [{ kind: "list" }, { kind: "done", keys: { k: "a" } }]),
    op(5, 6, [{ kind: "list" }, { kind: "done", keys: { l: "a" } }]),
  ],
  "a conflict with a write at the same time": [
    op(0, 9, [put("a", "none"), DONE]),
    op(0, 9, [put("b", "none"), { kind: "conflict" }]),
  ],
};

const BAD: Readonly<Record<string, readonly Op[]>> = {
  "a stale read": [op(0, 1, [put("a"), DONE]), op(2, 3, [put("b"), DONE]), op(4, 5, read("a"))],
  "a read of what nobody wrote": [op(0, 1, [put("a"), DONE]), op(2, 3, read("z"))],
  "a write that is seen, and then not": [
    op(0, 9, [put("a"), DONE]),
    op(1, 2, read("a")),
    op(3, 4, read(undefined)),
  ],
  "readers who disagree about the order of two writes": [
    op(0, 20, [put("a"), DONE]),
    op(0, 20, [put("b"), DONE]),
    op(1, 2, read("a")),
    op(3, 4, read("b")),
    op(5, 6, read("a")),
  ],
  "two winners of one swap": [
    op(0, 1, [put("a"), DONE]),
    op(2, 9, [put("b", { has: "a" }), DONE]),
    op(2, 9, [put("c", { has: "a" }), DONE]),
  ],
  "two creators of one key": [
    op(0, 9, [put("a", "none"), DONE]),
    op(0, 9, [put("b", "none"), DONE]),
  ],
  "a write that is lost though it was answered": [
    op(0, 1, [put("a"), DONE]),
    op(2, 3, read(undefined)),
  ],
  "a lost write that is seen before it began": [
    op(0, 1, read("a")),
    op(2, LOST, [put("a"), undefined]),
  ],
  "a lost write that happens twice": [
    op(0, LOST, [put("a"), undefined]),
    op(1, 2, read("a")),
    op(3, 4, [{ kind: "delete", key: "k", has: undefined }, DONE]),
    op(5, 6, read("a")),
  ],
  "a rename of which a list sees half": [
    op(0, 1, [put("a"), DONE]),
    op(2, 9, [{ kind: "rename", from: "k", to: "l", when: undefined }, DONE]),
    op(3, 4, [{ kind: "list" }, { kind: "done", keys: { k: "a", l: "a" } }]),
  ],
  "a conflict with nobody": [
    op(0, 1, [put("a", "none"), { kind: "conflict" }]),
    op(2, 3, read(undefined)),
  ],
};

for (const [what, history] of Object.entries(GOOD)) {
  test(`${what} is linearizable`, () => {
    for (const order of [history, history.toReversed()]) {
      assert.ok(isLinearizable(order, REGISTERS));
    }
  });
}

for (const [what, history] of Object.entries(BAD)) {
  test(`${what} is not linearizable`, () => {
    for (const order of [history, history.toReversed()]) {
      assert.ok(!isLinearizable(order, REGISTERS));
    }
  });
}

const ask = fc.oneof(
  fc.record({
    ...{ kind: fc.constant("put" as const), key: fc.constantFrom("k", "l") },
    value: fc.constantFrom("a", "b", "c"),
    when: fc.constantFrom(undefined, "none" as const, { has: "a" }, { has: "b" }),
  }),
  fc.record({ kind: fc.constant("get" as const), key: fc.constantFrom("k", "l") }),
  fc.record({
    ...{ kind: fc.constant("delete" as const), key: fc.constantFrom("k", "l") },
    has: fc.constantFrom(undefined, "a"),
  }),
  fc.constant<Ask>({ kind: "rename", from: "k", to: "l", when: undefined }),
  fc.constant<Ask>({ kind: "list" }),
);
const timedAsk = fc.record({ ask, before: fc.nat(20), after: fc.nat(20), lost: fc.nat(5) });

test("what one copy did, stretched at will before and after, is linearizable", () => {
  fc.assert(
    fc.property(fc.array(timedAsk, { maxLength: 40, size: "max" }), (asks) => {
      let keys: Keys = REGISTERS.initial;
      const history = asks.map(({ ask: input, before, after, lost }, at): Op => {
        const told = answer(keys, input);
        keys = REGISTERS.step(keys, input, told) ?? keys;
        const begun = at * 4 - before;
        const isLost = lost === 0 && input.kind !== "get" && input.kind !== "list";
        if (isLost) return { input, output: undefined, begun, ended: LOST };
        return { input, output: told, begun, ended: at * 4 + after };
      });

      assert.ok(isLinearizable(history, REGISTERS));
    }),
    runs({ short: 300, long: 30_000 }),
  );
});

test("the answer is that of trying every order", () => {
  const told = fc.constantFrom<Told>(
    ...[DONE, { kind: "missing" } as const, { kind: "failed" } as const],
    ...[{ kind: "done", value: "a" } as const, { kind: "done", value: "b" } as const],
  );
  const any = fc.record({ input: ask, output: told, begun: fc.nat(12), lasts: fc.nat(6) });
  let good = 0;
  fc.assert(
    fc.property(fc.array(any, { maxLength: 5 }), (given) => {
      const history = given.map(({ lasts, begun, ...each }) => ({
        ...{ ...each, begun, ended: begun + lasts },
      }));
      const expected = someOrderExplains(history, REGISTERS.initial);

      assert.equal(isLinearizable(history, REGISTERS), expected);
      if (expected && history.length > 1) good += 1;
    }),
    runs({ short: 1_000, long: 100_000 }),
  );
  assert.ok(good > 0);
});

function someOrderExplains(left: readonly Op[], keys: Keys): boolean {
  if (left.length === 0) return true;
  return left.some((first) => {
    const rest = left.filter((each) => each !== first);
    if (rest.some(({ ended }) => ended < first.begun)) return false;
    const next = REGISTERS.step(keys, first.input, first.output);
    return next !== undefined && someOrderExplains(rest, next);
  });
}

/** What is told of it when nothing else happens. */
function answer(keys: Keys, input: Ask): Told {
  const all: Told[] = [
    ...[{ kind: "done" } as const, { kind: "missing" } as const, { kind: "failed" } as const],
    ...Object.values(keys).map((value) => ({ kind: "done", value }) as const),
    { kind: "done", keys },
  ];
  const fits = all.find((told) => REGISTERS.step(keys, input, told) !== undefined);
  assert.ok(fits !== undefined);
  return fits;
}
