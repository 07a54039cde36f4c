/** The recipe of the image: what it copies is enough to serve, and what the documents and compose.yaml say of it holds. */
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, dirname, join, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { DRAIN_MS } from "#process/worker.ts";
import { SETTINGS } from "#settings.ts";
import { Context, environmentOf, readStages, said, wordsOf } from "#test/docs/recipe.ts";
import { run, start } from "#test/support/process.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const STAGES = readStages(read("Dockerfile"));
const [MODULES, IMAGE] = STAGES;
assert.ok(MODULES !== undefined && IMAGE !== undefined && STAGES.length === 2);
const CONTEXT = new Context(ROOT);
const COMPOSE = read("compose.yaml");
const PAGE =
  read("docs/operations.md")
    .split(/^## /m)
    .find((part) => part.startsWith("Containers\n")) ?? "";
const SET = environmentOf(IMAGE);
const PORT = said(IMAGE, "EXPOSE");
/** Where "node" is the one that runs this. */
const NODE_PATH = `${dirname(process.execPath)}:/usr/bin:/bin`;

test("what the Dockerfile copies serves, is healthy, takes commands and drains on SIGTERM", async (t) => {
  const lode = join(await copiedImage(), "bin/lode");
  const data = join(await temporaryDirectory(), "data");
  const environment = {
    ...SET,
    PATH: NODE_PATH,
    LODE_DATA: data,
    LODE_LISTEN: "127.0.0.1:0",
    LODE_ADMIN_LISTEN: "127.0.0.1:0",
    LODE_WORKERS: "1",
  };
  const [init, , program, ...command] = [...wordsOf(IMAGE, "ENTRYPOINT"), ...wordsOf(IMAGE, "CMD")];
  assert.deepEqual([init, program], ["tini", "lode"]);

  const server = start(t, { command: [lode, ...command], environment });
  const [, url = ""] = await server.prints(/^ready s3=\S+ admin=(\S+)$/m);
  const inside = { ...environment, LODE_ADMIN_URL: url };
  const healthCheck = { command: wordsOf(IMAGE, "HEALTHCHECK"), environment: inside };
  assert.equal((await run(t, healthCheck)).code, 0, "while it serves");
  const LODE_ADMIN_TOKEN = readFileSync(join(data, "admin-token"), "utf8").trim();
  const asked = { command: [lode, "whoami"], environment: { ...inside, LODE_ADMIN_TOKEN } };
  assert.match((await run(t, asked)).stdout, /^principal +operator$/m);
  server.signal("SIGTERM");
  assert.equal((await server.ended).code, 0);
  assert.notEqual((await run(t, healthCheck)).code, 0, "when it has ended");
  const check = { command: [lode, "check", "--data", data], environment };
  assert.match((await run(t, check)).stdout, /Nothing is wrong/);
});

test("the health check fails while the server answers that it is not ready", async (t) => {
  const asked: (string | undefined)[] = [];
  const server = createServer(({ url }, reply) => {
    asked.push(url);
    reply.writeHead(503).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const LODE_ADMIN_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const { code } = await run(t, {
    command: wordsOf(IMAGE, "HEALTHCHECK"),
    environment: { PATH: NODE_PATH, LODE_ADMIN_URL },
  });

  assert.equal(code, 1);
  assert.deepEqual(asked, ["/health/ready"]);
});

test("a container that is told nothing more does not serve a network in the clear", async (t) => {
  const data = await temporaryDirectory();
  const command = [process.execPath, "bin/lode", "serve"];

  const { code, stderr } = await run(t, { command, environment: { ...SET, LODE_DATA: data } });

  assert.equal(code, 2);
  assert.match(stderr, /--listen "0\.0\.0\.0:9000": other machines could reach it without TLS/);
  assert.equal(SET["LODE_ADMIN_LISTEN"], undefined);
  assert.match(SETTINGS.adminListen.fallback, /^127\.0\.0\.1:/);
});

test("what .dockerignore leaves is what the Dockerfile copies, and no data, history or test", () => {
  const sources = [MODULES, IMAGE].flatMap(({ copies }) =>
    copies.flatMap(({ from, sources: each }) => (from === "" ? each : [])),
  );
  const copied = new Set(sources.flatMap((source) => CONTEXT.filesOf(source)));

  assert.ok(copied.has("src/main.ts") && copied.has("bin/lode") && copied.has("package-lock.json"));
  assert.deepEqual(CONTEXT.files().toSorted(), [...copied].toSorted());
  for (const path of [".git/config", ".env", "data/credentials", "node_modules/lmdb/index.js"])
    assert.ok(!CONTEXT.has(path), path);
  for (const path of ["src/config.test.ts", "src/s3/deep/er.test.ts", "test/docs/image.test.ts"])
    assert.ok(!CONTEXT.has(path), path);
});

test("both stages begin with the Node that package.json asks for", () => {
  const { engines } = JSON.parse(read("package.json")) as { engines: { node: string } };
  const [, major] = /^>=(\d+)\./.exec(engines.node) ?? [];

  assert.match(MODULES.base, new RegExp(`^node:${major}-[a-z]+-slim$`));
  assert.equal(IMAGE.base, MODULES.base);
});

test("docs/operations.md and compose.yaml name the user, the volume and the port of the image", () => {
  const [user, volume] = [said(IMAGE, "USER"), said(IMAGE, "VOLUME")];
  const [uid, gid] = user.split(":");

  assert.match(user, /^[1-9]\d*:[1-9]\d*$/);
  assert.deepEqual(SET, { LODE_DATA: volume, LODE_LISTEN: `0.0.0.0:${PORT}` });
  for (const text of [
    ...[`\`${user}\``, `chown ${user} `, `-v lode:${volume} `, `-p 127.0.0.1:${PORT}:${PORT} `],
    ...[`runAsUser: ${uid}`, `runAsGroup: ${gid}`, `fsGroup: ${gid}`, `mountPath: ${volume}}`],
    `containerPort: ${PORT}}`,
  ])
    assert.ok(PAGE.includes(text), text);
  for (const text of [`"127.0.0.1:${PORT}:${PORT}"`, `"data:${volume}"`])
    assert.ok(COMPOSE.includes(text), text);
});

test("what docs/operations.md and compose.yaml set is a setting, and stopping leaves time to drain", () => {
  const known: readonly string[] = Object.values(SETTINGS).map(({ env }) => env);
  const named = `${PAGE}${COMPOSE}`.match(/\bLODE_[A-Z_]+[A-Z]\b/g) ?? [];
  const graces = `${PAGE}${COMPOSE}`.matchAll(
    /(?:--stop-timeout |stop_grace_period: |terminationGracePeriodSeconds: )(\d+)/g,
  );
  const seconds = [...graces].map(([, each]) => Number(each));

  assert.ok(named.length > 10);
  const unknown = named.filter((name) => !known.includes(name));
  // Read by commands and the health check, not by the server.
  assert.deepEqual([...new Set(unknown)], ["LODE_ADMIN_URL"]);
  assert.ok(seconds.length >= 3 && Math.min(...seconds) * 1_000 > DRAIN_MS, seconds.join());
});

function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** The working directory of the image, made of the same files. */
async function copiedImage(): Promise<string> {
  const image = join(await temporaryDirectory(), "lode");
  for (const { from, sources, to } of IMAGE?.copies ?? []) {
    if (from !== "") copyModules(join(image, to));
    else for (const source of sources) copyFiles(source, join(image, to));
  }
  return image;
}

/** Of a directory what lies in it, as COPY does. */
function copyFiles(source: string, to: string): void {
  for (const path of CONTEXT.filesOf(source))
    cpSync(join(ROOT, path), join(to, relative(source, path) || basename(path)));
}

/** What `npm ci --omit=dev --ignore-scripts` brings, without what is removed after it. */
function copyModules(to: string): void {
  const { packages } = JSON.parse(read("package-lock.json")) as {
    packages: Readonly<Record<string, { readonly dev?: boolean }>>;
  };
  for (const [path, { dev }] of Object.entries(packages)) {
    const isInstalled = path !== "" && dev !== true && existsSync(join(ROOT, path));
    if (!isInstalled || MODULES?.removed.includes(path)) continue;
    const target = join(to, relative("node_modules", path));
    mkdirSync(target, { recursive: true });
    // What lies in a package's own node_modules has a line of its own.
    const nested = join(ROOT, path, "node_modules");
    cpSync(join(ROOT, path), target, { recursive: true, filter: (each) => each !== nested });
  }
}
