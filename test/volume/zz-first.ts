import { readdir } from "node:fs/promises";
import { words } from "#test/volume/volume.ts";
import { Volume } from "#volume/volume.ts";

const root = process.argv[2] ?? "";
const v = words(root, await Volume.open({ root }));
if (process.argv[3] === "readdir") {
  const c = process.cpuUsage();
  const a = performance.now();
  const n = await readdir(root, { encoding: "latin1" });
  const u = process.cpuUsage(c);
  console.log(
    "readdir",
    n.length,
    (performance.now() - a).toFixed(0),
    "ms wall; cpu",
    (u.user / 1e3).toFixed(0),
    (u.system / 1e3).toFixed(0),
  );
} else {
  const c = process.cpuUsage();
  const a = performance.now();
  const p = await v.engine.list(v.bucket, { prefix: "", delimiter: "", after: "", limit: 1000 });
  const u = process.cpuUsage(c);
  console.log(
    "first",
    p.objects.length,
    (performance.now() - a).toFixed(0),
    "ms wall; cpu",
    (u.user / 1e3).toFixed(0),
    (u.system / 1e3).toFixed(0),
  );
}
await v.volume[Symbol.asyncDispose]();
