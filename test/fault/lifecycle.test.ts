/** What a server says and does from its start to its end. */
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { systemClock } from "#base/clock.ts";
import { makeCertificate } from "#test/clients/certificate.ts";
import { expectCall, makeBucket, put, signedHead, type Target } from "#test/fault/call.ts";
import {
  type Ended,
  processTree,
  ROOT_ENVIRONMENT,
  ROOT_KEY,
  type Running,
  serveCommand,
  start,
  workersOf,
} from "#test/support/process.ts";
import { RawSocket } from "#test/support/raw-socket.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

/** More than the system and the server hold of an answer that nobody reads. */
const LARGE_BYTES = 32 * 2 ** 20;
const READY = /^ready s3=(https?:\/\/127\.0\.0\.1:\d+) admin=(http:\/\/127\.0\.0\.1:\d+)$/m;

suite("a server from its start to its end", { concurrency: 3 }, () => {
  test("the ready line is the last, exact, and true: S3, liveness and readiness are served", async (t) => {
    const { server, running, admin } = await serve(t, await temporaryDirectory(), "--workers", "2");
    assert.match(running.stdout(), /\nready s3=\S+ admin=\S+\n$/);
    assert.equal((await fetch(`${admin}/health/live`)).status, 200);
    assert.equal((await fetch(`${admin}/health/ready`)).status, 200);
    assert.match(
      await (await fetch(`${admin}/metrics`)).text(),
      /^# TYPE lode_requests_total counter$/m,
    );
    await expectCall(server, { method: "GET", path: "/" });
    assert.equal((await stop(running)).stdout, running.stdout());
  });

  test("the first start makes a root key and shows it once; the second keeps it and shows no secret", async (t) => {
    const data = await temporaryDirectory();
    const first = await serve(t, data, { environment: {} });
    const credentials = join(data, "credentials");
    const text = readFileSync(credentials, "utf8");
    const key = {
      accessKeyId: /^aws_access_key_id = (\S+)$/m.exec(text)?.[1] ?? "",
      secret: /^aws_secret_access_key = (\S+)$/m.exec(text)?.[1] ?? "",
    };
    assert.equal(statSync(credentials).mode & 0o777, 0o600);
    assert.ok(key.secret.length >= 40);
    assert.ok(first.running.stdout().includes(key.secret));
    await makeBucket({ ...first.server, ...key }, "kept");
    const ended = await stop(first.running);
    assert.ok(!ended.stderr.includes(key.secret));

    const second = await serve(t, data, { environment: {} });
    await expectCall({ ...second.server, ...key }, { method: "HEAD", path: "/kept" });
    const { stdout, stderr } = await stop(second.running);
    assert.ok(stdout.includes(credentials));
    assert.ok(!`${stdout}${stderr}`.includes(key.secret));
  });

  test("a root key that is given in the environment is never written or shown", async (t) => {
    const data = await temporaryDirectory();
    const { server, running } = await serve(t, data);
    await expectCall(server, { method: "GET", path: "/" });
    const { stdout, stderr } = await stop(running);
    assert.ok(!`${stdout}${stderr}`.includes(ROOT_KEY.secret));
    assert.throws(() => statSync(join(data, "credentials")), { code: "ENOENT" });
  });

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    test(`${signal} drains: what is under way finishes, what is new is refused, and it ends with 0`, async (t) => {
      const { server, running } = await serve(t, await temporaryDirectory(), "--workers", "2");
      const bucket = await makeBucket(server, "drain");
      const body = Buffer.alloc(300_000, "x");
      const uploads = await Promise.all(
        Array.from({ length: 4 }, async (_, index) => {
          const socket = await RawSocket.connect(server.endpoint);
          return await begin(socket, server, { path: `${bucket}/${index}`, body });
        }),
      );
      await using idle = await RawSocket.connect(server.endpoint);
      await idle.send(signedHead(server, { method: "GET", path: "/" }));
      await idle.response();

      running.signal(signal);

      assert.equal(await idle.ended(), "");
      await untilRefused(server.endpoint);
      for (const socket of uploads) {
        await socket.send(body.subarray(1_000));
        assert.equal((await socket.response()).status, 200);
        assert.equal(await socket.ended(), "");
      }
      assert.equal((await running.ended).code, 0);
    });
  }

  test("SIGTERM drains connections over TLS as it does others: a download and an upload finish", async (t) => {
    const certificate = await makeCertificate();
    if (certificate === undefined) return t.skip("no openssl here");
    const { certificateFile, keyFile, authority } = certificate;
    const files = ["--tls-cert", certificateFile, "--tls-key", keyFile];
    const { server, running } = await serve(t, await temporaryDirectory(), ...files);
    assert.match(server.endpoint, /^https:/);
    const connected = async () => await RawSocket.connect(server.endpoint, authority);
    const large = Buffer.alloc(LARGE_BYTES, "large");
    await using idle = await connected();
    for (const { path, body } of [
      { path: "/tls", body: "" },
      { path: "/tls/large", body: large },
    ]) {
      await idle.send(signedHead(server, { method: "PUT", path, body }));
      await idle.send(body);
      assert.equal((await idle.response()).status, 200);
    }
    await using reading = await connected();
    await reading.send(signedHead(server, { method: "GET", path: "/tls/large" }));
    await reading.begins();
    reading.stopReading();
    const body = Buffer.alloc(300_000, "x");
    await using writing = await begin(await connected(), server, { path: "/tls/key", body });

    running.signal("SIGTERM");

    assert.equal(await idle.ended(), "");
    await untilRefused(server.endpoint.replace("https:", "http:"));
    await writing.send(body.subarray(1_000));
    assert.equal((await writing.response()).status, 200);
    assert.equal(await writing.ended(), "");
    reading.readOn();
    assert.ok((await reading.response()).body.equals(large));
    assert.equal(await reading.ended(), "");
    assert.equal((await running.ended).code, 0);
  });

  test("what was written before a stop is there after the next start", async (t) => {
    const data = await temporaryDirectory();
    const first = await serve(t, data, "--workers", "2");
    const bucket = await makeBucket(first.server, "restart");
    const body = Buffer.alloc(300_000, "x");
    await put(first.server, `${bucket}/key`, body);
    assert.equal((await stop(first.running)).code, 0);
    const second = await serve(t, data, "--workers", "3");
    const got = await expectCall(second.server, { method: "GET", path: `${bucket}/key` });
    assert.ok(got.body.equals(body));
  });

  test("workers whose supervisor is killed end too, and the directory is free", async (t) => {
    const data = await temporaryDirectory();
    const first = await serve(t, data, "--workers", "3");
    const [supervisor = 0] = processTree(first.running.pid);
    assert.equal(workersOf(first.running.pid).length, 3);
    process.kill(supervisor, "SIGKILL");
    await first.running.ended;
    const second = await serve(t, data);
    await expectCall(second.server, { method: "GET", path: "/" });
  });
});

interface Served {
  readonly server: Target;
  readonly admin: string;
  readonly running: Running;
}

async function serve(
  t: TestContext,
  data: string,
  ...settings: readonly (string | { readonly environment: Readonly<Record<string, string>> })[]
): Promise<Served> {
  const flags = settings.filter((setting) => typeof setting === "string");
  const [given] = settings.filter((setting) => typeof setting === "object");
  const environment = given?.environment ?? ROOT_ENVIRONMENT;
  const running = start(t, { command: serveCommand(data, ...flags), environment });
  const [, endpoint = "", admin = ""] = await running.prints(READY);
  return { server: { endpoint, ...ROOT_KEY }, admin, running };
}

async function stop(running: Running): Promise<Ended> {
  running.signal("SIGTERM");
  return await running.ended;
}

/** Each worker closes its ear in its own time. */
async function untilRefused(endpoint: string): Promise<void> {
  for (;;) {
    try {
      await using _ = await RawSocket.connect(endpoint);
    } catch (cause) {
      assert.ok(cause instanceof Error && "code" in cause && cause.code === "ECONNREFUSED");
      return;
    }
    await systemClock.sleep(10);
  }
}

/** A request under way: its head and a piece of its body are sent. */
async function begin(
  socket: RawSocket,
  server: Target,
  { path, body }: { readonly path: string; readonly body: Buffer },
): Promise<RawSocket> {
  const headers = { expect: "100-continue" };
  await socket.send(signedHead(server, { method: "PUT", path, headers, body }));
  // Now a worker has it.
  assert.equal((await socket.response()).status, 100);
  await socket.send(body.subarray(0, 1_000));
  return socket;
}
