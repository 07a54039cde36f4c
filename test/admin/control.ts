/**
 * The whole control API over memory, in this process, with a client that sends requests as they are
 * spelled and holds every answer against the schema that is published for it.
 *
 *     const control = await openControl(t);
 *     const made = await control.ok("POST", "/v1/lode/user", { uid: "ada", name: "Ada" });
 *     const refused = await control.call({ path: "/v1/lode/whoami", token: "wrong" });
 *
 * Calls are the operator's unless `token` says otherwise.
 */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { callerName } from "#admin/caller.ts";
import { type Control, handle } from "#admin/handle.ts";
import type { AdminView } from "#admin/listener.ts";
import { OPERATIONS } from "#admin/operations.ts";
import { makeLog } from "#base/log.ts";
import { MemoryBlobStore } from "#blob/memory.ts";
import { Catalog } from "#catalog/catalog.ts";
import { firstAdministrator } from "#catalog/first-start.ts";
import { openIdentities } from "#catalog/identities.ts";
import { composeControl } from "#compose-control.ts";
import { MemoryMetaStore } from "#meta/memory.ts";
import { OpenVolumes } from "#process/open-volumes.ts";
import { TEST_KEYRING } from "#test/support/keyring.ts";
import { MovableClock } from "#test/support/movable-clock.ts";
import { VersionedEngine } from "#versioned/engine.ts";

export const OPERATOR_TOKEN = "operator-token-of-the-tests";
export const ROOT_ACCESS_KEY_ID = "LODETESTACCESSKEY000";
export const START_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

export interface Ask {
  /** GET when absent. */
  readonly method?: string;
  /** With its query. */
  readonly path: string;
  /** Sent as JSON, or as it is when it is a text or bytes. */
  readonly body?: unknown;
  /** The operator's when absent; undefined: none is sent. */
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly from?: string;
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly json: Json;
  /** Why a policy refused it, as the log tells. */
  readonly denied: string | undefined;
  /** Who asked, and for whom, as the log and the audit tell. */
  readonly by: string;
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
export type Json = any;

export interface TestControl {
  readonly clock: MovableClock;
  readonly control: Control;
  readonly meta: MemoryMetaStore;
  readonly engine: VersionedEngine;
  /** The first one. */
  readonly organizationId: string;
  /** What it has reported as its own fault. */
  readonly failures: unknown[];
  readonly call: (ask: Ask) => Promise<Answered>;
  /** The JSON of an answer that must be 200. */
  readonly ok: (method: string, path: string, body?: unknown) => Promise<Json>;
  /** A user of the organization, and a token of theirs. */
  readonly userToken: (user: NewUser) => Promise<string>;
  readonly allow: (principal: string, actions: readonly string[]) => Promise<void>;
}

interface NewUser {
  readonly uid: string;
  readonly organizationId?: string;
  readonly durationSeconds?: number;
}

/** What stands around the control API. */
export interface Hooks {
  readonly silence: Control["silence"];
  /** Told of each call that was answered. */
  readonly called: AdminView["called"];
}

const NO_AUDIT: Hooks = {
  silence: async (_http, _trace, change) => await change(),
  called: () => undefined,
};

export async function openControl(t: TestContext, hooks = NO_AUDIT): Promise<TestControl> {
  const clock = new MovableClock(START_MS);
  const meta = new MemoryMetaStore();
  const blobs = new MemoryBlobStore(clock);
  const limits = { inlineBytesMax: 16, partBytesMin: 5 };
  const engine = new VersionedEngine({ meta, blobs, clock, limits, keyring: TEST_KEYRING });
  const identities = openIdentities({ meta, clock, keyring: TEST_KEYRING });
  const catalog = new Catalog(meta, clock);
  const { organizationId = "" } = await firstAdministrator({ meta, identities, catalog });
  const failures: unknown[] = [];
  const control = composeControl({
    region: "us-east-1",
    volumes: new OpenVolumes(clock, makeLog({ pretty: false, access: false, to: 2 })),
    dataDirectory: undefined,
    ...{ meta, blobs, clock, limits, keyring: TEST_KEYRING },
    operatorToken: OPERATOR_TOKEN,
    lifecycleDayMs: 86_400_000,
    scrub: { intervalMs: 30 * 86_400_000, bytesPerSecond: 2 ** 24 },
    firstOrganizationId: organizationId,
    rootAccessKeyId: ROOT_ACCESS_KEY_ID,
    report: (cause) => failures.push(cause),
    silence: hooks.silence,
  });
  t.after(() => assert.deepEqual(failures, [], "the control API reported failures of its own"));
  const call = async (ask: Ask) => await send(ask, control, hooks);
  const ok = async (method: string, path: string, body?: unknown) => {
    const { status, json } = await call({ method, path, body });
    assert.equal(status, 200, JSON.stringify(json));
    return json;
  };
  const userToken = async (user: NewUser) => {
    const owner = user.organizationId ?? organizationId;
    const { uid, durationSeconds = 0 } = user;
    await control.users.create(owner, { uid, name: uid, groups: [] });
    const made = await control.tokens.create(owner, { uid, name: "test", durationSeconds });
    return made.token;
  };
  const allow = async (principal: string, actions: readonly string[]) => {
    const name = `${principal.replaceAll("/", "-")} ${actions.join(" ")}`;
    const allowed = { effect: "Allow", actions, resources: ["*"], principals: [principal] };
    const statements = [{ name: "allow", ...allowed }];
    const policy = { version: "v1alpha1", name, statements };
    await control.policies.ensure(organizationId, JSON.stringify(policy));
  };
  return { clock, control, meta, engine, organizationId, failures, call, ok, userToken, allow };
}

async function send(ask: Ask, control: Control, { called }: Hooks): Promise<Answered> {
  const { method = "GET", path, body, headers = {}, from = "192.0.2.1" } = ask;
  const token = "token" in ask ? ask.token : OPERATOR_TOKEN;
  const sent = { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers };
  const isRaw = typeof body === "string" || body instanceof Uint8Array;
  const bytes = body === undefined ? undefined : Buffer.from(isRaw ? body : JSON.stringify(body));
  const request = {
    method,
    target: path,
    rawHeaders: Object.entries(sent).flat(),
    remoteAddress: from,
    secure: false,
    body: bodyOf(bytes),
  };
  const handled = await handle(request, control);
  called(request, handled, 0);
  const { reply, trace } = handled;
  const json: Json = JSON.parse(String(reply.body));
  assert.equal(reply.headers["content-length"], String(Buffer.byteLength(String(reply.body))));
  if (reply.status === 200) {
    const operation = OPERATIONS.find(({ name }) => name === trace.operation);
    const { error } = operation?.output.safeParse(json) ?? {};
    assert.equal(error, undefined, `the answer is not as its schema says: ${error}`);
  }
  const by = `${trace.organizationId ?? ""} ${callerName(trace.caller)}`;
  return { status: reply.status, headers: reply.headers, json, denied: trace.denied, by };
}

async function* bodyOf(bytes: Uint8Array | undefined): AsyncGenerator<Uint8Array> {
  if (bytes !== undefined) yield bytes;
}
