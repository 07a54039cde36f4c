import type { WireRequest } from "../client/connection.ts";
import { payload } from "../client/payload.ts";
import { objectPath, Signer } from "../client/sign.ts";
import { bucketAt, type Job, keyAt } from "./job.ts";

/** Bodies up to this size are sent in one piece with their head. */
const JOINED_BYTES_MAX = 4096;

const METHODS = { get: "GET", put: "PUT", delete: "DELETE", rename: "PUT", list: "GET" } as const;
const PAGE_KEYS = 1000;

/**
 * Signs every request of a job before its clock starts. A rename is two requests, there and back,
 * at the places 2 n and 2 n + 1.
 */
export function wireRequests(job: Job): WireRequest[] {
  const signer = new Signer(job.endpoint, new Date());
  const host = `${job.endpoint.host}:${job.endpoint.port}`;
  const body = job.kind === "put" ? payload(job.sizeBytes) : undefined;
  const length = METHODS[job.kind] === "PUT" ? { "content-length": `${body?.length ?? 0}` } : {};
  const write = (named: Named, from?: string): WireRequest => {
    const { bucket, key } = named;
    const isList = job.kind === "list";
    const head = signer.head({
      method: METHODS[job.kind],
      path: isList ? `/${bucket}` : objectPath(bucket, key),
      query: queryOf(job, key, from),
      headers: {
        host,
        ...length,
        ...job.headers,
        ...(from === undefined ? {} : { "x-amz-rename-source": objectPath(bucket, from) }),
      },
    });
    return join(Buffer.from(head, "latin1"), body);
  };
  return Array.from({ length: job.count }, (_, index) => ({
    bucket: bucketAt(job, index),
    key: keyAt(job, index),
  })).flatMap((named) => {
    if (job.kind !== "rename") return [write(named)];
    const to = { ...named, key: `${named.key}.to` };
    return [write(to, named.key), write(named, to.key)];
  });
}

function queryOf({ kind }: Job, key: string, from: string | undefined): Record<string, string> {
  if (kind === "list") {
    return { "list-type": "2", "max-keys": String(PAGE_KEYS), "start-after": key };
  }
  return from === undefined ? {} : { renameObject: "" };
}

interface Named {
  readonly bucket: string;
  readonly key: string;
}

function join(head: Buffer, body: Buffer | undefined): WireRequest {
  if (body === undefined || body.length === 0) return { head };
  if (body.length <= JOINED_BYTES_MAX) return { head: Buffer.concat([head, body]) };
  return { head, body };
}
