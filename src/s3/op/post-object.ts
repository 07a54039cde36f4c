import { assert } from "#base/assert.ts";
import { document, tag } from "#base/xml.ts";
import type { ObjectInfo } from "#object/attributes.ts";
import { within } from "#s3/form/length-range.ts";
import { type LengthRange, readPostPolicy, requirePolicy } from "#s3/form/post-policy.ts";
import {
  PUT_BYTES_MAX,
  type Put,
  putGrants,
  putHeaders,
  readPut,
  runPut,
} from "#s3/op/put-object.ts";
import { operation } from "#s3/operation.ts";
import { empty } from "#s3/reply.ts";
import type { S3Request } from "#s3/request.ts";

/** What a form asks for. */
interface Posted extends Put {
  readonly location: string;
  readonly redirect: URL | undefined;
  readonly status: 200 | 201 | 204;
}

/**
 * A PutObject out of a form, as browsers send it and SDKs presign it.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
 */
export const postObject = operation({
  name: "PostObject",
  route: { method: "POST", on: "bucket" },
  body: "form",

  parse: (request): Posted => {
    const { body, form } = request;
    assert(body !== undefined && form !== undefined, "a form operation has a form");
    const range = requireForm(request, form.fields);
    const maxBytes = Math.min(range.maxBytes, PUT_BYTES_MAX);
    const put = readPut({ ...request, body: within(body, { ...range, maxBytes }) });
    return {
      ...put,
      location: locationOf(request, put),
      redirect: readRedirect(form.fields),
      status: readStatus(form.fields.get("success_action_status")),
    };
  },

  grants: ({ name, put }) => putGrants(name, put.attributes.tags),
  run: runPut,

  render: (written, posted) => {
    const { location, redirect, status } = posted;
    const headers = { ...putHeaders(written, posted), Location: location };
    if (redirect !== undefined) {
      return empty(303, { ...headers, Location: redirectTo(redirect, posted, written.object) });
    }
    if (status !== 201) return empty(status, headers);
    const { bucket, key } = posted.name;
    const inner =
      tag("Location", location) +
      tag("Bucket", bucket) +
      tag("Key", key) +
      tag("ETag", `"${written.object.etag}"`);
    const body = document("PostResponse", inner, { xmlns: false });
    const length = String(Buffer.byteLength(body));
    const ofBody = { "content-type": "application/xml", "content-length": length };
    return { status, headers: { ...headers, ...ofBody }, body };
  },
});

const ANY_LENGTH: LengthRange = { minBytes: 0, maxBytes: PUT_BYTES_MAX };

/** The policy of a form that is signed; nobody vouches for any other. Fails: as readPostPolicy and requirePolicy. */
function requireForm(
  { bucket = "", signedMs, nowMs }: S3Request,
  fields: ReadonlyMap<string, string>,
): LengthRange {
  if (signedMs === undefined) return ANY_LENGTH;
  const policy = readPostPolicy(fields.get("policy") ?? "");
  return requirePolicy(policy, { fields: new Map([...fields, ["bucket", bucket]]), nowMs });
}

/** Observed: 2025-09-19, as others recorded AWS: a slash in the key is told as %2F. */
function locationOf({ headers, secure, path }: S3Request, { name }: Put): string {
  const host = headers["host"] ?? "localhost";
  const bucket = path === "/" ? "" : `/${name.bucket}`;
  return `${secure ? "https" : "http"}://${host}${bucket}/${encodeURIComponent(name.key)}`;
}

/** What is no address is taken for none, as AWS does. */
function readRedirect(fields: ReadonlyMap<string, string>): URL | undefined {
  const text = fields.get("success_action_redirect") ?? fields.get("redirect");
  const url = text === undefined ? null : URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) ? url : undefined;
}

function redirectTo(url: URL, { name }: Put, { etag }: ObjectInfo): string {
  const added = { bucket: name.bucket, key: name.key, etag: `"${etag}"` };
  const pairs = Object.entries(added).map(
    ([each, value]) => `${each}=${encodeURIComponent(value)}`,
  );
  const to = new URL(url);
  to.search = [to.search.slice(1), ...pairs].filter((part) => part !== "").join("&");
  return to.href;
}

/** Any other is taken for the one that is answered without. */
function readStatus(text: string | undefined): Posted["status"] {
  if (text === "200") return 200;
  return text === "201" ? 201 : 204;
}
