import type { Decision } from "#access/decide.ts";
import { explain } from "#access/explain.ts";
import type { Grant } from "#access/grant.ts";
import type { Principal } from "#access/principal.ts";
import type { Clock } from "#base/clock.ts";
import { S3Error, StorageError } from "#base/error.ts";
import type { HttpReply, HttpRequest } from "#base/http.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { FindBucket, FindStanding, FoundBucket, Knowledge } from "#catalog/known.ts";
import type { Bucket } from "#object/bucket.ts";
import type { Engine } from "#object/engine.ts";
import { bucketName, isBucketName } from "#object/name.ts";
import { type Authenticated, authenticate, type Callers, SKEW_MS_MAX } from "#s3/authenticate.ts";
import { type Attempted, type Evidence, judge } from "#s3/authorize.ts";
import { bodyOf, readDocument } from "#s3/body.ts";
import { requireWithin } from "#s3/bucket-session.ts";
import { concealed } from "#s3/conceal.ts";
import type { Operation } from "#s3/operation.ts";
import { answerPreflight, crossOriginHeaders } from "#s3/preflight.ts";
import { errorReply } from "#s3/reply.ts";
import { type Addressing, type FramedRequest, frame, type S3Request } from "#s3/request.ts";
import type { Router } from "#s3/route.ts";
import { servicesOf } from "#s3/services.ts";
import { isLimiting, type Party, type Throttle } from "#s3/throttle.ts";
import { newTrace, type Trace } from "#s3/trace.ts";
import { foreignGrant, traced } from "#s3/traced-source.ts";

/** What the S3 protocol stands on. */
export interface Front extends Omit<Callers, "known"> {
  readonly catalog: Catalog;
  readonly engineOf: (bucket: Bucket) => Engine;
  readonly knowledge: Knowledge;
  readonly route: Router;
  readonly throttle: Throttle;
  readonly clock: Clock;
  readonly addressing: Addressing;
  readonly region: string;
  readonly strictLocation: boolean;
  /** How long a day of a lifecycle rule lasts. */
  readonly lifecycleDayMs: number;
  /** Told of every failure that is ours: it logs the cause and counts it. */
  readonly report: (cause: unknown, requestId: string) => void;
}

export interface Handled {
  readonly reply: HttpReply;
  readonly trace: Trace;
}

/** The whole life of a request. An operation cannot skip or reorder a step. */
export async function handle(http: HttpRequest, front: Front): Promise<Handled> {
  const trace = newTrace();
  const reply = await answer(http, front, trace);
  const headers = {
    "x-amz-request-id": trace.requestId,
    "x-amz-id-2": hostIdOf(trace.requestId),
    ...trace.crossOrigin,
    ...reply.headers,
  };
  return { reply: { status: reply.status, headers, body: reply.body }, trace };
}

async function answer(http: HttpRequest, front: Front, trace: Trace): Promise<HttpReply> {
  try {
    const framed = frame(http, front.addressing);
    trace.bucket = framed.bucket;
    trace.key = framed.key;
    trace.versionId = framed.query.get("versionId");
    trace.host = framed.headers["host"] ?? "";
    if (framed.method === "OPTIONS") {
      trace.operation = "Preflight";
      return await answerPreflight(framed, front.catalog);
    }
    if (framed.headers["origin"] !== undefined) {
      trace.crossOrigin = await crossOriginHeaders(framed, front.catalog);
    }
    const operation = front.route(framed);
    trace.operation = operation.name;
    const nowMs = front.clock.now();
    const known = await front.knowledge.now();
    const { findBucket, findStanding } = known;
    const skewMsMax = await skewFor(framed, findBucket);
    const { findCredential, sessions } = front;
    const callers = { findCredential, sessions, known };
    const authenticated = await authenticate(framed, callers, { nowMs, skewMsMax });
    trace.principal = authenticated.principal.name;
    trace.caller = authenticated.principal;
    trace.accessKeyId = authenticated.accessKeyId;
    const { signedMs } = authenticated;
    const plain = { ...framed, document: "", body: undefined, signedMs, nowMs };
    const request =
      operation.body === "none" ? plain : await withBody(plain, { operation, http, authenticated });
    const call = operation.prepare(request);
    const { principal, session } = authenticated;
    if (session !== undefined) requireWithin(session, call.grants);
    const evidence = { engineOf: front.engineOf, findBucket, findStanding };
    const attempted = { principal, request, operation: operation.name };
    const decisions = await judge(evidence, { ...attempted, grants: call.grants });
    if (framed.bucket !== undefined) trace.found = await findBucket(bucketName(framed.bucket));
    const foreign = foreignGrant(call.grants, framed);
    if (foreign !== undefined) trace.source = await traced(foreign, findBucket);
    requireAllowed(decisions, operation, trace);
    const isAllowed = (grant: number) => decisions[grant]?.allowed === true;
    const parties = await partiesOf(principal, [trace.found, trace.source?.found], findStanding);
    const charge = front.throttle.admit(parties, request.body?.sizeBytes ?? 0);
    const allowed = { framed, authenticated, known, isAllowed };
    try {
      const reply = await call.run(servicesOf(front, allowed));
      // Whose bucket it is now is known only now.
      if (operation.name === "CreateBucket") trace.found = await bucketNow(front, framed);
      charge(bodyBytes(reply));
      return reply;
    } catch (thrown) {
      const mayList = async () => await maySeeNames(evidence, { ...attempted, foreign });
      const { cause, denied } = await concealed(thrown, mayList);
      trace.denied ??= denied;
      throw cause;
    }
  } catch (cause) {
    const error = asS3Error(cause);
    trace.code = error.code;
    if (error.status >= 500 && error !== cause) front.report(cause, trace.requestId);
    const { requestId } = trace;
    const resource = http.target.split("?", 1)[0] ?? "/";
    const hostId = hostIdOf(requestId);
    return errorReply(error, { requestId, hostId, resource, method: http.method });
  }
}

const VOLUME_SKEW_MS_MAX = 60 * 60 * 1_000;

/**
 * Machines that mount volumes keep worse time.
 *
 * Spec: Runpod, "S3-compatible API", limitations.
 */
async function skewFor({ bucket }: FramedRequest, findBucket: FindBucket): Promise<number> {
  if (bucket === undefined || !isBucketName(bucket)) return SKEW_MS_MAX;
  const found = await findBucket(bucketName(bucket));
  return found?.bucket.volume === undefined ? SKEW_MS_MAX : VOLUME_SKEW_MS_MAX;
}

interface Framed {
  readonly operation: Operation;
  readonly http: HttpRequest;
  readonly authenticated: Authenticated;
}

async function withBody(plain: S3Request, given: Framed): Promise<S3Request> {
  const { operation, http, authenticated } = given;
  const body = bodyOf({
    headers: plain.headers,
    chunks: http.body,
    payload: authenticated.payload,
    verified: authenticated.verified,
    lengthRequired: operation.body === "stream",
    hasChecksum: operation.body !== "object-document",
  });
  if (operation.body === "stream") return { ...plain, body };
  return { ...plain, document: await readDocument(body) };
}

/** Fails: AccessDenied when a grant is refused; of a partial operation, when all are. */
function requireAllowed(
  decisions: readonly Decision[],
  { partial }: Operation,
  trace: Trace,
): void {
  const refused = decisions.find(({ allowed }) => !allowed);
  if (refused === undefined) return;
  trace.denied = explain(refused);
  if (partial && decisions.some(({ allowed }) => allowed)) return;
  throw new S3Error("AccessDenied", {});
}

interface Missed extends Omit<Attempted, "grants"> {
  /** That a copy reads of another bucket. */
  readonly foreign: Grant | undefined;
}

/** Whether the caller may list the bucket in which a key was missed. */
async function maySeeNames(
  evidence: Evidence,
  { foreign, ...attempted }: Missed,
): Promise<Decision | undefined> {
  const resource = foreign?.resource.split("/", 1)[0] ?? attempted.request.bucket;
  if (resource === undefined) return undefined;
  const grants = [{ action: "s3:ListBucket", resource }] as const;
  const [decision] = await judge(evidence, { ...attempted, grants });
  return decision;
}

async function bucketNow(
  { knowledge }: Front,
  { bucket }: FramedRequest,
): Promise<FoundBucket | undefined> {
  if (bucket === undefined) return undefined;
  return await (await knowledge.now()).findBucket(bucketName(bucket));
}

/** Whose rates a request is held to; mostly nobody's. */
async function partiesOf(
  { organizationId, name }: Principal,
  buckets: readonly (FoundBucket | undefined)[],
  findStanding: FindStanding,
): Promise<readonly Party[]> {
  const parties: Party[] = [];
  if (organizationId !== undefined) {
    const { principalRates: rates } = (await findStanding(organizationId)).limits;
    if (isLimiting(rates)) parties.push({ name: `principal ${organizationId} ${name}`, rates });
  }
  for (const found of buckets) {
    const rates = found?.settings.control.rates;
    if (found === undefined || rates === undefined || !isLimiting(rates)) continue;
    parties.push({ name: `bucket ${found.bucket.id}`, rates });
  }
  return parties;
}

/** A reply says how long its body is. */
function bodyBytes({ headers, body }: HttpReply): number {
  return body === undefined ? 0 : Number(headers["content-length"] ?? 0);
}

function asS3Error(cause: unknown): S3Error {
  if (cause instanceof S3Error) return cause;
  if (cause instanceof StorageError && cause.kind === "full") {
    const message =
      "The server's disk is full: nothing was stored. Delete data or add space, then try again.";
    return new S3Error("ServiceUnavailable", {}, { message, cause });
  }
  if (cause instanceof StorageError && cause.kind === "unavailable") {
    return new S3Error("ServiceUnavailable", {}, { cause });
  }
  return new S3Error("InternalError", {}, { cause });
}

/** AWS answers two ids; ours says the same in another form, so that either finds the log line. */
function hostIdOf(requestId: string): string {
  return btoa(`lode/${requestId}`);
}
