import { type Control, type Handled, handle } from "#admin/handle.ts";
import { type HealthView, healthReply } from "#admin/health.ts";
import { openApiDocument } from "#admin/openapi.ts";
import { OPERATIONS } from "#admin/operations.ts";
import type { HttpReply, HttpRequest } from "#base/http.ts";

export interface AdminView extends HealthView {
  readonly control: Control;
  /** Told of each call of the control API when it has been answered. */
  readonly called: (http: HttpRequest, handled: Handled, ms: number) => void;
}

interface Answer {
  readonly reply: HttpReply;
  readonly done?: () => void;
}

/** Everything that the admin listener answers. */
export function adminAnswer(view: AdminView): (http: HttpRequest) => Promise<Answer> {
  return async (http) => {
    const started = performance.now();
    const [path = ""] = http.target.split("?", 1);
    const health = await healthReply(view, { method: http.method, path });
    if (health !== undefined) return { reply: health };
    if (path === "/openapi.json" && http.method === "GET") return { reply: openApiReply() };
    const handled = await handle(http, view.control);
    const done = () => view.called(http, handled, performance.now() - started);
    return { reply: handled.reply, done };
  };
}

let openApi: string | undefined;

/** It says what the documentation says, so that it needs no token. */
function openApiReply(): HttpReply {
  openApi ??= JSON.stringify(openApiDocument(OPERATIONS));
  const length = String(Buffer.byteLength(openApi));
  const headers = { "content-type": "application/json", "content-length": length };
  return { status: 200, headers, body: openApi };
}
