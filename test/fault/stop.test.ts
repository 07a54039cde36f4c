/** A server that is told to stop while something does not answer, and what becomes of it where nobody listens. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { systemClock } from "#base/clock.ts";
import {
  committerOf,
  processTree,
  ROOT_ENVIRONMENT,
  serveCommand,
  start,
  workersOf,
} from "#test/support/process.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";
import { HIDDEN_NAME } from "#volume/key-path.ts";

const READY = /^ready s3=(http:\S+) admin=(http:\S+)$/m;
const ADMIN_TOKEN = "operator-token-of-the-tests";
const ENVIRONMENT = { ...ROOT_ENVIRONMENT, LODE_ADMIN_TOKEN: ADMIN_TOKEN };
/** More than a pipe holds of lines of the log. */
const REQUESTS = 600;

suite("a server that is told to stop", { concurrency: 3 }, () => {
  test("it ends with 0 in its time though a volume does not answer, and names it", async (t) => {
    const root = await temporaryDirectory();
    const data = await temporaryDirectory();
    const first = start(t, { command: serveCommand(data), environment: ENVIRONMENT });
    const [, , admin = ""] = await first.prints(READY);
    const made = await fetch(`${admin}/v1/lode/volume`, {
      method: "POST",
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
      body: JSON.stringify({ path: root, volumeId: "hung-volume" }),
    });
    assert.equal(made.status, 200, await made.text());
    first.signal("SIGTERM");
    const before = await first.ended;
    assert.equal(before.code, 0, before.stderr);
    // Whoever opens it waits for a writer, as for a server of files that is gone.
    assert.equal(
      spawnSync("mkfifo", [join(root, HIDDEN_NAME, "owners", "0".repeat(16))]).status,
      0,
    );

    const running = start(t, { command: serveCommand(data), environment: ENVIRONMENT });
    await running.prints(READY);
    const isWaiting = () => placesOf(running.pid).includes("wait_for_partner");
    if (placesOf(running.pid).every((place) => place === "0")) return t.skip("nobody may see it");
    while (!isWaiting()) await systemClock.sleep(20);
    running.signal("SIGTERM");

    const { code, stderr } = await running.ended;
    assert.equal(code, 0, stderr);
    assert.match(stderr, /time to stop is over.*the sweep of the volume hung-volume/);
    assert.deepEqual(workersOf(running.pid), []);
  });

  test("a log that nobody reads holds up neither requests nor the end", async (t) => {
    const { child, line } = await unread(t, { stderr: "pipe" });
    const [, endpoint = ""] = READY.exec(await line) ?? [];
    for (let index = 0; index < REQUESTS; index += 1) {
      assert.equal((await fetch(`${endpoint}/bucket/${"k".repeat(500)}`)).status, 403);
    }
    const began = processTree(child.pid ?? 0);
    assert.ok(began.length > 1);

    child.kill("SIGTERM");

    const [code] = await once(child, "exit");
    assert.equal(code, 0);
    child.stderr?.resume();
  });

  test("standard output that nobody reads any more, and a full disk below the log, end nothing", async (t) => {
    const full = openSync("/dev/full", "w");
    t.after(() => closeSync(full));
    const port = await freePort();
    const listen = ["--listen", `127.0.0.1:${port}`];
    const { child } = await unread(t, { stderr: full, settings: listen });
    child.stdout?.destroy();

    const endpoint = `http://127.0.0.1:${port}/`;
    let status = 0;
    while (status === 0) {
      await systemClock.sleep(50);
      status = await fetch(endpoint).then(
        (reply) => reply.status,
        () => 0,
      );
      assert.equal(child.exitCode, null);
    }

    assert.equal(status, 403);
    child.kill("SIGTERM");
    assert.deepEqual(await once(child, "exit"), [0, null]);
  });

  test("a signal while workers begin ends it with 0, and leaves no process", async (t) => {
    const data = await temporaryDirectory();
    const running = start(t, { command: serveCommand(data, "--workers", "3") });
    while (workersOf(running.pid).length === 0) await systemClock.sleep(5);
    const committer = committerOf(running.pid);

    running.signal("SIGTERM");

    const { code, stdout } = await running.ended;
    assert.equal(code, 0);
    assert.doesNotMatch(stdout, /^ready/m);
    assert.notEqual(committer, undefined);
    assert.throws(() => process.kill(committer ?? 0, 0), { code: "ESRCH" });
  });

  test("a data directory that is removed under it ends it, for nothing can be kept any more", async (t) => {
    const data = join(await temporaryDirectory(), "data");
    const running = start(t, { command: serveCommand(data), environment: ENVIRONMENT });
    await running.prints(READY);

    rmSync(data, { recursive: true });

    const { code, stderr } = await running.ended;
    assert.equal(code, 2, stderr);
    assert.match(stderr, /metadata was removed/);
  });

  test("a terminal that is closed drains it as Ctrl-C does", async (t) => {
    const data = await temporaryDirectory();
    const running = start(t, { command: serveCommand(data), environment: ENVIRONMENT });
    await running.prints(READY);

    running.signal("SIGHUP");

    const { code, stderr } = await running.ended;
    assert.equal(code, 0);
    assert.match(stderr, /SIGHUP: no new connections/);
  });
});

/** Where in the kernel each thread of the process waits; "0" for those that wait for nothing, or are not shown. */
function placesOf(pid: number): readonly string[] {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks).map((task) => readFileSync(join(tasks, task, "wchan"), "utf8"));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

interface Unread {
  readonly stderr: "pipe" | number;
  readonly settings?: readonly string[];
}

/** A server of whose log nothing is read. `line` is the one that says that it is ready. */
async function unread(t: TestContext, { stderr, settings = [] }: Unread) {
  const data = join(await temporaryDirectory(), "data");
  mkdirSync(data);
  const [program = "", ...args] = serveCommand(data, ...settings);
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(program, args, {
    cwd: new URL("../..", import.meta.url),
    env: { PATH, HOME, ...ENVIRONMENT },
    stdio: ["ignore", "pipe", stderr],
  });
  t.after(() => child.kill("SIGKILL"));
  let said = "";
  const line = new Promise<string>((resolve) => {
    child.stdout?.on("data", (piece: Buffer) => {
      said += piece.toString();
      if (READY.test(said)) resolve(said);
    });
  });
  return { child, line };
}
