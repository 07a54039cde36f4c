import type { Lookup } from "#access/condition-keys.ts";
import { type Principal, principalArn } from "#access/principal.ts";
import { digestOf } from "#base/checksum.ts";
import { S3Error } from "#base/error.ts";
import type { HttpReply, HttpRequest } from "#base/http.ts";
import type { Soon } from "#base/soon.ts";
import { tag } from "#base/xml.ts";
import type { Federation } from "#federation/federation.ts";
import { authenticateClaim, SKEW_MS_MAX } from "#s3/authenticate.ts";
import { conditionValues } from "#s3/condition-values.ts";
import { type Front, type Handled, handle } from "#s3/handle.ts";
import { type FramedRequest, frame } from "#s3/request.ts";
import { readClaim } from "#s3/signature/claim.ts";
import { newTrace, type Trace } from "#s3/trace.ts";
import { assumeRole, readAssumeRole, renderAssumeRole } from "#sts/assume-role.ts";
import { type Parameters, readForm, readParameters } from "#sts/parameters.ts";
import { errorReply, resultReply } from "#sts/reply.ts";
import { asStsError, StsError } from "#sts/sts-error.ts";

/** What the listener stands on that speaks S3 and, at its root, the Security Token Service. */
export interface StsFront extends Front {
  readonly federation: Federation;
}

const VERSION = "2011-06-15";
/** Of the service, and not here: each is refused by its name. */
const UNOFFERED = new Set([
  "AssumeRole",
  "AssumeRoleWithSAML",
  "AssumeRoot",
  "DecodeAuthorizationMessage",
  "GetAccessKeyInfo",
  "GetDelegatedAccessToken",
  "GetFederationToken",
  "GetSessionToken",
  "GetWebIdentityToken",
]);

/**
 * Answers what SDKs ask the Security Token Service when their endpoint for it is ours: `POST /` and
 * `GET /?Action=…`, which mean nothing in S3. Everything else is S3.
 */
export function handleAll(http: HttpRequest, front: StsFront): Soon<Handled> {
  const framed = couldBeSts(http) ? framedOrNot(http, front) : undefined;
  if (framed === undefined || framed.bucket !== undefined) return handle(http, front);
  return handleSts({ http, framed, front });
}

async function handleSts(asked: Asked): Promise<Handled> {
  const trace = newTrace();
  const reply = await answer(asked, trace);
  const headers = { "x-amzn-requestid": trace.requestId, ...reply.headers };
  return { reply: { ...reply, headers }, trace };
}

/** Cheaply, for it is asked of every request. */
function couldBeSts({ method, target }: HttpRequest): boolean {
  const isRoot = target === "/" || target.startsWith("/?");
  if (method === "POST") return isRoot;
  return method === "GET" && isRoot && /[?&]Action=/.test(target);
}

/** What cannot be framed is S3's to refuse. */
function framedOrNot(http: HttpRequest, front: StsFront): FramedRequest | undefined {
  try {
    return frame(http, front.addressing);
  } catch (cause) {
    if (cause instanceof S3Error) return undefined;
    throw cause;
  }
}

interface Asked {
  readonly http: HttpRequest;
  readonly framed: FramedRequest;
  readonly front: StsFront;
}

async function answer(asked: Asked, trace: Trace): Promise<HttpReply> {
  const { http, framed, front } = asked;
  try {
    const body = http.method === "POST" ? await readForm(http) : Buffer.alloc(0);
    const parameters = readParameters(http.method === "POST" ? body.toString() : framed.rawQuery);
    return await run({ ...asked, body, parameters }, trace);
  } catch (cause) {
    const error = asStsError(cause);
    trace.code = error.code;
    if (error.code === "InternalFailure") front.report(cause, trace.requestId);
    return errorReply(error, trace.requestId);
  }
}

interface Read extends Asked {
  readonly body: Buffer;
  readonly parameters: Parameters;
}

async function run(read: Read, trace: Trace): Promise<HttpReply> {
  const { framed, front, parameters } = read;
  const action = actionOf(parameters);
  trace.operation = action;
  if (action === "AssumeRoleWithWebIdentity") {
    const ask = readAssumeRole(parameters);
    const session = await assumeRole(front.federation, ask, {
      lookup: lookupOf(framed, front),
      identified: (principal) => identify(trace, principal),
    });
    trace.accessKeyId = session.accessKeyId;
    return resultReply(action, renderAssumeRole(session, ask), trace.requestId);
  }
  const { principal, accessKeyId } = await authenticated(read);
  identify(trace, principal);
  trace.accessKeyId = accessKeyId;
  return resultReply(action, renderCaller(principal), trace.requestId);
}

function identify(trace: Trace, principal: Principal): void {
  trace.principal = principal.name;
  trace.caller = principal;
}

/** Fails: StsError "MissingAction", "InvalidAction", "NotImplemented". */
function actionOf(parameters: Parameters): "AssumeRoleWithWebIdentity" | "GetCallerIdentity" {
  const action = parameters.get("Action");
  const version = parameters.get("Version") ?? VERSION;
  if (action === undefined) {
    throw new StsError("MissingAction", "The request is missing an Action parameter.");
  }
  if (UNOFFERED.has(action)) {
    throw new StsError("NotImplemented", `${action} is not implemented by this server.`);
  }
  if (version === VERSION) {
    if (action === "AssumeRoleWithWebIdentity" || action === "GetCallerIdentity") return action;
  }
  const message = `Could not find operation ${action} for version ${version}`;
  throw new StsError("InvalidAction", message.slice(0, 300));
}

/** Whoever signed the request for this service, in its headers. Fails: StsError, S3Error. */
async function authenticated({ framed, front, body }: Read) {
  const { method, path, rawQuery: query, sentHeaders } = framed;
  const sha256 = digestOf("SHA256", body).toString("hex");
  // Of other services than S3 the digest is signed and not sent.
  const headers = { ...sentHeaders, "x-amz-content-sha256": sha256 };
  const signed = { method, path, query, headers, services: ["sts"] };
  const claim = readClaim(signed);
  if (claim?.kind !== "header") {
    throw new StsError("MissingAuthenticationToken", "Request is missing Authentication Token");
  }
  const callers = { ...front, known: await front.knowledge.now() };
  return await authenticateClaim({ signed, claim }, callers, {
    nowMs: front.clock.now(),
    skewMsMax: SKEW_MS_MAX,
  });
}

/**
 * The ARN is the one that bucket policies name the caller by.
 *
 * Spec: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 */
function renderCaller(principal: Principal): string {
  const { organizationId = "", name } = principal;
  return (
    tag("Arn", principalArn(principal) ?? "") +
    tag("UserId", name.slice(name.indexOf("/") + 1)) +
    tag("Account", organizationId)
  );
}

function lookupOf(framed: FramedRequest, { clock }: StsFront): Lookup {
  const unsigned = { document: "", body: undefined, signedMs: undefined, nowMs: clock.now() };
  return conditionValues({
    request: { ...framed, ...unsigned },
    operation: "AssumeRoleWithWebIdentity",
    versionId: undefined,
    objectTags: undefined,
  });
}
