import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { isLinearizable, type Operation } from "#test/linear/checker.ts";
import { type Ask, type Keys, REGISTERS, type Told } from "#test/linear/register.ts";
import { Random } from "#test/support/random.ts";

/** Where the keys live. */
export interface Store {
  /** undefined: nobody knows whether it happened; "refused": it certainly never began. */
  readonly perform: (
    group: string,
    ask: Ask,
    body: Buffer,
  ) => Promise<Told | undefined | "refused">;
}

export interface Run {
  readonly clients: number;
  /** Keys of one group may be moved onto each other; groups have nothing to do with each other. */
  readonly groups: number;
  readonly seed: number;
  /** Asked before each operation. */
  readonly goesOn: () => boolean;
  /** Of the bodies, some small and some large. */
  readonly sizes: readonly number[];
}

export type History = readonly Operation<Ask, Told>[];

const KEYS = ["a", "b", "c"] as const;

/** Lets clients do as they like at the same time, and tells what each saw, by group. */
export async function run(store: Store, given: Run): Promise<ReadonlyMap<string, History>> {
  const histories = new Map<string, Operation<Ask, Told>[]>();
  for (let group = 0; group < given.groups; group += 1) histories.set(`group-${group}`, []);
  const client = async (number: number) => {
    const random = new Random(given.seed * 1_000 + number);
    const seen = new Map<string, string>();
    for (let turn = 0; given.goesOn(); turn += 1) {
      const [group, history] = [...histories][random.below(histories.size)] ?? ["", []];
      const size = random.one(0, ...given.sizes);
      const body = Buffer.alloc(size, "x").fill(`${number} ${turn};`, 0, Math.min(size, 20));
      const body2 = Buffer.concat([Buffer.from(`${given.seed} ${number} ${turn} `), body]);
      const ask = askOf(random, digestOf(body2), (key) => seen.get(`${group}/${key}`));
      const begun = performance.now();
      const told = await store.perform(group, ask, body2);
      const ended = performance.now();
      if (told === "refused") continue;
      remember(seen, group, { ask, told });
      const isLost = told === undefined;
      if (isLost && (ask.kind === "get" || ask.kind === "list")) continue;
      const output = told;
      history.push({ input: ask, output, begun, ended: isLost ? Number.POSITIVE_INFINITY : ended });
    }
  };
  await Promise.all(Array.from({ length: given.clients }, (_, number) => client(number)));
  return histories;
}

/** Fails: AssertionError, with the operations of the group that no order explains. */
export function requireLinearizable(histories: ReadonlyMap<string, History>): void {
  for (const [group, history] of histories) {
    if (isLinearizable(history, REGISTERS)) continue;
    assert.fail(`no order explains ${group}:\n${text(shortest(history))}`);
  }
}

export function digestOf(body: Uint8Array): string {
  return createHash("md5").update(body).digest("hex");
}

/** The beginning of it that is already wrong: whatever began after its end had no part in it. */
function shortest(history: History): History {
  const ends = history.map(({ ended }) => ended).filter(Number.isFinite);
  ends.sort((a, b) => a - b);
  const until = (end: number) =>
    history
      .filter(({ begun }) => begun <= end)
      .map((each) =>
        each.ended <= end ? each : { ...each, output: undefined, ended: Number.POSITIVE_INFINITY },
      );
  const first = ends.find((end) => !isLinearizable(until(end), REGISTERS));
  return first === undefined ? history : until(first);
}

function text(history: History): string {
  return history
    .toSorted((a, b) => a.begun - b.begun)
    .slice(-40)
    .map(({ begun, ended, input, output }) => {
      const told = output === undefined ? "lost" : JSON.stringify(output);
      return `${begun.toFixed(2)} – ${ended.toFixed(2)} ${JSON.stringify(input)} → ${told}`;
    })
    .join("\n");
}

function askOf(random: Random, value: string, seen: (key: string) => string | undefined): Ask {
  const key = random.one(...KEYS);
  const has = seen(key) ?? "*";
  switch (random.below(10)) {
    case 0:
    case 1:
      return { kind: "put", key, value, when: { has } };
    case 2:
      return { kind: "put", key, value, when: "none" };
    case 3:
      return { kind: "put", key, value, when: undefined };
    case 4:
      return { kind: "delete", key, has: random.one(undefined, has) };
    case 5:
      return {
        kind: "rename",
        from: key,
        to: other(random, key),
        when: random.one(undefined, "none"),
      };
    case 6:
      return { kind: "copy", from: key, to: other(random, key) };
    case 7:
      return { kind: "list" };
    default:
      return { kind: "get", key };
  }
}

function other(random: Random, key: string): string {
  const [first = "a", ...rest] = KEYS.filter((each) => each !== key);
  return random.one<string>(first, ...rest);
}

interface Seen {
  readonly ask: Ask;
  readonly told: Told | undefined;
}

/** What a client would name in its next condition. */
function remember(seen: Map<string, string>, group: string, { ask, told }: Seen): void {
  if (told?.kind !== "done") return;
  const shown: Keys = told.keys ?? {};
  for (const [key, value] of Object.entries(shown)) seen.set(`${group}/${key}`, value);
  if (ask.kind === "get" && told.value !== undefined) seen.set(`${group}/${ask.key}`, told.value);
  if (ask.kind === "put") seen.set(`${group}/${ask.key}`, ask.value);
}
