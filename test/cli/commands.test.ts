import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { COMMANDS } from "#cli/commands.ts";
import { runCli } from "#cli/main.ts";
import { run } from "#test/support/process.ts";
import { type RealServer, startRealServer } from "#test/support/real-server.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

/** Commands against a real server, as its operator. */
async function startLode(t: TestContext) {
  const server = await startRealServer(t);
  const token = readFileSync(join(server.dataDirectory, "admin-token"), "utf8").trim();
  const environment = { LODE_ADMIN_URL: server.adminEndpoint, LODE_ADMIN_TOKEN: token };
  const lode = async (...args: readonly string[]) => await runCli(args, environment);
  const ok = async (...args: readonly string[]) => {
    const { stdout, stderr, exitCode } = await lode(...args);
    assert.equal(exitCode, 0, stderr);
    return stdout;
  };
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  const json = async (...args: readonly string[]): Promise<any> =>
    JSON.parse(await ok(...args, "--json"));
  return { server, token, environment, lode, ok, json };
}

test("users, keys and tokens are managed from the command line", async (t) => {
  const { ok, json, lode } = await startLode(t);

  assert.match(await ok("whoami"), /^principal +operator\norganization +\w{6}\ngroups +-\n$/);
  await ok("user", "create", "ada", "--name", "Ada Lovelace", "--group", "a", "--group", "b");
  assert.deepEqual((await json("user", "get", "ada")).groups, ["a", "b"]);
  await ok("user", "update", "ada", "--group", "c");
  assert.match(await ok("user", "list"), /^UID +NAME +GROUPS +CREATED\nada +Ada Lovelace +c +20/);
  assert.deepEqual((await json("user", "update", "ada", "--no-groups")).groups, []);
  assert.equal((await json("user", "list", "--group", "c")).length, 0);

  const key = await json("key", "create", "--user", "ada", "--ttl", "12h", "--attribute", "x=y");
  assert.equal(Date.parse(key.expiry) - Date.now() > 11.9 * 3_600_000, true);
  assert.deepEqual(key.attributes, { x: "y" });
  const { accessKeyId } = key;
  assert.match(await ok("key", "get", accessKeyId), /status +ACTIVE\nexpires +20\S+Z\n.*x=y\n$/);
  assert.doesNotMatch(await ok("key", "list"), new RegExp(key.secretKey));
  await ok("key", "suspend", accessKeyId);
  assert.equal((await json("key", "list", "--user", "ada", "--active")).length, 0);
  await ok("key", "resume", accessKeyId);
  assert.equal((await json("key", "list", "--principal", "coreweave/ada", "--active")).length, 1);
  await ok("key", "revoke", accessKeyId);
  assert.equal((await json("key", "get", accessKeyId)).status, "DELETED");
  const lines = await ok("key", "create", "--user", "ada", "--env");
  assert.match(
    lines,
    /^export AWS_ACCESS_KEY_ID=CW[A-Z]{14} AWS_SECRET_ACCESS_KEY=cwo[a-z0-9]{40}\n$/,
  );
  assert.match(await ok("key", "revoke-all", "coreweave/ada"), /No key of coreweave\/ada/);

  const { id, token } = await json("token", "create", "--user", "ada", "--ttl", "30d");
  assert.match(await ok("whoami", "--token", token), /^principal +coreweave\/ada\n/);
  assert.match(await ok("token", "list", "--user", "ada"), new RegExp(`\\n${id} +ada `));
  await ok("token", "revoke", id);
  assert.equal((await lode("whoami", "--token", token)).exitCode, 1);
  await ok("user", "delete", "ada");
  assert.equal((await lode("user", "get", "ada")).exitCode, 1);
});

test("policies are put from a file, shown, explained and deleted", async (t) => {
  const { ok, json, lode } = await startLode(t);
  const file = join(await temporaryDirectory(), "policy.json");
  const statement = {
    ...{ name: "read", effect: "Allow", actions: ["s3:GetObject"], resources: ["data/*"] },
    principals: ["role/ci"],
  };
  const policy = { version: "v1alpha1", name: "ci", statements: [statement] };
  writeFileSync(file, JSON.stringify({ policy }));

  await ok("policy", "put", file);

  assert.match(await ok("policy", "list"), /\nci +Allow s3:GetObject to role\/ci\n$/);
  assert.deepEqual(JSON.parse(await ok("policy", "get", "ci")), policy);
  const asked = ["--action", "s3:GetObject", "--action", "s3:PutObject", "--resource", "data/a"];
  assert.equal(
    await ok("policy", "explain", "--as", "role/ci", ...asked, "--context", "s3:prefix=a"),
    's3:GetObject on data/a: allowed: an organization policy allows it (policy "ci" statement "read")\n' +
      "s3:PutObject on data/a: denied: no organization policy allows it\n",
  );
  assert.equal(await ok("policy", "can-i", "--action", "cwobject:ListUsers"), "yes\n");
  const { verdict } = await json("policy", "explain", "--as", "anonymous", ...asked);
  assert.equal(verdict, false);
  await ok("policy", "delete", "ci");
  assert.match((await lode("policy", "get", "ci")).stderr, /"ci" not found/);

  writeFileSync(file, JSON.stringify({ policy: { ...policy, version: "v2" } }));
  const { stderr, exitCode } = await lode("policy", "put", file);
  assert.equal(exitCode, 1);
  assert.equal(stderr, 'lode: policy.version: must be "v1alpha1".\n');
  assert.equal((await lode("policy", "put", "/nowhere.json")).exitCode, 2);
});

test("organizations are managed, and others are meant with --org, before or behind the command", async (t) => {
  const { ok, json, lode } = await startLode(t);

  await ok("org", "create", "research", "--name", "Research");
  assert.match(await ok("org", "get", "research"), /^id +research\nname +Research\n/);
  assert.equal((await json("org", "list")).length, 2);
  await ok("--org", "research", "user", "create", "rob");
  await ok("user", "create", "ron", "--org", "research");
  assert.equal((await json("user", "list", "--org", "research")).length, 2);
  assert.deepEqual(await json("org", "settings", "--org", "research", "--bucket-audit", "on"), {
    controlPlaneAuditLoggingEnabled: false,
    bucketAuditLoggingEnabled: true,
  });
  assert.match(await ok("org", "settings", "--org", "research"), /bucket audit +on\n/);
  const refused = await lode("org", "delete", "research");
  assert.equal(refused.exitCode, 1);
  assert.match(refused.stderr, /still has users: delete them first/);
  for (const uid of ["rob", "ron"]) await ok("user", "delete", uid, "--org", "research");
  await ok("org", "delete", "research");
  assert.equal((await lode("org", "get", "research")).exitCode, 1);
});

test("buckets are listed with what they hold, and set", async (t) => {
  const { server, ok, json, lode } = await startLode(t);
  await createBucket(server, "data");

  assert.match(await ok("bucket", "list"), /^BUCKET .*\ndata +us-east-1 +0 B +0 +20/);
  assert.match(
    await ok("bucket", "update", "data", "--audit", "on", "--cap", "1.5TiB"),
    /1\.5 TiB/,
  );
  assert.equal((await json("bucket", "get", "data")).settings.capacityCapBytes, "1649267441664");
  await ok("bucket", "update", "data", "--cap", "none");
  assert.match(await ok("bucket", "get", "data"), /audit +on\ncapacity cap +none\n/);
  assert.equal(await ok("lifecycle", "preview", "data"), "0 of 0 would go.\n");
  const { stderr, exitCode } = await lode("bucket", "get", "missing");
  assert.deepEqual([exitCode, stderr], [1, 'lode: bucket "missing" not found.\n']);
});

test("a refusal tells what to do, and exits 1", async (t) => {
  const { lode, json, environment } = await startLode(t);
  await json("user", "create", "ada");
  const { token } = await json("token", "create", "--user", "ada");

  const denied = await lode("user", "list", "--token", token);
  assert.equal(denied.exitCode, 1);
  assert.match(
    denied.stderr,
    /cwobject:ListUsers is not allowed\. Ask for a policy that allows it/,
  );
  const wrong = await lode("whoami", "--token", "wrong");
  assert.match(wrong.stderr, /not valid, or not any more\. Set another with LODE_ADMIN_TOKEN/);
  const none = await runCli(["whoami"], { LODE_ADMIN_URL: environment.LODE_ADMIN_URL });
  assert.match(
    none.stderr,
    /Set LODE_ADMIN_TOKEN\. That of \.\/data\/admin-token .* for \S+:9001 alone/,
  );
  const nobody = await lode("whoami", "--admin-url", "http://127.0.0.1:1");
  assert.match(
    nobody.stderr,
    /no server answers at .* Is it running\? Name another with --admin-url/,
  );
  assert.deepEqual([wrong.exitCode, none.exitCode, nobody.exitCode], [1, 1, 1]);
});

test("without another server, the token of the data directory is used; with one, it is not sent", async (t) => {
  const { server, environment } = await startLode(t);
  const LODE_DATA = server.dataDirectory;

  const elsewhere = await runCli(["whoami"], {
    LODE_DATA,
    LODE_ADMIN_URL: environment.LODE_ADMIN_URL,
  });

  assert.equal(elsewhere.exitCode, 1);
  assert.match(elsewhere.stderr, /a token is required/);
});

test("what is not a control API is told as such", async (t) => {
  const { server, lode } = await startLode(t);

  const { stderr, exitCode } = await lode("whoami", "--admin-url", server.endpoint);

  assert.equal(exitCode, 1);
  assert.match(stderr, /is not the control API of Lode \(\d+\)\. Name another/);
});

test("the program itself: exit codes, standard input, help without a server", async (t) => {
  const { environment } = await startLode(t);
  const lode = async (line: string) => {
    const command = ["bash", "-c", line.replaceAll("lode ", `'${process.execPath}' bin/lode `)];
    return await run(t, { command, environment });
  };
  const document = `{"version":"v1alpha1","name":"stdin","statements":[{"name":"a","effect":"Allow","actions":["*"],"resources":["*"],"principals":["role/x"]}]}`;

  assert.equal((await lode(`echo '${document}' | lode policy put -`)).code, 0);
  assert.match((await lode("lode policy list")).stdout, /\nstdin /);
  assert.equal((await lode("lode user get nobody")).code, 1);
  const wrong = await lode("lode user get");
  assert.equal(wrong.code, 2);
  assert.equal(
    wrong.stderr,
    'lode: UID is missing. "lode user get --help" tells how it is used.\n',
  );
  const help = await lode("lode help");
  assert.equal(help.code, 0);
  for (const { name } of COMMANDS) assert.ok(help.stdout.includes(`lode ${name}`), name);
});

async function createBucket({ dataDirectory, ...server }: RealServer, name: string): Promise<void> {
  const { CreateBucketCommand, S3Client } = await import("@aws-sdk/client-s3");
  const s3 = new S3Client({
    endpoint: server.endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId: server.accessKeyId, secretAccessKey: server.secret },
  });
  await s3.send(new CreateBucketCommand({ Bucket: name }));
  s3.destroy();
}
