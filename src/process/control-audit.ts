import { callerName } from "#admin/caller.ts";
import type { Control, Handled } from "#admin/handle.ts";
import type { AuditStream, ControlPlaneRecord, FiledRecord } from "#audit/record.ts";
import type { AuditSpool } from "#audit/spool.ts";
import type { Clock } from "#base/clock.ts";
import { ControlError } from "#base/control-error.ts";
import type { HttpRequest } from "#base/http.ts";
import type { Organizations } from "#catalog/organizations.ts";

export interface ControlAuditParts {
  readonly spool: AuditSpool;
  readonly organizations: Organizations;
  readonly clock: Clock;
  /** Resolves when of all that other processes have answered until now they have told. */
  readonly settled: () => Promise<void>;
}

/**
 * Keeps the records of the control plane where the organization wants them: of calls of the control API, and of
 * what other processes tell of STS.
 */
export class ControlAudit {
  readonly #parts: ControlAuditParts;
  /** By organization: an audit that is being switched off. Never rejects. */
  readonly #silencing = new Map<string, Promise<unknown>>();

  constructor(parts: ControlAuditParts) {
    this.#parts = parts;
  }

  record(request: HttpRequest, { reply, trace }: Handled, ms: number): void {
    const record = this.#recordOf({ request, trace, status: reply.status, ms });
    for (const organizationId of new Set([trace.organizationId, trace.silenced])) {
      if (organizationId !== undefined) this.file({ organizationId, record });
    }
  }

  /** Of another process. */
  file({ organizationId, record }: FiledRecord): void {
    this.#parts.spool.appendIf(this.#wants(organizationId), streamOf(organizationId), record);
  }

  /**
   * Does what switches the audit of an organization off, after the call's record is on the disk: nothing
   * could tell of it afterwards. Records of other calls wait for its end, so that none comes after that one.
   * Should it fail in the end, another record tells so.
   * Fails: Unavailable when the record cannot be kept, and nothing is switched.
   */
  readonly silence: Control["silence"] = async (request, trace, change) => {
    const organizationId = trace.silenced;
    if (organizationId === undefined) return await change();
    await this.#parts.settled();
    const record = this.#recordOf({ request, trace, status: 200, ms: 0 });
    // Of those from here on nobody knows before this is done.
    const decided = this.#parts.spool.decided();
    const work = this.#recordAndDo(organizationId, { record, decided }, change);
    const ended = work.catch(() => undefined);
    this.#silencing.set(organizationId, ended);
    try {
      return await work;
    } finally {
      if (this.#silencing.get(organizationId) === ended) this.#silencing.delete(organizationId);
    }
  };

  /** Resolves when every record is on the disk and handed over. */
  async close(): Promise<void> {
    await this.#parts.spool.close();
  }

  async #wants(organizationId: string): Promise<boolean> {
    await this.#silencing.get(organizationId);
    return await this.#parts.organizations.auditsControlPlane(organizationId);
  }

  async #recordAndDo<T>(
    organizationId: string,
    { record, decided }: { readonly record: ControlPlaneRecord; readonly decided: Promise<void> },
    change: () => Promise<T>,
  ): Promise<T> {
    const { spool, organizations } = this.#parts;
    await decided;
    if (await organizations.auditsControlPlane(organizationId)) {
      await spool.appendLast(streamOf(organizationId), record).catch((cause) => {
        const message = "the audit record of this call cannot be kept, so the audit stays on";
        throw new ControlError("Unavailable", message, { cause });
      });
    }
    return await change();
  }

  #recordOf({ request, trace, status, ms }: Call): ControlPlaneRecord {
    const { caller } = trace;
    const role = caller.kind === "principal" && caller.principal.kind === "role";
    return {
      action: `cwobject:${trace.operation}`,
      principal: callerName(caller),
      principalRole: role ? caller.principal.name : undefined,
      timestamp: new Date(this.#parts.clock.now() - ms).toISOString(),
      identifier: trace.identifier,
      duration_seconds: Math.round(ms) / 1_000,
      sourceIp: request.remoteAddress,
      requestId: trace.requestId,
      status,
      code: trace.code,
    };
  }
}

interface Call {
  readonly request: HttpRequest;
  readonly trace: Handled["trace"];
  readonly status: number;
  readonly ms: number;
}

function streamOf(organizationId: string): AuditStream {
  return { organizationId, plane: "control-plane" };
}
