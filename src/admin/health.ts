import type { HttpReply, HttpRequest } from "#base/http.ts";

/** What the admin listener can tell. */
export interface AdminView {
  /** Every worker serves. */
  readonly isReady: () => boolean;
  /** In the Prometheus text format. */
  readonly metrics: () => Promise<string>;
}

/** `/health/live`, `/health/ready` and `/metrics`, for probes and for Prometheus. */
export function adminAnswer(
  view: AdminView,
): (request: HttpRequest) => Promise<{ readonly reply: HttpReply }> {
  return async ({ method, target }) => {
    if (method !== "GET" && method !== "HEAD") return text(405, "Use GET.\n");
    switch (target.split("?", 1)[0]) {
      case "/health/live":
        return text(200, "live\n");
      case "/health/ready":
        return view.isReady()
          ? text(200, "ready\n")
          : text(503, "not ready: a worker is starting or stopping\n");
      case "/metrics":
        return await metrics(view);
      default:
        return text(404, "There are /health/live, /health/ready and /metrics.\n");
    }
  };
}

async function metrics(view: AdminView) {
  try {
    return text(200, await view.metrics(), "text/plain; version=0.0.4; charset=utf-8");
  } catch (cause) {
    return text(500, `the metrics cannot be read: ${cause}\n`);
  }
}

function text(status: number, body: string, type = "text/plain; charset=utf-8") {
  const headers = { "content-type": type, "content-length": String(Buffer.byteLength(body)) };
  return { reply: { status, headers, body } };
}
