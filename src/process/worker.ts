import cluster from "node:cluster";
import { readFileSync } from "node:fs";
import type { FiledRecord } from "#audit/record.ts";
import { AuditSpool } from "#audit/spool.ts";
import { assert } from "#base/assert.ts";
import { deadline, systemClock } from "#base/clock.ts";
import { S3Error } from "#base/error.ts";
import type { HttpRequest } from "#base/http.ts";
import { Keyring } from "#base/keyring.ts";
import { type Log, makeLog } from "#base/log.ts";
import { Metrics } from "#base/metrics.ts";
import { after, rescue, type Soon } from "#base/soon.ts";
import { FileBlobStore } from "#blob/files.ts";
import { composeFront, ENGINE_LIMITS, type RootCredential } from "#compose.ts";
import type { Config } from "#config.ts";
import { DeskMetaStore } from "#meta/desk-store.ts";
import { LmdbMetaStore } from "#meta/lmdb.ts";
import { MeteredMetaStore } from "#meta/metered.ts";
import { endProcess } from "#process/end-process.ts";
import { endSoon } from "#process/last-words.ts";
import { OpenVolumes } from "#process/open-volumes.ts";
import { RequestAudit } from "#process/request-audit.ts";
import { UnderWay } from "#process/under-way.ts";
import type { Handled } from "#s3/handle.ts";
import { errorReply } from "#s3/reply.ts";
import { keepToFinish } from "#server/directory-lock.ts";
import { type Answer, type BadRequest, type Finished, listen } from "#server/listen.ts";
import { handleAll, type StsFront } from "#sts/handle.ts";

/** What the supervisor tells a worker at its start. */
export interface WorkerStart {
  readonly config: Config;
  readonly root: RootCredential;
  readonly metadata: string;
  /** Where one process commits for all workers; undefined: each commits by itself. */
  readonly commitSocket: string | undefined;
  readonly blobs: string;
  readonly audit: string;
  readonly masterKeys: readonly string[];
}

export type ToWorker =
  | { readonly kind: "start"; readonly start: WorkerStart }
  | { readonly kind: "metrics"; readonly id: number }
  | { readonly kind: "drain" };

export type FromWorker =
  /** It listens to what it is told. */
  | { readonly kind: "hello" }
  | { readonly kind: "ready"; readonly port: number }
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "audit"; readonly filed: FiledRecord }
  | {
      readonly kind: "metrics";
      readonly id: number;
      readonly metrics: unknown;
      readonly oldestMs: number;
    };

/** How long running requests have to finish after SIGTERM, or when the supervisor has died. */
export const DRAIN_MS = 30_000;

/** One process that serves S3. It lives until the supervisor tells it to drain, or is gone. */
export function runWorker(): void {
  const { worker } = cluster;
  assert(worker !== undefined, "a worker has a supervisor");
  // Else node:cluster ends this process when the supervisor is gone, before anything can be finished.
  worker.exitedAfterDisconnect = true;
  // What node:cluster cannot tell to one that has just died, it would end this process for: "disconnect" follows.
  worker.on("error", () => undefined);
  let running: Worker | undefined;
  process.on("message", (message: ToWorker) => {
    if (message.kind === "start") {
      start(message.start).then(
        (worker) => {
          running = worker;
          tell({ kind: "ready", port: worker.port });
        },
        (cause) => {
          const message = cause instanceof Error ? cause.message : String(cause);
          process.send?.({ kind: "failed", message } satisfies FromWorker, () => endProcess(1));
        },
      );
    }
    if (message.kind === "metrics") running?.report(message.id).catch(() => undefined);
    if (message.kind === "drain") stop(running);
  });
  process.on("disconnect", () => finish(running));
  tell({ kind: "hello" });
  // A terminal sends its signals to the whole group: the supervisor decides.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => undefined);
}

function stop(worker: Worker | undefined): void {
  if (worker === undefined) endProcess(0);
  worker.drain().then(
    () => endProcess(0),
    () => endProcess(1),
  );
}

/**
 * Without a supervisor: finishes what is under way, within the time that it would have else, and keeps the
 * directory meanwhile. A server that is started in its place has it at once, and what is left here is cut off.
 */
function finish(worker: Worker | undefined): void {
  if (worker === undefined) endProcess(0);
  const { log, data } = worker;
  const cutOff = (why: string) => {
    log.warn(`the supervisor is gone, and requests that still run are cut off: ${why}`);
    const end = (): never => endProcess(1);
    log.flush().then(end, end);
  };
  deadline(DRAIN_MS, () => cutOff("their time is over"));
  keepToFinish(data).then(
    () => cutOff("another process has taken the data directory"),
    (cause) => cutOff(String(cause)),
  );
  stop(worker);
}

/** A supervisor that is gone needs not be told: "disconnect" ends this process. */
function tell(message: FromWorker): void {
  process.send?.(message, () => undefined);
}

/** Fails when the supervisor is gone. */
async function tellSurely(message: FromWorker): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const told = (cause: unknown) => (cause instanceof Error ? reject(cause) : resolve());
    if (process.send === undefined) reject(new Error("nobody started this process"));
    else process.send(message, told);
  });
}

interface Worker {
  readonly port: number;
  readonly log: Log;
  /** The data directory. */
  readonly data: string;
  readonly drain: () => Promise<void>;
  readonly report: (id: number) => Promise<void>;
}

async function start(given: WorkerStart): Promise<Worker> {
  const { config, root, metadata, masterKeys } = given;
  const log = makeLog({ pretty: isPretty(config), access: config.accessLog, to: 2 });
  const metrics = new Metrics();
  const lmdb = new LmdbMetaStore(metadata, { broken: endSoon(log) });
  const { commitSocket } = given;
  const store = commitSocket === undefined ? lmdb : await DeskMetaStore.open(lmdb, commitSocket);
  const meta = new MeteredMetaStore(store, (outcome) => metrics.commits.inc({ outcome }));
  const blobs = await FileBlobStore.open({ root: given.blobs, owner: `worker-${process.pid}` });
  const lost = (count: number, cause: unknown) => {
    metrics.audit.lost.inc(count);
    log.error("audit records were lost", cause, { count });
  };
  const spool = await AuditSpool.open({
    root: given.audit,
    owner: String(process.pid),
    clock: systemClock,
    batchMs: config.auditBatchSeconds * 1_000,
    lost,
  });
  const tellOf = (filed: FiledRecord) => tellSurely({ kind: "audit", filed });
  const audit = new RequestAudit({ spool, clock: systemClock, tell: tellOf, lost });
  const volumes = new OpenVolumes(systemClock, log);
  const front = composeFront({
    volumeOf: volumes.of,
    meta,
    blobs,
    clock: systemClock,
    limits: ENGINE_LIMITS,
    keyring: Keyring.fromHex(masterKeys),
    root,
    addressing: { baseDomains: config.baseDomains, pathStyle: config.addressing === "both" },
    region: config.region,
    strictLocation: config.strictLocation,
    lifecycleDayMs: config.lifecycleDaySeconds * 1_000,
    workers: config.workers,
    report: (cause, requestId) => {
      metrics.failures.inc();
      log.error("a request failed by a fault of ours", cause, { requestId });
    },
  });
  const underWay = new UnderWay(systemClock);
  const listening = await listen({
    host: config.listen.host,
    port: config.listen.port,
    tls: readTls(config),
    answer: (request) => answer(request, { front, log, metrics, audit, underWay }),
    refuse,
  });
  const drain = async () => {
    await listening.drain();
    await audit.close();
    await volumes[Symbol.asyncDispose]();
    await meta[Symbol.asyncDispose]();
    await log.flush();
  };
  let drained: Promise<void> | undefined;
  return {
    ...{ port: listening.port, log, data: config.data },
    // Once, though the supervisor may ask for it and then be gone.
    drain: () => {
      drained ??= drain();
      return drained;
    },
    report: async (id) => {
      metrics.connections.set(listening.connections());
      const json = await metrics.registry.getMetricsAsJSON();
      tell({ kind: "metrics", id, metrics: json, oldestMs: underWay.oldestMs() });
    },
  };
}

interface Serving {
  readonly front: StsFront;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly audit: RequestAudit;
  readonly underWay: UnderWay;
}

function answer(request: HttpRequest, serving: Serving): Soon<Answer> {
  const started = performance.now();
  const end = serving.underWay.begin();
  const answered = (): Soon<Answer> =>
    after(handleAll(request, serving.front), (handled) => ({
      reply: handled.reply,
      done: (written) => {
        end();
        record({ request, handled, written, started }, serving);
      },
    }));
  return rescue(answered, (cause) => {
    end();
    throw cause;
  });
}

interface Exchange {
  readonly request: HttpRequest;
  readonly handled: Handled;
  readonly written: Finished;
  readonly started: number;
}

function record({ request, handled, written, started }: Exchange, serving: Serving): void {
  const { log, metrics, front } = serving;
  const { trace, reply } = handled;
  const { operation } = trace;
  const ms = performance.now() - started;
  const { received } = written;
  metrics.requests.count({ operation, status: reply.status, received, sent: written.bytes, ms });
  if (written.failure !== undefined) front.report(written.failure, trace.requestId);
  serving.audit.record({ trace, request, status: reply.status, written, ms });
  log.access({
    op: operation,
    status: reply.status,
    code: trace.code,
    principal: trace.principal,
    key_id: trace.accessKeyId,
    denied: trace.denied,
    bucket: trace.bucket?.slice(0, LOGGED_BUCKET_CHARS_MAX),
    key: trace.key?.slice(0, LOGGED_KEY_CHARS_MAX),
    received,
    sent: written.bytes,
    whole: written.whole ? undefined : false,
    ms: Math.round(ms * 10) / 10,
    from: request.remoteAddress,
    id: trace.requestId,
  });
}

/** So that a line of the access log stays below what a pipe takes whole. */
const LOGGED_KEY_CHARS_MAX = 512;
const LOGGED_BUCKET_CHARS_MAX = 64;

/** What never became a request is answered in S3's form all the same. */
function refuse(reason: BadRequest) {
  const error = {
    malformed: () =>
      new S3Error(
        "BadRequest",
        {},
        { message: "An error occurred when parsing the HTTP request." },
      ),
    "headers-too-large": () =>
      new S3Error("RequestHeaderSectionTooLarge", { MaxSizeAllowed: String(16 * 1_024) }),
    timeout: () => new S3Error("RequestTimeout", {}),
  }[reason]();
  return errorReply(error, { requestId: "", hostId: "", resource: "", method: "" });
}

export function isPretty({ logFormat }: Config): boolean {
  return logFormat === "text" || (logFormat === "auto" && process.stderr.isTTY === true);
}

export function readTls({ tlsCert, tlsKey, tlsMin }: Config) {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  return {
    cert: readFileSync(tlsCert, "utf8"),
    key: readFileSync(tlsKey, "utf8"),
    minVersion: tlsMin === "1.3" ? ("TLSv1.3" as const) : ("TLSv1.2" as const),
  };
}
