import type { HttpReply } from "#base/http.ts";

/** What probes and Prometheus are told of. */
export interface HealthView {
  /** Every worker serves. */
  readonly isReady: () => boolean;
  /** In the Prometheus text format. */
  readonly metrics: () => Promise<string>;
}

/** `/health/live`, `/health/ready` and `/metrics`; undefined for another path. */
export async function healthReply(
  view: HealthView,
  { method, path }: { readonly method: string; readonly path: string },
): Promise<HttpReply | undefined> {
  if (!["/health/live", "/health/ready", "/metrics"].includes(path)) return undefined;
  if (method !== "GET" && method !== "HEAD") return text(405, "Use GET.\n");
  if (path === "/health/live") return text(200, "live\n");
  if (path === "/metrics") return await metrics(view);
  return view.isReady()
    ? text(200, "ready\n")
    : text(503, "not ready: a worker is starting or stopping\n");
}

async function metrics(view: HealthView): Promise<HttpReply> {
  try {
    return text(200, await view.metrics(), "text/plain; version=0.0.4; charset=utf-8");
  } catch (cause) {
    return text(500, `the metrics cannot be read: ${cause}\n`);
  }
}

function text(status: number, body: string, type = "text/plain; charset=utf-8"): HttpReply {
  const headers = { "content-type": type, "content-length": String(Buffer.byteLength(body)) };
  return { status, headers, body };
}
