/**
 * A whole server over memory on a free port, in this process and in milliseconds, with a client that
 * sends requests byte for byte as they are spelled.
 *
 *     const s3 = await startServer(t);               // has a bucket called "bucket"
 *     await s3.put("/bucket/key", "bytes");
 *     const reply = await s3.get("/bucket/key", { range: "bytes=0-1" });
 *     const listed = await s3.request({ path: "/bucket", query: { "list-type": "2", prefix: "a/" } });
 *     const url = { path: "/bucket/key", sign: { presignedSeconds: 60 } };
 *     s3.clock.move(61_000);                         // moves the server and the signer alike
 *
 * A failure that the server calls its own fails the test, unless the test empties `s3.failures`.
 */
import assert from "node:assert/strict";
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import type { TestContext } from "node:test";
import type { Principal } from "#access/principal.ts";
import type { Clock } from "#base/clock.ts";
import { makeLog } from "#base/log.ts";
import { MemoryBlobStore } from "#blob/memory.ts";
import type { Credential } from "#catalog/access-keys.ts";
import type { Catalog } from "#catalog/catalog.ts";
import { type Identities, openIdentities } from "#catalog/identities.ts";
import { composeFront } from "#compose.ts";
import { MemoryMetaStore } from "#meta/memory.ts";
import type { MetaStore } from "#meta/store.ts";
import type { Bucket, Versioning } from "#object/bucket.ts";
import type { Engine } from "#object/engine.ts";
import { bucketName, newBucketName, objectKey } from "#object/name.ts";
import { OpenVolumes } from "#process/open-volumes.ts";
import { listen } from "#server/listen.ts";
import { handleAll, type StsFront } from "#sts/handle.ts";
import { administratorIn } from "#test/support/administrator.ts";
import { TEST_KEYRING } from "#test/support/keyring.ts";
import { MovableClock } from "#test/support/movable-clock.ts";
import { chunkedBody, presignedUrl, signedHeaders, type ToChunk } from "#test/support/sign.ts";

/** The holder of the root key, who may do everything and owns what the server is started with. */
export const ROOT = { accessKeyId: "ROOTACCESSKEY", secret: "root-secret" };
/** May do everything too, as another owner. */
export const OTHER = { accessKeyId: "OTHERACCESSKEY", secret: "other-secret" };
/** Has a key, and may do nothing. */
export const STRANGER = { accessKeyId: "STRANGERACCESSKEY", secret: "stranger-secret" };
/** 2026-01-02T03:04:05.678Z, when every server starts. */
export const START_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

/** Small, so that tests of parts and blobs need few bytes. */
const LIMITS = { inlineBytesMax: 16, partBytesMin: 5 };

export interface ServerOptions {
  /** 5 when absent. */
  readonly partBytesMin?: number;
  /** 16 when absent: longer objects go to the blob store. */
  readonly inlineBytesMax?: number;
  /** Made by root; `["bucket"]` when absent. */
  readonly buckets?: readonly string[];
  readonly region?: string;
  readonly strictLocation?: boolean;
  /** A day when absent. */
  readonly lifecycleDayMs?: number;
  readonly pathStyle?: boolean;
}

type Headers = Readonly<Record<string, string>>;

export interface Ask {
  /** GET when absent. */
  readonly method?: string;
  /** Percent-encoded, sent as it is; with or without a query. */
  readonly path: string;
  /** As it is sent, or names and values to encode; a name with "" is sent without `=`. */
  readonly query?: string | Readonly<Record<string, string>>;
  /** Values as latin1 strings; all are signed. */
  readonly headers?: Headers;
  /** Sent after signing, unsigned; a list is sent as repeated headers. */
  readonly unsigned?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array;
  /** "hash", the digest of the body signed in a header, when absent; false: anonymous. */
  readonly sign?:
    | "hash"
    | false
    | { readonly presignedSeconds: number }
    | { readonly payload: string }
    | Pick<ToChunk, "mode" | "trailers" | "chunkBytes">;
  /** ROOT when absent. */
  readonly as?: {
    readonly accessKeyId: string;
    readonly secret: string;
    readonly sessionToken?: string;
  };
  /** The server's time when absent. */
  readonly signedAtMs?: number;
  /** Changes the body after it was signed; given and giving latin1. */
  readonly tamper?: (body: string) => string;
  /** Sends `Expect: 100-continue`, and the body only when it is asked for. */
  readonly expectContinue?: boolean;
}

export interface Reply {
  readonly status: number;
  /** Names in lower case; values as latin1 strings. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly bytes: Buffer;
  readonly text: string;
  /** Of an error document. */
  readonly code: string | undefined;
  /** The server asked for the body with "100 Continue". */
  readonly continued: boolean;
}

export interface TestServer {
  readonly port: number;
  readonly clock: MovableClock;
  /** Root's. */
  readonly organizationId: string;
  readonly catalog: Catalog;
  readonly identities: Identities;
  /** What the server has reported as its own fault. */
  readonly failures: unknown[];
  readonly request: (ask: Ask) => Promise<Reply>;
  readonly get: (path: string, headers?: Headers) => Promise<Reply>;
  readonly put: (path: string, body: string | Uint8Array, headers?: Headers) => Promise<Reply>;
  /** Puts empty objects past HTTP, for tests that need many. */
  readonly fill: (bucket: string, keys: readonly string[]) => Promise<void>;
  /** Serves a directory as a bucket of root's. */
  readonly makeVolume: (bucket: string, path: string) => Promise<void>;
  readonly setVersioning: (bucket: string, versioning: Versioning) => Promise<void>;
}

export async function startServer(
  t: TestContext,
  options: ServerOptions = {},
): Promise<TestServer> {
  const clock = new MovableClock(START_MS);
  const failures: unknown[] = [];
  const meta = new MemoryMetaStore();
  const identities = openIdentities({ meta, clock, keyring: TEST_KEYRING });
  const report = (cause: unknown) => failures.push(cause);
  const volumes = new OpenVolumes(clock, makeLog({ pretty: false, access: false, to: 2 }));
  const front = await frontOf({ meta, clock, options, identities, report, volumes });
  const listening = await listen({
    host: "127.0.0.1",
    port: 0,
    answer: async (http) => {
      const { reply } = await handleAll(http, front);
      const done = ({ failure }: { failure: unknown }) => failure && failures.push(failure);
      return { reply, done };
    },
  });
  const agent = new Agent({ keepAlive: true });
  t.after(async () => {
    agent.destroy();
    await listening[Symbol.asyncDispose]();
    await volumes[Symbol.asyncDispose]();
    assert.deepEqual(failures, [], "the server reported failures of its own");
  });
  const root = await front.findCredential(await front.knowledge.now(), ROOT.accessKeyId);
  const owner = { id: root?.principal.organizationId ?? "", region: front.region };
  for (const name of options.buckets ?? ["bucket"]) {
    await front.catalog.create(newBucketName(name), owner);
  }
  const request = (ask: Ask) => send(ask, { agent, port: listening.port, nowMs: clock.now() });
  return {
    port: listening.port,
    clock,
    organizationId: owner.id,
    catalog: front.catalog,
    identities,
    failures,
    request,
    get: (path, headers = {}) => request({ path, headers }),
    put: (path, body, headers = {}) => request({ method: "PUT", path, body, headers }),
    fill: async (name, keys) => {
      const bucket = await front.catalog.bucket(bucketName(name));
      await fill(front.engineOf(bucket), bucket, keys);
    },
    makeVolume: async (name, path) => {
      const settings = { name, path, sizeBytes: undefined, uid: undefined, gid: undefined };
      const volume = { ...settings, umask: 0o022 };
      await front.catalog.create(newBucketName(name), owner, { volume });
    },
    setVersioning: async (name, versioning) =>
      await front.catalog.setVersioning(await front.catalog.bucket(bucketName(name)), versioning),
  };
}

interface FrontParts {
  readonly meta: MetaStore;
  readonly clock: Clock;
  readonly options: ServerOptions;
  readonly identities: Identities;
  readonly report: StsFront["report"];
  readonly volumes: OpenVolumes;
}

async function frontOf(parts: FrontParts): Promise<StsFront> {
  const { meta, clock, options, identities, report, volumes } = parts;
  const administrator = await administratorIn(meta, clock);
  const front = composeFront({
    meta,
    volumeOf: volumes.of,
    blobs: new MemoryBlobStore(clock),
    clock,
    limits: { ...LIMITS, ...options },
    keyring: TEST_KEYRING,
    root: { ...ROOT, principal: administrator },
    addressing: { baseDomains: ["localhost"], pathStyle: options.pathStyle ?? true },
    region: options.region ?? "us-east-1",
    strictLocation: options.strictLocation ?? false,
    lifecycleDayMs: options.lifecycleDayMs ?? 86_400_000,
    report,
  });
  const others = new Map([
    [OTHER.accessKeyId, credentialOf(OTHER.secret, await otherAdministrator(identities))],
    [
      STRANGER.accessKeyId,
      credentialOf(STRANGER.secret, { ...administrator, name: "coreweave/stranger" }),
    ],
  ]);
  return {
    ...front,
    findCredential: async (known, id, token) =>
      others.get(id) ?? (await front.findCredential(known, id, token)),
  };
}

/** Of another organization, where it may do everything. */
async function otherAdministrator({ organizations, policies }: Identities): Promise<Principal> {
  const organizationId = await organizations.create({ id: "other", name: "other" });
  const statement = {
    name: "everything",
    effect: "Allow",
    actions: ["*"],
    resources: ["*"],
    principals: ["*"],
  };
  const policy = { version: "v1alpha1", name: "all", statements: [statement] };
  await policies.ensure(organizationId, JSON.stringify(policy));
  return { kind: "user", organizationId, name: "coreweave/other", groups: [] };
}

function credentialOf(secret: string, principal: Principal): Credential {
  return { secret, principal, expiryMs: undefined, sessionDigest: undefined };
}

async function fill(engine: Engine, bucket: Bucket, keys: readonly string[]): Promise<void> {
  const body = {
    sizeBytes: 0,
    chunks: (async function* none() {})(),
    algorithm: undefined,
    hasSha256: false,
    claims: () => ({ md5: undefined, sha256: undefined, checksum: undefined }),
  };
  const attributes = { headers: {}, userMetadata: {}, tags: [], storageClass: "STANDARD" } as const;
  for (const key of keys) {
    const name = { bucket, key: objectKey(key) };
    await engine.put(name, { body, attributes, conditions: {} });
  }
}

interface Door {
  readonly agent: Agent;
  readonly port: number;
  readonly nowMs: number;
}

/** Nothing is normalised: node:http sends method, target and headers as they are given. */
async function send(ask: Ask, { agent, port, nowMs }: Door): Promise<Reply> {
  const method = ask.method ?? "GET";
  const { target, headers, body: meant } = signed({ ...ask, method }, { port, nowMs });
  const body =
    ask.tamper === undefined ? meant : Buffer.from(ask.tamper(meant.toString("latin1")), "latin1");
  const isChunked = ask.unsigned?.["transfer-encoding"] !== undefined;
  const hasLength = !isChunked && (body.length > 0 || method === "PUT" || method === "POST");
  const all = {
    ...headers,
    ...(ask.expectContinue === true ? { expect: "100-continue" } : {}),
    // Last: node:http re-encodes a Content-Disposition that it meets after a Content-Length.
    ...(hasLength ? { "content-length": String(body.length) } : {}),
    ...ask.unsigned,
  };
  return await new Promise((resolve, reject) => {
    let continued = false;
    const outgoing = httpRequest({
      ...{ agent, host: "127.0.0.1", port, method, path: target, setHost: false },
      headers: Object.entries(all).flatMap(([name, value]) =>
        [value].flat().flatMap((each) => [name, each]),
      ),
    });
    outgoing.on("error", reject);
    outgoing.on("response", (incoming) => {
      replyOf(incoming).then((reply) => resolve({ ...reply, continued }), reject);
    });
    outgoing.on("continue", () => {
      continued = true;
      outgoing.end(body);
    });
    if (ask.expectContinue === true) outgoing.flushHeaders();
    else outgoing.end(body);
  });
}

function signed(ask: Ask & { readonly method: string }, { port, nowMs }: Omit<Door, "agent">) {
  const { method, headers = {}, sign = "hash", as = ROOT } = ask;
  const target = targetOf(ask);
  const bytes = Buffer.from(ask.body ?? "");
  const host = headers["host"] ?? `127.0.0.1:${port}`;
  const url = `http://${host}${target}`;
  const given = { ...as, method, url, headers, nowMs: ask.signedAtMs ?? nowMs };
  if (sign === false) return { target, headers: { host, ...headers }, body: bytes };
  if (sign === "hash")
    return { target, headers: signedHeaders({ ...given, body: bytes }), body: bytes };
  if ("mode" in sign) return { target, ...chunkedBody({ ...given, ...sign, body: bytes }) };
  if ("presignedSeconds" in sign) {
    const url = presignedUrl({ ...given, expiresSeconds: sign.presignedSeconds });
    const sent = url.slice(`http://${host}`.length);
    return { target: sent, headers: { host, ...headers }, body: bytes };
  }
  return { target, headers: signedHeaders({ ...given, body: bytes, ...sign }), body: bytes };
}

function targetOf({ path, query = "" }: Ask): string {
  const pairs = typeof query === "string" ? [query] : Object.entries(query).map(pairOf);
  const whole = pairs.join("&");
  return whole === "" ? path : `${path}${path.includes("?") ? "&" : "?"}${whole}`;
}

function pairOf([name, value]: readonly [string, string]): string {
  return value === ""
    ? encodeURIComponent(name)
    : `${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
}

async function replyOf(incoming: IncomingMessage): Promise<Omit<Reply, "continued">> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const text = bytes.toString();
  const headers: Record<string, string> = {};
  const raw = incoming.rawHeaders;
  for (let at = 0; at + 1 < raw.length; at += 2)
    headers[raw[at]?.toLowerCase() ?? ""] = raw[at + 1] ?? "";
  const code = /<Error><Code>(\w+)<\/Code>/.exec(text)?.[1];
  return { status: incoming.statusCode ?? 0, headers, bytes, text, code };
}
