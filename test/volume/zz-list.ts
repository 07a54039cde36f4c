import { readFileSync } from "node:fs";
import { words } from "#test/volume/volume.ts";
import { Volume } from "#volume/volume.ts";

const root = process.argv[2] ?? "";
const v = words(root, await Volume.open({ root }));
const io = () => Number(/rchar: (\d+)/.exec(readFileSync("/proc/self/io", "utf8"))?.[1]);
for (let round = 0; round < 3; round++) {
  const t = performance.now();
  let first = 0;
  let n = 0;
  let max = 0,
    slow = 0;
  let after: string | undefined = "";
  const before = io();
  while (after !== undefined) {
    const a = performance.now();
    const p = await v.engine.list(v.bucket, { prefix: "", delimiter: "", after, limit: 1000 });
    n += p.objects.length;
    after = p.next;
    const d = performance.now() - a;
    if (n <= 1000) first = d;
    else slow = Math.max(slow, d);
    max = Math.max(max, process.memoryUsage().rss);
  }
  const s = (performance.now() - t) / 1000;
  console.log({
    n,
    first: first.toFixed(1),
    slowestLater: slow.toFixed(1),
    perSecond: (n / s).toFixed(0),
    rssMB: (max / 1e6).toFixed(0),
    readBytes: io() - before,
  });
}
{
  const a = performance.now();
  const p = await v.engine.list(v.bucket, { prefix: "", delimiter: "/", after: "", limit: 1000 });
  console.log("delimiter", p.prefixes.length, p.objects.length, performance.now() - a);
}
await v.volume[Symbol.asyncDispose]();
