import type { Lookup } from "#access/condition-keys.ts";
import { explain } from "#access/explain.ts";
import type { Principal } from "#access/principal.ts";
import { type Caller, callerOf, type KnownTokens } from "#admin/caller.ts";
import type { FailedAttempts } from "#admin/failed-attempts.ts";
import { joined, read, readJson, readQuery, readText } from "#admin/input.ts";
import { Judge } from "#admin/judge.ts";
import type { Foundation, Grant, Operation, RequestView } from "#admin/operation.ts";
import { organizationOf } from "#admin/organization-of.ts";
import { asControlError, errorReply, jsonReply } from "#admin/reply.ts";
import { headerOf, requestLookup } from "#admin/request-lookup.ts";
import type { Router } from "#admin/route.ts";
import { ControlError } from "#base/control-error.ts";
import type { StorageError } from "#base/error.ts";
import type { HttpReply, HttpRequest } from "#base/http.ts";
import { randomHex } from "#base/random.ts";
import { FederationError } from "#federation/federation-error.ts";

/** What the control API stands on. */
export interface Control extends Foundation, KnownTokens {
  readonly route: Router;
  readonly attempts: FailedAttempts;
  /** Told of every failure that is ours, and of what cannot be read: it logs the cause and counts it. */
  readonly report: (cause: unknown, requestId: string) => void;
  /**
   * Does what switches the audit of an organization off, when the call is recorded.
   * Fails: Unavailable when it cannot be; and as `change`.
   */
  readonly silence: <T>(http: HttpRequest, trace: Trace, change: () => Promise<T>) => Promise<T>;
}

/** What is known of a request when it has been answered; for the access log, metrics and the audit. */
interface Trace {
  readonly requestId: string;
  operation: string;
  caller: Caller;
  /** Whom the call was about. */
  organizationId: string | undefined;
  /** Whose audit the call switches off; undefined: nobody's. */
  silenced: string | undefined;
  /** What it was about: a key, a policy, a bucket. */
  identifier: string | undefined;
  /** The gRPC code of a refusal. */
  code: string | undefined;
  /** Which policy refused it: for the operator, never for the client. */
  denied: string | undefined;
}

export interface Handled {
  readonly reply: HttpReply;
  readonly trace: Trace;
}

/** The whole life of a request. An operation cannot skip or reorder a step. */
export async function handle(http: HttpRequest, control: Control): Promise<Handled> {
  const trace: Trace = {
    requestId: randomHex(8),
    operation: "Unknown",
    caller: { kind: "nobody" },
    organizationId: undefined,
    silenced: undefined,
    identifier: undefined,
    code: undefined,
    denied: undefined,
  };
  const { status, headers, body } = await answer(http, control, trace);
  const named = { "x-request-id": trace.requestId, ...headers };
  return { reply: { status, headers: named, body }, trace };
}

async function answer(http: HttpRequest, control: Control, trace: Trace): Promise<HttpReply> {
  try {
    control.attempts.requireFew(http.remoteAddress);
    const [path = "", query = ""] = http.target.split(/\?(.*)/s, 2);
    const { operation, fields } = control.route(http.method, path);
    trace.operation = operation.name;
    const authorization = headerOf(http, "authorization");
    if (operation.needs !== "nothing") trace.caller = await callerOf(authorization, control);
    const { caller } = trace;
    const judge = new Judge(control);
    const lookup = requestLookup(http, control.clock.now());
    // Who may not call at all learns nothing of the input.
    await requireAllowed(standingGrants(operation, caller), { judge, lookup, trace });
    const text = operation.method === "GET" ? "" : await readText(http.body);
    const sent = joined([fields, readQuery(query), readJson(text)]);
    trace.identifier = identifierOf(sent, operation);
    const { organizationId, rest } = await organizationOf(sent, { operation, caller, control });
    trace.organizationId = organizationId;
    const call = operation.call(read(operation.input, rest));
    await requireAllowed(call.grants, { judge, lookup, trace });
    const identified = (principal: Principal) => identify(trace, principal);
    const silencing: RequestView["silencing"] = async (about, change) => {
      trace.identifier = about.identifier;
      trace.silenced = about.organizationId;
      return await control.silence(http, trace, change);
    };
    const damaged = (damage: StorageError) => control.report(damage, trace.requestId);
    const request = { authorization, text, lookup, identified, damaged, silencing };
    return jsonReply(await call.run({ ...control, judge, caller, organizationId, request }));
  } catch (cause) {
    const error = asControlError(cause);
    trace.code = error.code;
    // Tokens that are signed cannot be guessed, and many behind one address may hold an old one.
    const isHarmless = cause instanceof FederationError && cause.kind !== "forged";
    if (error.code === "Unauthenticated" && !isHarmless) {
      control.attempts.failed(http.remoteAddress);
    }
    if (error.code === "Internal") control.report(cause, trace.requestId);
    return errorReply(error);
  }
}

function identify(trace: Trace, principal: Principal): void {
  const { organizationId = "" } = principal;
  trace.caller = { kind: "principal", principal, organizationId };
  trace.organizationId = organizationId;
}

const NAMES = ["accessKeyId", "accessKey", "bucketName", "volumeId", "name", "uid", "id", "zone"];

/** What belongs to the operator alone is about organizations, mostly. */
function identifierOf(
  sent: Readonly<Record<string, unknown>>,
  { needs }: Operation,
): string | undefined {
  const { policy, principalName } = sent as {
    policy?: { name?: unknown };
    principalName?: unknown;
  };
  const organization = needs === "operator" ? sent["orgId"] : undefined;
  const values = [organization, ...NAMES.map((name) => sent[name]), principalName, policy?.name];
  return values.find((value): value is string => typeof value === "string");
}

/** What the caller must be allowed, whatever the input. Fails: PermissionDenied. */
function standingGrants({ needs }: Operation, caller: Caller): readonly Grant[] {
  if (needs === "operator" && caller.kind !== "operator") {
    throw new ControlError("PermissionDenied", "this needs the token of the server's operator");
  }
  if (needs === "nothing" || needs === "token" || needs === "operator" || needs === "grants") {
    return [];
  }
  return [{ action: needs, resource: "*" }];
}

interface Asking {
  readonly judge: Judge;
  readonly lookup: Lookup;
  readonly trace: Trace;
}

/** Fails: PermissionDenied. */
async function requireAllowed(
  grants: readonly Grant[],
  { judge, lookup, trace }: Asking,
): Promise<void> {
  const { caller } = trace;
  if (caller.kind !== "principal") return;
  for (const grant of grants) {
    const decision = await judge.decide({ principal: caller.principal, ...grant, lookup });
    if (decision.allowed) continue;
    trace.denied = explain(decision);
    const on = grant.resource === "*" ? "" : ` on "${grant.resource}"`;
    throw new ControlError("PermissionDenied", `${grant.action}${on} is not allowed`);
  }
}
