import { createSecureContext } from "node:tls";
import { AggregatorRegistry, type Registry } from "prom-client";
import { callerName } from "#admin/caller.ts";
import { type AdminView, adminAnswer } from "#admin/listener.ts";
import { AuditSpool } from "#audit/spool.ts";
import { systemClock } from "#base/clock.ts";
import { Keyring } from "#base/keyring.ts";
import { type Log, makeLog } from "#base/log.ts";
import { isLoopback } from "#base/loopback.ts";
import { Metrics } from "#base/metrics.ts";
import { FileBlobStore } from "#blob/files.ts";
import type { AccessPolicies } from "#catalog/access-policies.ts";
import { Catalog } from "#catalog/catalog.ts";
import { firstAdministrator } from "#catalog/first-start.ts";
import { type Identities, openIdentities } from "#catalog/identities.ts";
import { ENGINE_LIMITS } from "#compose.ts";
import { composeControl } from "#compose-control.ts";
import { type Config, ConfigError } from "#config.ts";
import { measureUsage } from "#job/measure-usage.ts";
import { Running } from "#job/running.ts";
import { LmdbMetaStore } from "#meta/lmdb.ts";
import type { MetaStore } from "#meta/store.ts";
import { CommitTogether } from "#process/commit-together.ts";
import { ControlAudit } from "#process/control-audit.ts";
import { Fleet } from "#process/fleet.ts";
import { deliverLeft, type Jobs, runJobs, scrubSettings } from "#process/jobs.ts";
import { endSoon } from "#process/last-words.ts";
import { OpenVolumes } from "#process/open-volumes.ts";
import { stop } from "#process/stop.ts";
import { isPretty, readTls, type WorkerStart } from "#process/worker.ts";
import { type AdminToken, adminToken } from "#server/admin-token.ts";
import {
  type DataDirectory,
  openDataDirectory,
  type RootKey,
  rootKey,
} from "#server/data-directory.ts";
import { type Listening, listen } from "#server/listen.ts";
import { masterKeys } from "#server/master-key.ts";
import { UsageCounters } from "#versioned/usage-counters.ts";

/** Runs the server: workers that speak S3, the admin listener, the jobs. Resolves after a drain. */
export async function runSupervisor(config: Config): Promise<void> {
  const pretty = isPretty(config);
  const log = makeLog({ pretty, access: config.accessLog, to: 2 });
  // Whoever started this process need not listen to what it says.
  process.stdout.on("error", () => undefined);
  checkTls(config);
  await using directory = await openDataDirectory(config.data);
  const keys = masterKeys(directory, config.masterKeyFile);
  const root = chosenKey(config, directory);
  const operator = adminToken(directory, config.adminToken);
  await FileBlobStore.sweepTemporary(directory.blobs);
  await using meta = new LmdbMetaStore(directory.metadata, { broken: endSoon(log) });
  await using blobs = await FileBlobStore.open({
    root: directory.blobs,
    owner: `supervisor-${process.pid}`,
  });
  const metrics = new Metrics();
  const { metadata } = directory;
  const keyring = Keyring.fromHex(keys);
  const catalog = new Catalog(meta, systemClock);
  const identities = openIdentities({ meta, clock: systemClock, keyring });
  const principal = await firstAdministrator({ meta, identities, catalog });
  const { accessKeyId, secret } = root;
  const { data, workers } = config;
  await using together = await CommitTogether.start({ data, metadata, workers, log, pretty });
  const start: WorkerStart = {
    config,
    root: { accessKeyId, secret, principal },
    metadata,
    commitSocket: together?.socket,
    blobs: directory.blobs,
    audit: directory.audit,
    masterKeys: keys,
  };
  const fleet: Fleet = new Fleet(start, log, (filed) => audit.file(filed));
  const audit = await auditOf(config, {
    ...{ root: directory.audit, metrics, log, identities },
    settled: async () => await fleet.settled(),
  });
  const stopping = new AbortController();
  // From here on, so that a signal during the start is not lost.
  const signalled = untilSignal();
  const running = new Running();
  const { signal } = stopping;
  const firstOrganizationId = principal.organizationId ?? "";
  const jobs: Jobs = {
    ...{ audit: directory.audit, metadata, meta, blobs, keyring, fleet, metrics, log },
    ...{ running, signal, firstOrganizationId },
  };
  const ending = { config, jobs, audit, signalled, stopping };
  const port = await Promise.race([fleet.start(), signalled.then(() => undefined)]);
  if (port === undefined) return await untilStopped(Promise.resolve(), ending);
  await using volumes = new OpenVolumes(systemClock, log);
  const view = viewOf(config, {
    ...jobs,
    volumes,
    identities,
    operator,
    rootAccessKeyId: accessKeyId,
    audited: audit,
  });
  await using admin = await listenAdmin(config, view);
  announce(config, { s3: port, admin: admin.port, root, operator, directory });
  await untilStopped(runJobs(config, jobs), ending);
}

interface Ending {
  readonly config: Config;
  readonly jobs: Jobs;
  readonly audit: ControlAudit;
  readonly signalled: Promise<string>;
  readonly stopping: AbortController;
}

/** Resolves when, upon a signal, all has come to its end. */
async function untilStopped(working: Promise<void>, ending: Ending): Promise<void> {
  const { config, jobs, audit, signalled, stopping } = ending;
  const { fleet, log, running } = jobs;
  log.info(`${await signalled}: no new connections; running requests finish`);
  stopping.abort();
  const drained = running.while("requests", async () => await fleet.drain());
  const last = async (): Promise<void> => {
    await running.while("the audit", async () => await audit.close());
    await running.while("the last audit records", async () => await deliverLeft(config, jobs));
  };
  await stop({ log, running, drained: Promise.all([drained, working]), last });
}

interface Viewed extends Jobs {
  readonly volumes: OpenVolumes;
  readonly identities: Identities;
  readonly operator: AdminToken;
  readonly rootAccessKeyId: string;
  readonly audited: ControlAudit;
}

/** What the admin listener shows and does. */
function viewOf(config: Config, parts: Viewed): AdminView {
  const { meta, blobs, keyring, fleet, metrics, log, signal, volumes, identities } = parts;
  const logged = logCall(log);
  return {
    isReady: () => fleet.isWhole,
    metrics: async () => await allMetrics(metrics, { fleet, meta, policies: identities.policies }),
    control: composeControl({
      ...{ meta, blobs, keyring, clock: systemClock, limits: ENGINE_LIMITS, signal, volumes },
      operatorToken: parts.operator.token,
      lifecycleDayMs: config.lifecycleDaySeconds * 1_000,
      scrub: scrubSettings(config),
      region: config.region,
      dataDirectory: config.data,
      firstOrganizationId: parts.firstOrganizationId,
      rootAccessKeyId: parts.rootAccessKeyId,
      silence: parts.audited.silence,
      report: (cause, requestId) => {
        metrics.failures.inc();
        log.error("a call of the control API met a fault of ours", cause, { requestId });
      },
    }),
    called: (request, handled, ms) => {
      logged(request, handled, ms);
      const { operation } = handled.trace;
      metrics.controlCalls.inc({ operation, status: String(handled.reply.status) });
      parts.audited.record(request, handled, ms);
    },
  };
}

interface Auditing {
  readonly root: string;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly identities: Identities;
  readonly settled: () => Promise<void>;
}

async function auditOf(
  config: Config,
  { root, metrics, log, identities, settled }: Auditing,
): Promise<ControlAudit> {
  const spool = await AuditSpool.open({
    root,
    owner: String(process.pid),
    clock: systemClock,
    batchMs: config.auditBatchSeconds * 1_000,
    lost: (count, cause) => {
      metrics.audit.lost.inc(count);
      log.error("audit records were lost", cause, { count });
    },
  });
  const { organizations } = identities;
  return new ControlAudit({ spool, organizations, clock: systemClock, settled });
}

function logCall(log: Log): AdminView["called"] {
  return ({ remoteAddress }, { reply, trace }, ms) =>
    log.access({
      op: trace.operation,
      status: reply.status,
      code: trace.code,
      principal: callerName(trace.caller),
      organization: trace.organizationId,
      denied: trace.denied,
      ms: Math.round(ms * 10) / 10,
      from: remoteAddress,
      id: trace.requestId,
    });
}

/** Fails: ConfigError when the address cannot be had. */
async function listenAdmin(config: Config, view: AdminView): Promise<Listening> {
  const { adminListen } = config;
  try {
    return await listen({ ...adminListen, tls: adminTls(config), answer: adminAnswer(view) });
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(
      `--admin-listen ${adminListen.host}:${adminListen.port}: ${message}. Choose another address with --admin-listen.`,
    );
  }
}

/** Its tools run on this machine, mostly, where a certificate's name would not be theirs. */
function adminTls(config: Config) {
  return isLoopback(config.adminListen.host) ? undefined : readTls(config);
}

/** Fails: ConfigError when the certificate cannot be used. */
function checkTls(config: Config): void {
  try {
    const tls = readTls(config);
    if (tls !== undefined) createSecureContext({ cert: tls.cert, key: tls.key });
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(
      `--tls-cert, --tls-key: ${message}. Name PEM files of one pair that this user can read.`,
    );
  }
}

function chosenKey(
  { rootAccessKeyId, rootSecretAccessKey }: Config,
  directory: DataDirectory,
): RootKey {
  if (rootAccessKeyId === undefined || rootSecretAccessKey === undefined) return rootKey(directory);
  return { accessKeyId: rootAccessKeyId, secret: rootSecretAccessKey, fresh: false };
}

interface Announced {
  readonly s3: number;
  readonly admin: number;
  readonly root: RootKey;
  readonly operator: AdminToken;
  readonly directory: DataDirectory;
}

function announce(config: Config, announced: Announced): void {
  const { s3, admin, root, operator, directory } = announced;
  const scheme = config.tlsCert === undefined ? "http" : "https";
  const endpoint = `${scheme}://${hostText(config.listen.host)}:${s3}`;
  const adminScheme = adminTls(config) === undefined ? "http" : "https";
  const adminEndpoint = `${adminScheme}://${hostText(config.adminListen.host)}:${admin}`;
  const given = config.rootAccessKeyId !== undefined;
  const key = root.fresh
    ? `  access key  ${root.accessKeyId}\n  secret key  ${root.secret}\n              (shown this once; kept in ${directory.credentials})\n`
    : `  root key    ${given ? "LODE_ROOT_ACCESS_KEY_ID" : directory.credentials}\n`;
  const paste = given
    ? "AWS_ACCESS_KEY_ID=$LODE_ROOT_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY=$LODE_ROOT_SECRET_ACCESS_KEY"
    : `AWS_SHARED_CREDENTIALS_FILE=${shellQuoted(directory.credentials)}`;
  process.stdout.write(
    `Lode serves S3 at ${endpoint}\n${key}  operator    ${operator.path ?? "LODE_ADMIN_TOKEN"} ("lode help" lists what it can do)\n  try it      ${paste} AWS_DEFAULT_REGION=${config.region} aws --endpoint-url ${endpoint} s3 mb s3://my-bucket\n` +
      `ready s3=${endpoint} admin=${adminEndpoint}\n`,
  );
}

function hostText(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

function shellQuoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/** Later signals change nothing: a terminal and what started us may both pass on one Ctrl-C. */
async function untilSignal(): Promise<string> {
  return await new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => resolve(signal));
  });
}

interface Measured {
  readonly fleet: Fleet;
  readonly meta: MetaStore;
  readonly policies: AccessPolicies;
}

async function allMetrics(own: Metrics, { fleet, meta, policies }: Measured): Promise<string> {
  await measureUsage(own.usage, { counters: new UsageCounters(meta), policies });
  const registries = await Promise.all([
    own.registry.getMetricsAsJSON(),
    ...(await fleet.metrics()),
  ]);
  const sum: Registry = AggregatorRegistry.aggregate(registries as object[]);
  return await sum.metrics();
}
