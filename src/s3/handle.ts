import type { Decision } from "#access/decide.ts";
import { explain } from "#access/explain.ts";
import type { Grant } from "#access/grant.ts";
import type { Clock } from "#base/clock.ts";
import { S3Error } from "#base/error.ts";
import type { HttpReply, HttpRequest } from "#base/http.ts";
import { after, rescue, type Soon } from "#base/soon.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { FindBucket, Knowledge, Known } from "#catalog/known.ts";
import type { Bucket } from "#object/bucket.ts";
import type { Engine } from "#object/engine.ts";
import { bucketName, isBucketName } from "#object/name.ts";
import { type Authenticated, authenticate, type Callers, SKEW_MS_MAX } from "#s3/authenticate.ts";
import { judge } from "#s3/authorize.ts";
import { bodyOf, readDocument } from "#s3/body.ts";
import { requireWithin } from "#s3/bucket-session.ts";
import { conceal } from "#s3/conceal.ts";
import { readPostedForm } from "#s3/form/posted-form.ts";
import type { Operation } from "#s3/operation.ts";
import { partiesOf } from "#s3/parties.ts";
import { answerPreflight, crossOriginHeaders } from "#s3/preflight.ts";
import { hostIdOf, refusal } from "#s3/refusal.ts";
import { type Addressing, type FramedRequest, frame, type S3Request } from "#s3/request.ts";
import type { Router } from "#s3/route.ts";
import { servicesOf } from "#s3/services.ts";
import type { Throttle } from "#s3/throttle.ts";
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
export function handle(http: HttpRequest, front: Front): Soon<Handled> {
  const trace = newTrace();
  const begun = { http, front, trace };
  const answer = rescue(
    () => begin(begun),
    (cause) => refusal(cause, begun),
  );
  return after(answer, ({ status, headers, body }) => {
    const ids = { "x-amz-request-id": trace.requestId, "x-amz-id-2": hostIdOf(trace.requestId) };
    const all = { ...ids, ...trace.crossOrigin, ...headers };
    return { reply: { status, headers: all, body }, trace };
  });
}

interface Begun {
  readonly http: HttpRequest;
  readonly front: Front;
  readonly trace: Trace;
}

/** What it asks for. */
function begin(begun: Begun): Soon<HttpReply> {
  const { http, front, trace } = begun;
  const framed = frame(http, front.addressing);
  trace.bucket = framed.bucket;
  trace.key = framed.key;
  trace.versionId = framed.query.get("versionId");
  trace.host = framed.headers["host"] ?? "";
  if (framed.method === "OPTIONS") {
    trace.operation = "Preflight";
    return answerPreflight(framed, front.catalog);
  }
  return after(crossOriginHeaders(framed, front.catalog), (crossOrigin) => {
    trace.crossOrigin = crossOrigin;
    const operation = front.route(framed);
    trace.operation = operation.name;
    return after(operation.body === "form" ? readPostedForm(framed, http) : framed, (asked) => {
      trace.key = asked.key;
      const nowMs = front.clock.now();
      return after(front.knowledge.now(), (known) =>
        identify({ ...begun, framed: asked, operation, nowMs, known }),
      );
    });
  });
}

interface Routed extends Begun {
  readonly framed: FramedRequest;
  readonly operation: Operation;
  readonly nowMs: number;
  readonly known: Known;
}

/** Who asks. */
function identify(routed: Routed): Soon<HttpReply> {
  const { front, trace, framed, nowMs, known } = routed;
  const { findCredential, sessions } = front;
  return after(skewFor(framed, known.findBucket), (skewMsMax) => {
    const callers = { findCredential, sessions, known };
    return after(authenticate(framed, callers, { nowMs, skewMsMax }), (authenticated) => {
      trace.principal = authenticated.principal.name;
      trace.caller = authenticated.principal;
      trace.accessKeyId = authenticated.accessKeyId;
      return after(understood(routed, authenticated), (request) =>
        permit({ ...routed, authenticated, request }),
      );
    });
  });
}

interface Identified extends Routed {
  readonly authenticated: Authenticated;
  readonly request: S3Request;
}

/** Whether they may. */
function permit(identified: Identified): Soon<HttpReply> {
  const { front, trace, framed, operation, authenticated, request, known } = identified;
  const call = operation.prepare(request);
  const { grants } = call;
  const { principal, session } = authenticated;
  if (session !== undefined) requireWithin(session, grants);
  const { findBucket, findStanding } = known;
  const evidence = { engineOf: front.engineOf, findBucket, findStanding };
  const attempted = { principal, request, operation: operation.name };
  const foreign = foreignGrant(grants, framed);
  return after(judge(evidence, { ...attempted, grants }), (decisions) =>
    after(noteBuckets(identified, foreign), () => {
      requireAllowed(decisions, identified);
      const isAllowed = (grant: number) => decisions[grant]?.allowed === true;
      return rescue(
        () => run(identified, call, isAllowed),
        (cause) => conceal(cause, { trace, evidence, missed: { ...attempted, foreign } }),
      );
    }),
  );
}

/** Those whose owners want to know of it, and hold it to rates. */
function noteBuckets(
  { trace, framed, known: { findBucket } }: Identified,
  foreign: Grant | undefined,
): Soon<void> {
  const { bucket } = framed;
  const found = bucket === undefined ? undefined : findBucket(bucketName(bucket));
  return after(found, (own) => {
    trace.found = own;
    if (foreign === undefined) return undefined;
    return after(traced(foreign, findBucket), (source) => {
      trace.source = source;
    });
  });
}

function run(
  { front, trace, framed, operation, authenticated, request, known }: Identified,
  call: ReturnType<Operation["prepare"]>,
  isAllowed: (grant: number) => boolean,
): Soon<HttpReply> {
  const buckets = [trace.found, trace.source?.found];
  return after(partiesOf(authenticated.principal, buckets, known.findStanding), (parties) => {
    const charge = front.throttle.admit(parties, request.body?.sizeBytes ?? 0);
    const services = servicesOf(front, { framed, authenticated, known, isAllowed });
    return after(call.run(services), (reply) => {
      charge(bodyBytes(reply));
      // Whose bucket it is now is known only now.
      return operation.name === "CreateBucket" ? noteCreated(reply, { front, trace }) : reply;
    });
  });
}

const VOLUME_SKEW_MS_MAX = 60 * 60 * 1_000;

/**
 * Machines that mount volumes keep worse time.
 *
 * Spec: Runpod, "S3-compatible API", limitations.
 */
function skewFor({ bucket }: FramedRequest, findBucket: FindBucket): Soon<number> {
  if (bucket === undefined || !isBucketName(bucket)) return SKEW_MS_MAX;
  return after(findBucket(bucketName(bucket)), (found) =>
    found?.bucket.volume === undefined ? SKEW_MS_MAX : VOLUME_SKEW_MS_MAX,
  );
}

/** With its body, as far as the operation wants it now. */
function understood(
  { framed, operation, http, nowMs }: Routed,
  { signedMs, payload, verified }: Authenticated,
): Soon<S3Request> {
  const plain = { ...framed, document: "", body: undefined, signedMs, nowMs };
  if (operation.body === "none") return plain;
  const { form } = framed;
  const body = bodyOf({
    headers: plain.headers,
    chunks: form === undefined ? http.body : form.file.chunks,
    payload,
    verified,
    lengthRequired: operation.body === "stream",
    hasChecksum: operation.body !== "object-document",
  });
  if (operation.body === "stream") return { ...plain, body };
  if (form !== undefined)
    return { ...plain, body: { ...body, sizeBytesMin: form.file.sizeBytesMin } };
  return readDocument(body).then((document) => ({ ...plain, document }));
}

/**
 * Fails: AccessDenied when a grant is refused; of a partial operation, when all are and the caller is nobody, or may not
 * hear that there is no such bucket.
 */
function requireAllowed(
  decisions: readonly Decision[],
  { operation: { partial }, authenticated: { principal }, trace }: Identified,
): void {
  const refused = decisions.find(({ allowed }) => !allowed);
  if (refused === undefined) return;
  trace.denied = explain(refused);
  const isHeard = principal.kind !== "anonymous" && trace.found !== undefined;
  if (partial && (isHeard || decisions.some(({ allowed }) => allowed))) return;
  throw new S3Error("AccessDenied", {});
}

async function noteCreated(
  reply: HttpReply,
  { front, trace }: Pick<Begun, "front" | "trace">,
): Promise<HttpReply> {
  const { findBucket } = await front.knowledge.now();
  if (trace.bucket !== undefined) trace.found = await findBucket(bucketName(trace.bucket));
  return reply;
}

/** A reply says how long its body is. */
function bodyBytes({ headers, body }: HttpReply): number {
  return body === undefined ? 0 : Number(headers["content-length"] ?? 0);
}
