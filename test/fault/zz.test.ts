import { test } from "node:test";
import { mountSmallDisk } from "#test/fault/small-disk.ts";
import { serveCommand, start, ROOT_ENVIRONMENT, ROOT_KEY, processTree } from "#test/support/process.ts";
import { call, makeBucket, listKeys } from "#test/fault/call.ts";
import { readdirSync, statfsSync } from "node:fs";
const say = (...a: unknown[]) => process.stdout.write(a.map(x => typeof x === "string" ? x : JSON.stringify(x)).join(" ") + "\n");
test("x", async (t) => {
  const disk = await mountSmallDisk(t, 32);
  if (!disk) { say("none"); return; }
  const launch = async () => { const p = start(t, { command: disk.command(serveCommand(disk.path + "/data", "--workers", "2", "--access-log", "false", "--garbage-grace", "0")), environment: ROOT_ENVIRONMENT }); const m = await p.prints(/^ready s3=(\S+) admin=(\S+)$/m); return { p, s: { endpoint: m[1] ?? "", ...ROOT_KEY }}; };
  const { p, s } = await launch();
  const b = await makeBucket(s, "bbb");
  const space = () => { const f = statfsSync(disk.outside); return f.bavail * f.bsize; };
  say("space", space(), processTree(p.pid));
  const put = async (k: string, n: number) => { const g = await call(s, { method: "PUT", path: `${b}/${k}`, body: Buffer.alloc(n, k) }); return `${g.status}${g.code ?? ""} ${/<Message>([^<]*)/.exec(g.body.toString())?.[1] ?? ""}`; };
  say(await put("early-small", 1000), await put("early-large", 1_000_000));
  disk.fill(256*1024);
  let n = 0, failed = 0;
  for (let i = 0; i < 3000 && failed < 10; i++) { const r = await put("t" + i, 10 + (i % 7) * 3000); if (r.startsWith("200")) n++; else failed++; }
  for (let i = 0; i < 3000 && failed < 30; i++) { const r = await put("v" + i, 10); if (r.startsWith("200")) n++; else failed++; }
  say("put", n, "failed", failed, space());
  let ok = 0; const codes: string[] = [];
  for (let i = 0; i < 20; i++) { const g = await call(s, { method: "DELETE", path: `${b}/t${i}` }); if (g.status === 204) ok++; else codes.push(g.code ?? ""); }
  say("deleted", ok, codes);
  say("put", await put("w", 10));
  for (let i = 20; i < 60; i++) { const g = await call(s, { method: "DELETE", path: `${b}/t${i}` }); if (g.status === 204) ok++; else codes.push(g.code ?? ""); }
  say("deleted", ok, codes.length);
  say("put", await put("w", 10));
  try {
  } catch (e) { say(String(e)); }
});
