import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "#base/clock.ts";
import { makeLog } from "#base/log.ts";
import { openIdentities } from "#catalog/identities.ts";
import { userPrincipal } from "#catalog/users.ts";
import { runAccessKeys } from "#job/access-keys.ts";
import { MemoryMetaStore } from "#meta/memory.ts";
import { TEST_KEYRING } from "#test/support/keyring.ts";
import { MovableClock } from "#test/support/movable-clock.ts";
import { START_MS } from "#test/support/server.ts";

const DAY_MS = 86_400_000;

test("keys that expired or were deleted a day ago are forgotten, and no others, an hour apart", async () => {
  const clock = new MovableClock(START_MS);
  const { users, keys } = openIdentities({
    ...{ meta: new MemoryMetaStore(), clock, keyring: TEST_KEYRING },
  });
  await users.create("ab1cd2", { uid: "ada", name: "Ada", groups: [] });
  const principal = userPrincipal({ organizationId: "ab1cd2", uid: "ada" }, []);
  const make = async (durationSeconds: number) =>
    (await keys.create({ principal, durationSeconds, attributes: {}, withSession: false }))
      .accessKeyId;
  for (let made = 0; made < 600; made += 1) await make(60);
  let isElsewhere = false;
  const [permanent, deleted] = [await make(0), await make(0)];
  await keys.revoke("ab1cd2", deleted);
  clock.move(DAY_MS - 1);
  const recent = await make(60);
  const left = async () => {
    const { keys: all } = await keys.list("ab1cd2", { after: "", limit: 1_000 });
    return all.map(({ accessKeyId }) => accessKeyId).sort();
  };
  const stopping = new AbortController();
  const rounds: (readonly string[])[] = [];
  const waits: number[] = [];
  /** Stands in for the hour between two rounds. */
  const betweenRounds: Clock = {
    now: clock.now,
    sleep: async (ms) => {
      waits.push(ms);
      rounds.push(await left());
      if (rounds.length === 3) stopping.abort();
      clock.move(rounds.length === 1 ? 1 : 60_000);
    },
  };
  const log = makeLog({ pretty: false, access: false, to: 2 });

  const running = runAccessKeys({ keys, clock: betweenRounds, log, signal: stopping.signal });
  setImmediate(() => {
    isElsewhere = rounds.length === 0;
  });
  await running;

  assert.ok(isElsewhere, "others have their turn within a round");
  const [first, second, third] = rounds;
  assert.equal(first?.length, 603);
  assert.equal(second?.includes(deleted), false);
  assert.equal(second?.length, 602);
  assert.deepEqual(third, [permanent, recent].sort());
  assert.deepEqual(waits, [3_600_000, 3_600_000, 3_600_000]);
});

test("keys that were deleted before the clock was set back by years are forgotten, and make room for others", async () => {
  const clock = new MovableClock(START_MS);
  const { users, keys } = openIdentities({
    ...{ meta: new MemoryMetaStore(), clock, keyring: TEST_KEYRING },
  });
  await users.create("ab1cd2", { uid: "ada", name: "Ada", groups: [] });
  const principal = userPrincipal({ organizationId: "ab1cd2", uid: "ada" }, []);
  const make = async () =>
    await keys.create({ principal, durationSeconds: 0, attributes: {}, withSession: false });
  for (let made = 0; made < 1_000; made += 1) await make();
  assert.equal(await keys.revokeOf("ab1cd2", principal.name), 1_000);
  clock.move(-3 * 365 * DAY_MS);

  const { accessKeyId } = await make();
  await keys.revoke("ab1cd2", (await make()).accessKeyId);
  clock.move(-DAY_MS);
  await keys.sweep({ after: "", limit: 1_000, failed: assert.ifError });

  const { keys: left } = await keys.list("ab1cd2", { after: "", limit: 1_000 });
  assert.deepEqual(
    left.map((key) => key.accessKeyId),
    [accessKeyId],
  );
});
