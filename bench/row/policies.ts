import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Bench } from "../bench.ts";
import { Session } from "../client/session.ts";
import { KIB } from "../scale.ts";
import { createBucket } from "../target/bucket.ts";
import { freePort, LODE_CREDENTIALS, startLode } from "../target/lode.ts";
import type { Target } from "../target/target.ts";
import { inTurn } from "./compare.ts";
import { attempt, measureLoad } from "./measure.ts";
import { fillPool, getJob } from "./objects.ts";

const STATEMENTS = 50;
const CELL = { sizeBytes: KIB, connections: 64 };
const BUCKET = "lode-bench-policies";
/** Of what the default policy lets through, so much must remain. */
const WANTED = 0.9;

/** GET of small objects under many statements against the policy of the first start, in turn. */
export async function policyRows(bench: Bench): Promise<void> {
  const { workers, directory } = bench;
  const [plainData, manyData] = [join(directory, "default-policy"), join(directory, "policies")];
  const adminPort = await freePort();
  await using plain = await startLode({ dataDirectory: plainData, workers });
  await using many = await startLode({ dataDirectory: manyData, workers, adminPort });
  const targetOf = (name: string, { port, pid }: typeof plain): Target => {
    const endpoint = { host: "127.0.0.1", port, ...LODE_CREDENTIALS };
    return { name, endpoint, pid, bucket: BUCKET };
  };
  const baseline = targetOf("lode, default policy", plain);
  const target = targetOf(`lode, ${STATEMENTS} + ${STATEMENTS} statements`, many);
  const row = `GET 1 KiB x${CELL.connections} by policies, target`;
  await attempt(bench, { row, target }, async () => {
    for (const each of [baseline, target]) {
      await createBucket(each);
      await fillPool(bench, each, CELL.sizeBytes);
    }
    await putPolicies(target, { adminPort, dataDirectory: manyData });
    const measure = async (on: Target) => {
      const job = getJob(on, CELL, bench.scale.targetRoundSeconds);
      return await measureLoad(bench, on, { row, job });
    };
    await inTurn(bench, {
      ...{ row, wanted: [WANTED], baselines: [() => measure(baseline)] },
      target: () => measure(target),
    });
  });
}

/** Of the organization and of the bucket: the statement that allows stands last, and none denies. */
async function putPolicies(
  { endpoint, bucket }: Target,
  control: { readonly adminPort: number; readonly dataDirectory: string },
): Promise<void> {
  const token = readFileSync(join(control.dataDirectory, "admin-token"), "utf8").trim();
  const ask = async (path: string, body?: object): Promise<{ readonly orgId?: string }> => {
    const reply = await fetch(`http://127.0.0.1:${control.adminPort}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await reply.text();
    if (reply.status !== 200) throw new Error(`${path}: ${reply.status} ${text}`);
    return JSON.parse(text);
  };
  const { orgId } = await ask("/v1/lode/whoami");
  await ask("/v1/cwobject/access-policy", { policy: organizationPolicy() });
  using session = new Session(endpoint);
  const body = Buffer.from(JSON.stringify(bucketPolicy(bucket, `${orgId}`)));
  await session.call({ method: "PUT", bucket, query: { policy: "" }, body });
}

function organizationPolicy(): object {
  const statements = Array.from({ length: STATEMENTS }, (_, at) => ({
    name: `statement-${at}`,
    ...(at === STATEMENTS - 1
      ? { effect: "Allow", principals: ["*"], actions: ["s3:*"], resources: ["*"] }
      : {
          effect: at % 5 === 0 ? "Deny" : "Allow",
          principals: at % 3 === 0 ? ["*"] : [`coreweave/user-${at}`],
          actions: ["s3:GetObject", "s3:List*"],
          resources: [`team-${at}`, `team-${at}/data-*`],
        }),
  }));
  return { version: "v1alpha1", name: "many", statements };
}

function bucketPolicy(bucket: string, organizationId: string): object {
  const principal = (name: string) => ({ AWS: `arn:aws:iam::${organizationId}:coreweave/${name}` });
  const Statement = Array.from({ length: STATEMENTS }, (_, at) =>
    at === STATEMENTS - 1
      ? {
          ...{ Effect: "Allow", Principal: principal("admin"), Action: "s3:*" },
          Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
        }
      : {
          Effect: at % 5 === 0 ? "Deny" : "Allow",
          Principal: at % 3 === 0 ? "*" : principal(`user-${at}`),
          Action: ["s3:GetObject", "s3:PutObject"],
          Resource: `arn:aws:s3:::${bucket}/*`,
          Condition: {
            IpAddress: { "aws:SourceIp": [`192.0.2.${at}/32`, `198.51.100.${at}/32`] },
            StringLike: { "aws:UserAgent": `agent-${at}/*` },
          },
        },
  );
  return { Version: "2012-10-17", Statement };
}
