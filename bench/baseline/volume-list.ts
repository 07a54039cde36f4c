/** Lists all of a volume, page after page, in a process that does nothing else. Prints one line of JSON. */
import { readFileSync } from "node:fs";
import { bucketName } from "#object/name.ts";
import { VolumeEngine } from "#volume/engine.ts";
import { Volume } from "#volume/volume.ts";

export interface VolumeListResult {
  readonly keys: number;
  readonly seconds: number;
  readonly cpuUs: number;
  /** The first page, in a process that has listed nothing before. */
  readonly firstMs: number;
  readonly pagesMs: readonly number[];
  /** That the process read through read(2), whatever it was. */
  readonly readBytes: number;
  readonly rssMaxBytes: number;
}

const [root = "", delimiter = ""] = process.argv.slice(2);
const PAGE_KEYS = 1_000;

const bucket = {
  name: bucketName("volume"),
  id: "0".repeat(16),
  organizationId: "",
  ownerId: "",
  region: "",
  createdMs: 0,
  versioning: undefined,
  guard: { key: new Uint8Array(), revision: 0 },
};

const volume = await Volume.open({ root });
const result = await listAll();
await volume[Symbol.asyncDispose]();
process.stdout.write(`${JSON.stringify(result)}\n`);

async function listAll(): Promise<VolumeListResult> {
  const engine = new VolumeEngine(async () => volume);
  const pagesMs: number[] = [];
  let [keys, rssMaxBytes] = [0, 0];
  const [cpuBefore, readBefore, begin] = [process.cpuUsage(), readBytes(), performance.now()];
  for (let after: string | undefined = ""; after !== undefined; ) {
    const asked = performance.now();
    const page = await engine.list(bucket, { prefix: "", delimiter, after, limit: PAGE_KEYS });
    pagesMs.push(performance.now() - asked);
    keys += page.objects.length + page.prefixes.length;
    rssMaxBytes = Math.max(rssMaxBytes, process.memoryUsage.rss());
    after = page.next;
  }
  const cpu = process.cpuUsage(cpuBefore);
  return {
    keys,
    seconds: (performance.now() - begin) / 1000,
    cpuUs: cpu.user + cpu.system,
    firstMs: pagesMs[0] ?? 0,
    pagesMs,
    readBytes: readBytes() - readBefore,
    rssMaxBytes,
  };
}

function readBytes(): number {
  return Number(/^rchar: (\d+)$/m.exec(readFileSync("/proc/self/io", "utf8"))?.[1] ?? 0);
}
