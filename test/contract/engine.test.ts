import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { systemClock } from "#base/clock.ts";
import { MemoryBlobStore } from "#blob/memory.ts";
import { MemoryMetaStore } from "#meta/memory.ts";
import type { Bucket } from "#object/bucket.ts";
import { bucketName } from "#object/name.ts";
import type { Subject } from "#test/contract/engine.ts";
import { listingContract } from "#test/contract/engine-listing.ts";
import { objectContract } from "#test/contract/engine-objects.ts";
import { uploadContract } from "#test/contract/engine-uploads.ts";
import { TEST_KEYRING } from "#test/support/keyring.ts";
import { VersionedEngine } from "#versioned/engine.ts";
import { VolumeEngine } from "#volume/engine.ts";
import { Volume } from "#volume/volume.ts";

const PART_BYTES = 100;

for (const [adapter, open, runs] of [
  ["versioned", openVersioned, 100],
  ["volume", openVolume, 40],
  ["volume by name", openVolumeByName, 10],
] as const) {
  objectContract(adapter, open);
  uploadContract(adapter, open, PART_BYTES);
  listingContract(adapter, open, { runs });
}

async function openVersioned(): Promise<Subject> {
  const meta = new MemoryMetaStore();
  const key = Buffer.from("bucket");
  await meta.commit({ guards: [], writes: [{ key, value: Buffer.from("there") }] });
  const revision = (await meta.get(key))?.revision ?? 0;
  const engine = new VersionedEngine({
    meta,
    blobs: new MemoryBlobStore(),
    clock: systemClock,
    limits: { inlineBytesMax: 16, partBytesMin: PART_BYTES - 3 },
    keyring: TEST_KEYRING,
  });
  return { engine, bucket: { ...BUCKET, guard: { key, revision } } };
}

async function openVolume(t: TestContext): Promise<Subject> {
  return await openAt(t, false);
}

/** As where the system has no `/proc/self/fd`. */
async function openVolumeByName(t: TestContext): Promise<Subject> {
  return await openAt(t, true);
}

async function openAt(t: TestContext, byName: boolean): Promise<Subject> {
  const root = await mkdtemp(join(tmpdir(), "lode-engine-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const volume = await Volume.open({ root, byName });
  t.after(async () => await volume[Symbol.asyncDispose]());
  return { engine: new VolumeEngine(async () => volume), bucket: BUCKET };
}

const BUCKET: Bucket = {
  name: bucketName("bucket"),
  id: "0".repeat(16),
  organizationId: "organization",
  ownerId: "0".repeat(64),
  region: "local",
  createdMs: 0,
  versioning: undefined,
  guard: { key: new Uint8Array(), revision: 0 },
};
