import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { TestContext } from "node:test";
import type { Bucket } from "#object/bucket.ts";
import type { Engine, ListAsk, ListedObject } from "#object/engine.ts";
import { bucketName } from "#object/name.ts";
import { Words } from "#test/contract/engine.ts";
import { VolumeEngine } from "#volume/engine.ts";
import { Volume, type VolumeOptions } from "#volume/volume.ts";

/** A volume over a directory, and the words that tests say to it. */
export interface TestVolume {
  readonly root: string;
  readonly volume: Volume;
  readonly engine: Engine;
  readonly s3: Words;
  /** A path below its root. */
  readonly at: (...names: string[]) => string;
}

export const BUCKET: Bucket = {
  name: bucketName("vol0000001"),
  id: "0".repeat(16),
  organizationId: "organization",
  ownerId: "0".repeat(64),
  region: "local",
  createdMs: 0,
  versioning: undefined,
  guard: { key: new Uint8Array(), revision: 0 },
};

/**
 * Where one directory is mounted, several times where several machines are played, as
 * `/mnt/a:/mnt/b`. tools/nfs-proof sets it; elsewhere volumes lie in the temporary directory.
 */
const MOUNTS = (process.env["LODE_TEST_MOUNTS"] ?? tmpdir()).split(":");
/** What a test has opened and made, the last of which goes first. */
const stacks = new WeakMap<TestContext, AsyncDisposableStack>();

/** A directory that goes with the test, when what was opened in it is closed. */
export async function newRoot(t: TestContext): Promise<string> {
  const root = await mkdtemp(join(MOUNTS[0] ?? tmpdir(), "lode-volume-"));
  // What a killed process had open, an NFS client removes a little later.
  const removal = { recursive: true, force: true, maxRetries: 10 };
  stackOf(t).defer(() => rmSync(root, removal));
  return root;
}

/** The same directory as the machine of that number, from 0 on, sees it. */
export function seenFrom(machine: number, root: string): string {
  return join(MOUNTS[machine % MOUNTS.length] ?? tmpdir(), basename(root));
}

/** Over a fresh directory unless one is given. */
export async function openVolume(
  t: TestContext,
  options: Partial<VolumeOptions> = {},
): Promise<TestVolume> {
  const root = options.root ?? (await newRoot(t));
  const volume = stackOf(t).use(await Volume.open({ ...options, root }));
  return testVolume(root, volume);
}

function stackOf(t: TestContext): AsyncDisposableStack {
  const there = stacks.get(t);
  if (there !== undefined) return there;
  const stack = new AsyncDisposableStack();
  stacks.set(t, stack);
  t.after(async () => await stack.disposeAsync());
  return stack;
}

export function testVolume(root: string, volume: Volume): TestVolume {
  const engine = new VolumeEngine(async () => volume);
  const s3 = new Words({ engine, bucket: BUCKET });
  return { root, volume, engine, s3, at: (...names) => join(root, ...names) };
}

/** All that is listed, page after page. */
export async function listAll(
  { s3 }: Pick<TestVolume, "s3">,
  ask: Partial<ListAsk> = {},
): Promise<ListedObject[]> {
  const found: ListedObject[] = [];
  for (let after: string | undefined = ""; after !== undefined; ) {
    const { objects, next } = await s3.list({ ...ask, after });
    found.push(...objects);
    after = next;
  }
  return found;
}
