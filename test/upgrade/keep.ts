/**
 * Keeps what a release writes: `node test/upgrade/keep.ts TREE NAME` starts the release that is checked out at TREE,
 * puts one of everything into it, and writes its data directory to `kept/NAME.json.gz`. To be run, and the file
 * committed, when a format changes: of the last commit before the change.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { packDirectory, writeKept } from "#test/upgrade/directory.ts";
import { fill } from "#test/upgrade/fill.ts";
import { observe } from "#test/upgrade/observe.ts";
import { KEPT, OWNER, PRINCIPAL, s3Client, TOKEN } from "#test/upgrade/owner.ts";

const [tree, name] = process.argv.slice(2);
if (tree === undefined || name === undefined) {
  process.stderr.write("Usage: node test/upgrade/keep.ts TREE NAME\n");
  process.exit(2);
}
const cwd = resolve(tree);
const directory = mkdtempSync(join(tmpdir(), "lode-keep-"));
try {
  const bytes = await keep(join(directory, "data"), join(KEPT, `${name}.json.gz`));
  process.stdout.write(`${bytes} bytes\n`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function keep(data: string, file: string): Promise<number> {
  const ports = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
  const args = [
    "bin/lode",
    "serve",
    "--data",
    data,
    "--workers",
    "1",
    "--access-log",
    "false",
    ...ports,
  ];
  const environment = {
    LODE_ROOT_ACCESS_KEY_ID: OWNER.accessKeyId,
    LODE_ROOT_SECRET_ACCESS_KEY: OWNER.secret,
    LODE_ADMIN_TOKEN: TOKEN,
  };
  const env = { ...process.env, ...environment };
  const server = spawn(process.execPath, args, { cwd, env, stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(server, "exit");
  try {
    const { endpoint, admin } = await ready(createInterface(server.stdout));
    const s3 = s3Client(endpoint, OWNER);
    await fill(s3);
    const key = userKey({ ...env, LODE_ADMIN_URL: admin });
    const observed = await observe(s3);
    s3.destroy();
    server.kill("SIGTERM");
    await ended;
    return writeKept(file, { observed, key, files: packDirectory(data) });
  } finally {
    server.kill("SIGKILL");
  }
}

async function ready(lines: AsyncIterable<string>): Promise<{ endpoint: string; admin: string }> {
  for await (const line of lines) {
    const [, endpoint, admin] = /^ready s3=(\S+) admin=(\S+)$/.exec(line) ?? [];
    if (endpoint !== undefined && admin !== undefined) return { endpoint, admin };
  }
  throw new Error("the server ended before it was ready");
}

/** Of a user who may do everything, by a policy of their own. */
function userKey(env: NodeJS.ProcessEnv): { accessKeyId: string; secret: string } {
  const lode = (...args: readonly string[]) =>
    execFileSync(process.execPath, ["bin/lode", ...args], { cwd, env, encoding: "utf8" });
  lode("user", "create", "ada");
  const file = join(directory, "policy.json");
  const statement = { name: "all", effect: "Allow", actions: ["s3:*"], resources: ["*"] };
  const statements = [{ ...statement, principals: [PRINCIPAL] }];
  writeFileSync(file, JSON.stringify({ version: "v1alpha1", name: "ada", statements }));
  lode("policy", "put", file);
  const made = JSON.parse(lode("key", "create", "--user", "ada", "--json"));
  return { accessKeyId: made.accessKeyId, secret: made.secretKey };
}
