import assert from "node:assert/strict";
import { test } from "node:test";
import { S3Error, StorageError } from "#base/error.ts";
import { Keyring } from "#base/keyring.ts";
import { CustomerKey, type Encryption } from "#object/encryption.ts";
import {
  contentKeyOf,
  type EncryptionRecord,
  etagDigits,
  type Lock,
  lockOf,
  newLock,
  relocked,
  resealed,
  sealOf,
} from "#versioned/encryption.ts";
import { newContentKey } from "#versioned/sealed-chunks.ts";

const RING = Keyring.fromHex(["01".repeat(32)]);
const SERVER: Encryption = { kind: "SSE-S3" };
const ONE = new CustomerKey(Buffer.alloc(32, 1), "md5 of one");
const TWO = new CustomerKey(Buffer.alloc(32, 2), "md5 of two");

function under(key: CustomerKey): Encryption {
  return { kind: "SSE-C", key };
}

function lock(encryption: Encryption, ring = RING): Lock {
  const made = newLock(ring, encryption);
  assert.ok(made !== undefined);
  return made;
}

/** As it is read again: records are stored as JSON. */
function stored(record: EncryptionRecord): EncryptionRecord {
  return JSON.parse(JSON.stringify(record)) as EncryptionRecord;
}

function isCorrupt(cause: unknown): boolean {
  return cause instanceof StorageError && cause.kind === "corrupt";
}

function isRefused(code: string): (cause: unknown) => boolean {
  return (cause) => cause instanceof S3Error && cause.code === code;
}

const KINDS: Readonly<Record<string, { encryption: Encryption; key: CustomerKey | undefined }>> = {
  "SSE-C": { encryption: under(ONE), key: ONE },
  "SSE-S3": { encryption: SERVER, key: undefined },
};

for (const [kind, { encryption, key }] of Object.entries(KINDS)) {
  test(`${kind}: a stored lock opens the content keys that were sealed under it`, () => {
    const content = newContentKey(5);
    const made = lock(encryption);
    const seal = sealOf(content, made);

    const again = lockOf(RING, stored(made.record), key);

    assert.ok(again !== undefined);
    assert.deepEqual(contentKeyOf(seal, again), content);
  });

  test(`${kind}: a seal opens under no other lock and vouches for its size`, () => {
    const made = lock(encryption);
    const seal = sealOf(newContentKey(5), made);

    assert.throws(() => contentKeyOf(seal, lock(encryption)), isCorrupt);
    for (const sizeBytes of [0, 4, 6]) {
      assert.throws(() => contentKeyOf({ ...seal, sizeBytes }, made), isCorrupt);
    }
  });

  test(`${kind}: two objects have two keys, and no record holds one in the clear`, () => {
    const [one, two] = [lock(encryption), lock(encryption)];
    const bytes = Buffer.from(one.record.key, "base64");

    assert.notDeepEqual(one.objectKey, two.objectKey);
    assert.equal(bytes.includes(Buffer.from(one.objectKey)), false);
    assert.equal(JSON.stringify(one.record).includes(ONE.md5), false);
  });
}

for (const [to, encryption] of Object.entries({ "another key": under(TWO), "SSE-S3": SERVER })) {
  test(`a lock that was changed to ${to} opens the same seals, and the first key no more`, () => {
    const content = newContentKey(5);
    const made = lock(under(ONE));
    const seal = sealOf(content, made);

    const changed = relocked(RING, encryption, made);

    const key = encryption.kind === "SSE-C" ? encryption.key : undefined;
    const again = lockOf(RING, stored(changed.record), key);
    assert.ok(again !== undefined);
    assert.deepEqual(contentKeyOf(seal, again), content);
    assert.throws(() => lockOf(RING, changed.record, ONE), S3Error);
  });
}

test("a seal moves from one object to another without its content", () => {
  const content = newContentKey(5);
  const [from, to] = [lock(under(ONE)), lock(SERVER)];

  const moved = resealed(sealOf(content, from), from, to);

  assert.deepEqual(contentKeyOf(moved, to), content);
  assert.throws(() => contentKeyOf(moved, from), isCorrupt);
});

test("SSE-C refuses no key with InvalidRequest and another key with AccessDenied", () => {
  const { record } = lock(under(ONE));

  assert.throws(() => lockOf(RING, record, undefined), isRefused("InvalidRequest"));
  assert.throws(() => lockOf(RING, record, TWO), isRefused("AccessDenied"));
});

test("a key is refused with InvalidRequest for what no client's key opens", () => {
  assert.throws(() => lockOf(RING, lock(SERVER).record, ONE), isRefused("InvalidRequest"));
  assert.throws(() => lockOf(RING, undefined, ONE), isRefused("InvalidRequest"));
  assert.equal(lockOf(RING, undefined, undefined), undefined);
});

test("SSE-S3 opens under an old master key after a rotation, and not without it", () => {
  const old = lock(SERVER).record;
  const next = "02".repeat(32);

  const rotated = Keyring.fromHex([next, "01".repeat(32)]);

  assert.deepEqual(lockOf(rotated, old, undefined)?.record, old);
  assert.notDeepEqual(lock(SERVER, rotated).record, old);
  assert.throws(() => lockOf(Keyring.fromHex([next]), old, undefined), isCorrupt);
});

test("a damaged SSE-S3 record is corrupt, not a client's fault", () => {
  const { record } = lock(SERVER);

  const damaged = { ...record, key: `${record.key.slice(0, -4)}AAAA` };

  assert.throws(() => lockOf(RING, damaged, undefined), isCorrupt);
});

test("an ETag is the MD5 unless a client's key hides the bytes: then it differs by object and bytes", () => {
  const [md5, other] = [Buffer.alloc(16, 3), Buffer.alloc(16, 4)];
  const [one, two] = [lock(under(ONE)), lock(under(ONE))];

  assert.equal(etagDigits(md5, undefined), md5.toString("hex"));
  assert.equal(etagDigits(md5, lock(SERVER)), md5.toString("hex"));
  const hidden = [etagDigits(md5, one), etagDigits(md5, two), etagDigits(other, one)];
  assert.match(hidden[0] ?? "", /^[0-9a-f]{32}$/);
  assert.equal(new Set([...hidden, md5.toString("hex")]).size, 4);
  assert.equal(etagDigits(md5, one), hidden[0]);
});
