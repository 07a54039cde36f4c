import { type Control, type Handled, handle } from "#admin/handle.ts";
import { type HealthView, healthReply } from "#admin/health.ts";
import type { HttpReply, HttpRequest } from "#base/http.ts";

export interface AdminView extends HealthView {
  readonly control: Control;
  /** Told of each call of the control API, when it has been answered. */
  readonly called: (http: HttpRequest, handled: Handled, ms: number) => void;
}

/** Everything that the admin listener answers. */
export function adminAnswer(
  view: AdminView,
): (http: HttpRequest) => Promise<{ readonly reply: HttpReply; readonly done?: () => void }> {
  return async (http) => {
    const started = performance.now();
    const [path = ""] = http.target.split("?", 1);
    const health = await healthReply(view, { method: http.method, path });
    if (health !== undefined) return { reply: health };
    const handled = await handle(http, view.control);
    const done = () => view.called(http, handled, performance.now() - started);
    return { reply: handled.reply, done };
  };
}
