/** A server's worker over a volume, without a server: does what its arguments say, and tells. */
import { createHash } from "node:crypto";
import { S3Error } from "#base/error.ts";
import type { PartInfo } from "#object/engine.ts";
import { type TestVolume, testVolume } from "#test/volume/volume.ts";
import { Volume } from "#volume/volume.ts";

const [root = "", task = "", ...args] = process.argv.slice(2);
const SIZES = [0, 1_000, 70_000, 1_500_000];
const PART_BYTES = 200_000;

const tasks: Readonly<Record<string, (volume: TestVolume) => Promise<void>>> = {
  create: createAll,
  count: countUp,
  write: writeOn,
  fill: fillUp,
  hold: holdLock,
};

// Waits of the product keep no process alive; in a server its sockets do.
const alive = setInterval(() => {}, 60_000);
const volume = testVolume(root, await Volume.open({ root }));
say("open");
await tasks[task]?.(volume);
await volume.volume[Symbol.asyncDispose]();
clearInterval(alive);

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Creates each of so many keys that nobody else has created, and says which. */
async function createAll({ s3 }: TestVolume): Promise<void> {
  const [name = "", count = "0"] = args;
  for (let at = 0; at < Number(count); at += 1) {
    const put = s3.put(`d${at % 5}/${at}`, name, { conditions: { ifNoneMatch: "*" } });
    if (await succeeds(put)) say(`created ${at}`);
  }
}

/** Adds one to a number, so many times, whoever does so too. */
async function countUp({ s3 }: TestVolume): Promise<void> {
  for (let left = Number(args[0]); left > 0; ) {
    const { etag } = await s3.head("count");
    const text = await s3.text("count");
    // What was read may be newer than the ETag: then the condition fails.
    const put = s3.put("count", String(Number(text) + 1), { conditions: { ifMatch: etag } });
    if (await succeeds(put)) left -= 1;
  }
}

async function succeeds(doing: Promise<unknown>): Promise<boolean> {
  try {
    await doing;
    return true;
  } catch (cause) {
    const codes = ["PreconditionFailed", "ConditionalRequestConflict"];
    if (cause instanceof S3Error && codes.includes(cause.code)) return false;
    throw cause;
  }
}

/** Writes until it is killed. Says what it is about to do, and what was acknowledged. */
async function writeOn(volume: TestVolume): Promise<void> {
  const [name = ""] = args;
  await Promise.all([putOn(volume, name), putOn(volume, `${name}x`), uploadOn(volume, name)]);
}

async function putOn({ s3 }: TestVolume, name: string): Promise<void> {
  for (let round = 0; ; round += 1) {
    const key = `${name}/put-${round % 7}/${round % 11}`;
    const bytes = contentOf(`${key} ${round}`, SIZES[round % SIZES.length] ?? 0);
    await acknowledged(key, digest(bytes), () => s3.put(key, bytes));
    if (round % 5 === 0) await acknowledged(key, "none", () => s3.delete(key));
    if (round % 5 === 1) await move({ s3 }, key, digest(bytes));
  }
}

async function move({ s3 }: Pick<TestVolume, "s3">, from: string, was: string): Promise<void> {
  const to = `${from}-moved`;
  say(`may ${from} none`);
  await acknowledged(to, was, () => s3.rename(from, to));
  say(`is ${from} none`);
}

async function uploadOn({ s3 }: TestVolume, name: string): Promise<void> {
  for (let round = 0; ; round += 1) {
    const key = `${name}/upload-${round % 3}`;
    const bytes = contentOf(`${key} ${round}`, PART_BYTES * 2 + 1_000);
    const upload = await s3.create(key);
    const sent: PartInfo[] = [];
    for (const number of [2, 1, 3]) {
      const from = (number - 1) * PART_BYTES;
      sent[number - 1] = await s3.part(upload, number, bytes.subarray(from, from + PART_BYTES));
    }
    await acknowledged(key, digest(bytes), () => s3.complete(upload, sent));
  }
}

async function acknowledged(key: string, state: string, work: () => Promise<unknown>) {
  say(`may ${key} ${state}`);
  await work();
  say(`is ${key} ${state}`);
}

/** Writes until the disk is full, and says what S3 says then. */
async function fillUp({ s3, volume }: TestVolume): Promise<void> {
  const upload = await s3.create("upload");
  await s3.part(upload, 1, contentOf("part", 300_000));
  for (let round = 0; ; round += 1) {
    const key = `fill/${round}`;
    try {
      await s3.put(key, contentOf(key, 900_000));
    } catch (cause) {
      say(`refused ${round} ${cause instanceof S3Error ? `${cause.status} ${cause.code}` : cause}`);
      break;
    }
  }
  const part = s3.part(upload, 2, contentOf("part", 3_000_000));
  say(`part ${await part.catch((cause) => (cause instanceof S3Error ? cause.code : cause))}`);
  say(`used ${(await s3.keys()).length} ${(await volume.usage.usedBytes()) ?? "unknown"}`);
  await s3.delete("fill/0");
  await s3.delete("fill/1");
  await s3.put("again", contentOf("again", 900_000));
  say(`again ${(await s3.parts(upload)).parts.length} ${digest(await s3.bytes("again"))}`);
}

/** Takes a lock and keeps it until it is killed. */
async function holdLock({ volume }: TestVolume): Promise<void> {
  await volume.locks.hold(args[0] ?? "", async () => {
    say("held");
    await new Promise(() => {});
  });
}

/** Bytes that name their write all over, so that a piece of another would show. */
function contentOf(name: string, sizeBytes: number): Buffer {
  return Buffer.alloc(sizeBytes, `${name};`);
}

function digest(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}
