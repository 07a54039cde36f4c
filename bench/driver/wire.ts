import type { WireRequest } from "../client/connection.ts";
import { payload } from "../client/payload.ts";
import { objectPath, Signer } from "../client/sign.ts";
import { type Job, keyOf } from "./job.ts";

/** Bodies up to this size are sent in one piece with their head. */
const JOINED_BYTES_MAX = 4096;

const METHODS = { get: "GET", put: "PUT", delete: "DELETE", rename: "PUT" } as const;

/**
 * Signs every request of a job before its clock starts. A rename is two requests, there and back,
 * at the places 2 n and 2 n + 1.
 */
export function wireRequests(job: Job): WireRequest[] {
  const signer = new Signer(job.endpoint, new Date());
  const host = `${job.endpoint.host}:${job.endpoint.port}`;
  const body = job.kind === "put" ? payload(job.sizeBytes) : undefined;
  const length = METHODS[job.kind] === "PUT" ? { "content-length": `${body?.length ?? 0}` } : {};
  const write = (key: string, extra: { readonly from?: string }): WireRequest => {
    const from = extra.from;
    const head = signer.head({
      method: METHODS[job.kind],
      path: objectPath(job.bucket, key),
      query: from === undefined ? {} : { renameObject: "" },
      headers: {
        host,
        ...length,
        ...job.headers,
        ...(from === undefined ? {} : { "x-amz-rename-source": objectPath(job.bucket, from) }),
      },
    });
    return join(Buffer.from(head, "latin1"), body);
  };
  return Array.from({ length: job.count }, (_, index) =>
    keyOf(job.prefix, job.first + index),
  ).flatMap((key) =>
    job.kind === "rename"
      ? [write(`${key}.to`, { from: key }), write(key, { from: `${key}.to` })]
      : [write(key, {})],
  );
}

function join(head: Buffer, body: Buffer | undefined): WireRequest {
  if (body === undefined || body.length === 0) return { head };
  if (body.length <= JOINED_BYTES_MAX) return { head: Buffer.concat([head, body]) };
  return { head, body };
}
