/** What is taken back is taken back in every process, over real workers, sockets and disk. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Agent, request as httpRequest } from "node:http";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { systemClock } from "#base/clock.ts";
import { AUDIENCE, startIssuer } from "#test/federation/issuer.ts";
import { startRealServer } from "#test/support/real-server.ts";
import { presignedUrl, type Signer, signedHeaders } from "#test/support/sign.ts";

const WORKERS = 2;
/** Connections go to the workers in turn. */
const CONNECTIONS = 6;

async function openWorld(t: TestContext) {
  const server = await startRealServer(t, { workers: WORKERS });
  const operator = readFileSync(join(server.dataDirectory, "admin-token"), "utf8").trim();
  const control = async (method: string, path: string, body?: unknown) => {
    const reply = await fetch(server.adminEndpoint + path, {
      method,
      headers: { authorization: `Bearer ${operator}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const json = (await reply.json()) as Record<string, string>;
    assert.equal(reply.status, 200, JSON.stringify(json));
    return json;
  };
  const allow = async (principal: string) => {
    const statement = { name: "allow", effect: "Allow", actions: ["s3:*", "cwobject:*"] };
    const statements = [{ ...statement, resources: ["*"], principals: [principal] }];
    const policy = { version: "v1alpha1", name: principal.replace(/\W+/g, "-"), statements };
    await control("POST", "/v1/cwobject/access-policy", { policy });
  };
  const agents = Array.from(
    { length: CONNECTIONS },
    () => new Agent({ keepAlive: true, maxSockets: 1 }),
  );
  t.after(() => agents.forEach((agent) => void agent.destroy()));
  /** What a list of buckets, and a URL that was presigned before, are answered on each connection. */
  const answers = async (who: Signer): Promise<Set<string>> => {
    const url = `${server.endpoint}/`;
    const presigned = presignedUrl({ ...who, method: "GET", url, expiresSeconds: 600 });
    const headers = signedHeaders({ ...who, method: "GET", url });
    const asked = agents.flatMap((agent) => [get(url, headers, agent), get(presigned, {}, agent)]);
    return new Set(await Promise.all(asked));
  };
  return { server, control, allow, answers };
}

async function get(
  url: string,
  headers: Readonly<Record<string, string>>,
  agent: Agent,
): Promise<string> {
  return await new Promise((resolve, reject) => {
    const outgoing = httpRequest(url, { agent, headers }, (reply) => {
      const chunks: Buffer[] = [];
      reply.on("data", (chunk: Buffer) => chunks.push(chunk));
      reply.on("error", reject);
      reply.on("end", () => {
        const code = /<Code>(\w+)</.exec(Buffer.concat(chunks).toString())?.[1];
        resolve(code === undefined ? String(reply.statusCode) : `${reply.statusCode} ${code}`);
      });
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

const TAKEN = new Set(["200"]);
const UNKNOWN = new Set(["403 InvalidAccessKeyId"]);
const INVALID = new Set(["400 InvalidToken"]);

test("a revoked key, a suspended one and a removed user's are refused at once by every worker", async (t) => {
  const { control, allow, answers } = await openWorld(t);
  await allow("coreweave/ada");
  await control("POST", "/v1/lode/user", { uid: "ada" });
  const make = async (): Promise<Signer> => {
    const made = await control("POST", "/v1/lode/user/ada/access-key", { durationSeconds: 600 });
    return { accessKeyId: made["accessKeyId"] ?? "", secret: made["secretKey"] ?? "" };
  };
  const [revoked, suspended, removed] = [await make(), await make(), await make()];
  for (const key of [revoked, suspended, removed]) assert.deepEqual(await answers(key), TAKEN);

  const revoke = { accessKey: revoked.accessKeyId };
  await control("POST", "/v1/cwobject/revoke-access-key/access-key", revoke);
  assert.deepEqual(await answers(revoked), UNKNOWN);
  const status = { status: "SUSPENDED" };
  await control("PUT", `/v1/lode/access-key-status/${suspended.accessKeyId}`, status);
  assert.deepEqual(await answers(suspended), UNKNOWN);
  assert.deepEqual(await answers(removed), TAKEN);
  await control("DELETE", "/v1/lode/user/ada");
  assert.deepEqual(await answers(removed), UNKNOWN);
});

test("session keys, which are stored nowhere, work in every worker and end at once in each", async (t) => {
  const { server, control, allow, answers } = await openWorld(t);
  const issuer = await startIssuer(t);
  const { orgId = "" } = await control("GET", "/v1/lode/whoami");
  const trusted = { name: "ci", issuerUrl: issuer.issuerUrl, audience: AUDIENCE };
  const configuration = { ...trusted, privateNetwork: true };
  const { id = "" } = await control("POST", "/v1/lode/federation/oidc", configuration);
  const role = `role/${issuer.issuerUrl}:workload`;
  await allow(role);
  const make = async (): Promise<Signer> => {
    const url = `${server.adminEndpoint}/v1/cwobject/temporary-credentials/oidc/${orgId}`;
    const token = await issuer.token({}, { nowMs: systemClock.now() });
    const reply = await fetch(url, { headers: { authorization: token } });
    const made = (await reply.json()) as Record<string, string>;
    assert.equal(reply.status, 200, JSON.stringify(made));
    return {
      accessKeyId: made["AccessKeyId"] ?? "",
      secret: made["SecretAccessKey"] ?? "",
      sessionToken: made["Token"] ?? "",
    };
  };
  const [one, two, three] = [await make(), await make(), await make()];
  for (const key of [one, two, three]) assert.deepEqual(await answers(key), TAKEN);

  const revoke = { accessKey: one.accessKeyId };
  await control("POST", "/v1/cwobject/revoke-access-key/access-key", revoke);
  assert.deepEqual(await answers(one), INVALID);
  assert.deepEqual(await answers(two), TAKEN);
  await control("PUT", `/v1/lode/federation/oidc/${id}`, { active: false });
  assert.deepEqual(await answers(two), INVALID);
  await control("PUT", `/v1/lode/federation/oidc/${id}`, { active: true });
  assert.deepEqual(await answers(two), TAKEN);
  await control("POST", "/v1/cwobject/revoke-access-key/principal", { principalName: role });
  assert.deepEqual(await answers(two), INVALID);
  assert.deepEqual(await answers(await make()), TAKEN);
  await control("DELETE", `/v1/lode/federation/oidc/${id}`);
  assert.deepEqual(await answers(three), INVALID);
});
