import cluster, { type Worker } from "node:cluster";
import { createSecureContext } from "node:tls";
import { AggregatorRegistry, type Registry } from "prom-client";
import { type AdminView, adminAnswer } from "#admin/health.ts";
import { deadline, systemClock } from "#base/clock.ts";
import { StorageError } from "#base/error.ts";
import { Keyring } from "#base/keyring.ts";
import { type Log, makeLog } from "#base/log.ts";
import { Metrics } from "#base/metrics.ts";
import { randomHex } from "#base/random.ts";
import { FileBlobStore } from "#blob/files.ts";
import type { BlobStore } from "#blob/store.ts";
import { Catalog } from "#catalog/catalog.ts";
import { firstAdministrator } from "#catalog/first-start.ts";
import { openIdentities } from "#catalog/identities.ts";
import { JobPlace } from "#catalog/job-place.ts";
import { ENGINE_LIMITS } from "#compose.ts";
import type { Config } from "#config.ts";
import { ConfigError } from "#config.ts";
import { runGarbage } from "#job/garbage.ts";
import { runLifecycle } from "#job/lifecycle.ts";
import { runOrphans } from "#job/orphans.ts";
import { LmdbMetaStore } from "#meta/lmdb.ts";
import type { MetaStore } from "#meta/store.ts";
import {
  type DataDirectory,
  openDataDirectory,
  type RootKey,
  rootKey,
} from "#server/data-directory.ts";
import { closeHandedOver } from "#server/handed-over.ts";
import { type Listening, listen } from "#server/listen.ts";
import { masterKeys } from "#server/master-key.ts";
import { VersionedEngine } from "#versioned/engine.ts";
import { type FromWorker, isPretty, readTls, type ToWorker, type WorkerStart } from "#worker.ts";

/** How long running requests have to finish after SIGTERM. */
const DRAIN_MS = 30_000;
/** A worker that dies is started again after this long. */
const RESTART_MS = 500;
const METRICS_MS = 2_000;

/** Runs the server: workers that speak S3, the admin listener, the jobs. Resolves after a drain. */
export async function runSupervisor(config: Config): Promise<void> {
  const log = makeLog({ pretty: isPretty(config), access: false, to: 2 });
  checkTls(config);
  await using directory = await openDataDirectory(config.data);
  const keys = masterKeys(directory, config.masterKeyFile);
  const root = chosenKey(config, directory);
  await FileBlobStore.sweepTemporary(directory.blobs);
  await using meta = new LmdbMetaStore(directory.metadata);
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
  const start: WorkerStart = {
    config,
    root: { accessKeyId, secret, principal },
    metadata,
    blobs: directory.blobs,
    masterKeys: keys,
  };
  const fleet = new Fleet(start, log);
  const stopping = new AbortController();
  // From here on, so that a signal during the start is not lost.
  const signalled = untilSignal();
  const port = await fleet.start();
  const view: AdminView = {
    isReady: () => fleet.isWhole,
    metrics: async () => await allMetrics(metrics, fleet),
  };
  await using admin = await listenAdmin(config, view);
  announce(config, { s3: port, admin: admin.port, root, directory });
  const { signal: stop } = stopping;
  const jobs = runJobs(config, { meta, blobs, keyring, fleet, metrics, log, signal: stop });
  const signal = await signalled;
  log.info(`${signal}: no new connections; running requests finish`);
  stopping.abort();
  await Promise.all([fleet.drain(), jobs]);
  log.flush();
}

interface Jobs {
  readonly meta: MetaStore;
  readonly blobs: BlobStore;
  readonly keyring: Keyring;
  readonly fleet: Fleet;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** What goes on beside the requests, until the signal. */
async function runJobs(config: Config, jobs: Jobs): Promise<void> {
  const { meta, blobs, keyring, fleet, metrics, log, signal } = jobs;
  const stores = { meta, blobs, keyring, clock: systemClock, limits: ENGINE_LIMITS };
  await Promise.all([
    runGarbage({
      stores,
      graceMs: config.garbageGraceSeconds * 1_000,
      oldestReadMs: async () => await fleet.oldestMs(),
      log,
      count: (collected) => {
        metrics.garbageEntries.inc(collected.entries);
        metrics.garbageBlobs.inc(collected.blobs);
      },
      signal,
    }),
    runOrphans({ stores, count: (removed) => metrics.orphanBlobs.inc(removed), log, signal }),
    runLifecycle({
      place: new JobPlace(meta, systemClock, "lifecycle"),
      holder: randomHex(8),
      catalog: new Catalog(meta, systemClock),
      engine: new VersionedEngine(stores),
      clock: systemClock,
      dayMs: config.lifecycleDaySeconds * 1_000,
      metrics: metrics.lifecycle,
      log,
      signal,
    }),
  ]);
}

/** Fails: ConfigError when the address cannot be had. */
async function listenAdmin({ adminListen }: Config, view: AdminView): Promise<Listening> {
  try {
    return await listen({ ...adminListen, answer: adminAnswer(view) });
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(
      `--admin-listen ${adminListen.host}:${adminListen.port}: ${message}. Choose another address with --admin-listen.`,
    );
  }
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
  readonly directory: DataDirectory;
}

function announce(config: Config, { s3, admin, root, directory }: Announced): void {
  const scheme = config.tlsCert === undefined ? "http" : "https";
  const endpoint = `${scheme}://${hostText(config.listen.host)}:${s3}`;
  const adminEndpoint = `http://${hostText(config.adminListen.host)}:${admin}`;
  const given = config.rootAccessKeyId !== undefined;
  const key = root.fresh
    ? `  access key  ${root.accessKeyId}\n  secret key  ${root.secret}\n              (shown this once; kept in ${directory.credentials})\n`
    : `  root key    ${given ? "LODE_ROOT_ACCESS_KEY_ID" : directory.credentials}\n`;
  const paste = given
    ? "AWS_ACCESS_KEY_ID=$LODE_ROOT_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY=$LODE_ROOT_SECRET_ACCESS_KEY"
    : `AWS_SHARED_CREDENTIALS_FILE=${shellQuoted(directory.credentials)}`;
  process.stdout.write(
    `Lode serves S3 at ${endpoint}\n${key}  try it      ${paste} AWS_DEFAULT_REGION=${config.region} aws --endpoint-url ${endpoint} s3 mb s3://my-bucket\n` +
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
    for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => resolve(signal));
  });
}

async function allMetrics(own: Metrics, fleet: Fleet): Promise<string> {
  const registries = await Promise.all([
    own.registry.getMetricsAsJSON(),
    ...(await fleet.metrics()),
  ]);
  const sum: Registry = AggregatorRegistry.aggregate(registries as object[]);
  return await sum.metrics();
}

interface Reported {
  readonly metrics: unknown;
  readonly oldestMs: number;
}

/** The worker processes: as many as asked for, at all times. */
class Fleet {
  readonly #start: WorkerStart;
  readonly #log: Log;
  readonly #ready = new Set<Worker>();
  readonly #answers = new Map<number, (reported: Reported) => void>();
  #questions = 0;
  #stopping = false;

  constructor(start: WorkerStart, log: Log) {
    this.#start = start;
    this.#log = log;
    cluster.setupPrimary({ exec: process.argv[1] ?? "", args: ["worker"] });
  }

  get isWhole(): boolean {
    return !this.#stopping && this.#ready.size === this.#start.config.workers;
  }

  /** Resolves to the port when every worker serves. Fails when one cannot. */
  async start(): Promise<number> {
    const { workers } = this.#start.config;
    const ports = await Promise.all(Array.from({ length: workers }, () => this.#launch()));
    cluster.on("exit", (worker) => this.#gone(worker));
    return ports[0] ?? this.#start.config.listen.port;
  }

  async drain(): Promise<void> {
    this.#stopping = true;
    const workers = Object.values(cluster.workers ?? {}).flatMap((worker) => worker ?? []);
    const gone = workers.map(
      (worker) => new Promise<void>((resolve) => worker.once("exit", () => resolve())),
    );
    for (const worker of workers) worker.send({ kind: "drain" } satisfies ToWorker);
    const timer = deadline(DRAIN_MS, () => {
      this.#log.warn("requests still run after the time to drain: they are cut off");
      for (const worker of workers) worker.process.kill("SIGKILL");
    });
    await Promise.all(gone);
    timer.cancel();
  }

  async metrics(): Promise<unknown[]> {
    return (await this.#ask()).map(({ metrics }) => metrics);
  }

  /** When the oldest request began that any worker still answers. */
  async oldestMs(): Promise<number> {
    const expected = this.#ready.size;
    const reports = await this.#ask();
    // A worker too busy to answer may be reading anything.
    if (reports.length < expected) return 0;
    return Math.min(...reports.map(({ oldestMs }) => oldestMs), systemClock.now());
  }

  async #ask(): Promise<Reported[]> {
    const asked = [...this.#ready].map(async (worker): Promise<Reported | undefined> => {
      this.#questions += 1;
      const id = this.#questions;
      const answer = new Promise<Reported | undefined>((resolve) => {
        this.#answers.set(id, resolve);
        deadline(METRICS_MS, () => resolve(undefined));
      });
      worker.send({ kind: "metrics", id } satisfies ToWorker);
      const reported = await answer;
      this.#answers.delete(id);
      return reported;
    });
    return (await Promise.all(asked)).flatMap((reported) => reported ?? []);
  }

  async #launch(): Promise<number> {
    const worker = cluster.fork();
    closeHandedOver(worker);
    return await new Promise((resolve, reject) => {
      worker.once("exit", (code) =>
        reject(new Error(`a worker ended with ${code} before it served`)),
      );
      worker.on("message", (message: FromWorker) => {
        if (message.kind === "hello") {
          worker.send({ kind: "start", start: this.#start } satisfies ToWorker);
        }
        if (message.kind === "metrics") this.#answers.get(message.id)?.(message);
        if (message.kind === "failed") reject(startFailure(message.message, this.#start.config));
        if (message.kind === "ready") {
          this.#ready.add(worker);
          resolve(message.port);
        }
      });
    });
  }

  #gone(worker: Worker): void {
    this.#ready.delete(worker);
    if (this.#stopping) return;
    const { exitCode, signalCode } = worker.process;
    this.#log.warn(
      `worker ${worker.process.pid} ended (${signalCode ?? exitCode}): a new one is started`,
    );
    this.#replace();
  }

  #replace(): void {
    deadline(RESTART_MS, () => {
      if (this.#stopping) return;
      // It exits when it fails, and its exit asks for the next one.
      this.#launch().catch((cause) => this.#log.error("a worker could not be started", cause));
    });
  }
}

function startFailure(message: string, { listen: { host, port } }: Config): Error {
  const aboutAddress = /EADDRINUSE|EADDRNOTAVAIL|EACCES|ENOTFOUND|EAI_AGAIN/.test(message);
  if (!aboutAddress) {
    return new StorageError("unavailable", message);
  }
  return new ConfigError(
    `--listen ${host}:${port}: ${message}. Choose another address with --listen.`,
  );
}
