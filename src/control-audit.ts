import { callerName } from "#admin/caller.ts";
import type { Handled } from "#admin/handle.ts";
import type { AuditSpool } from "#audit/spool.ts";
import type { Clock } from "#base/clock.ts";
import type { HttpRequest } from "#base/http.ts";
import type { Organizations } from "#catalog/organizations.ts";

export interface ControlAuditParts {
  readonly spool: AuditSpool;
  readonly organizations: Organizations;
  readonly clock: Clock;
}

/** Audits calls of the control API, where the organization that they are about wants it. */
export class ControlAudit {
  readonly #parts: ControlAuditParts;

  constructor(parts: ControlAuditParts) {
    this.#parts = parts;
  }

  record(request: HttpRequest, { reply, trace }: Handled, ms: number): void {
    const { spool, organizations, clock } = this.#parts;
    const { organizationId, caller } = trace;
    if (organizationId === undefined) return;
    const role = caller.kind === "principal" && caller.principal.kind === "role";
    spool.appendIf(
      organizations.auditsControlPlane(organizationId),
      { organizationId, plane: "control-plane" },
      {
        action: `cwobject:${trace.operation}`,
        principal: callerName(caller),
        principalRole: role ? caller.principal.name : undefined,
        timestamp: new Date(clock.now() - ms).toISOString(),
        identifier: trace.identifier,
        duration_seconds: Math.round(ms) / 1_000,
        sourceIp: request.remoteAddress,
        requestId: trace.requestId,
        status: reply.status,
        code: trace.code,
      },
    );
  }

  /** Resolves when every record is on the disk and handed over. */
  async close(): Promise<void> {
    await this.#parts.spool.close();
  }
}
