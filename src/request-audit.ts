import { dataPlaneRecord } from "#audit/data-plane.ts";
import type { AuditSpool } from "#audit/spool.ts";
import type { Clock } from "#base/clock.ts";
import type { HttpRequest } from "#base/http.ts";
import type { FoundBucket } from "#catalog/known.ts";
import type { Organizations } from "#catalog/organizations.ts";
import type { Handled } from "#s3/handle.ts";
import type { Finished } from "#server/listen.ts";

interface Answered {
  readonly trace: Handled["trace"];
  readonly request: HttpRequest;
  readonly status: number;
  readonly written: Finished;
  readonly ms: number;
}

export interface RequestAuditParts {
  readonly spool: AuditSpool;
  readonly organizations: Organizations;
  readonly clock: Clock;
}

/** Of whose bucket a record tells. */
interface Subject {
  readonly found: FoundBucket;
  readonly key: string | undefined;
  readonly versionId: string | undefined;
}

/** What is asked at the S3 listener, and is no business of a bucket's. */
const OF_CONTROL_PLANE = "AssumeRoleWithWebIdentity";

/** Audits S3 requests to buckets that want it, or whose organization does; and who is given keys by STS. */
export class RequestAudit {
  readonly #parts: RequestAuditParts;

  constructor(parts: RequestAuditParts) {
    this.#parts = parts;
  }

  record(answered: Answered): void {
    const { found, source, key, versionId, operation } = answered.trace;
    if (found !== undefined) this.#record(answered, { found, key, versionId });
    else if (operation === OF_CONTROL_PLANE) this.#recordSts(answered);
    if (source !== undefined) this.#record(answered, source);
  }

  /** Resolves when every record is on the disk and handed over. */
  async close(): Promise<void> {
    await this.#parts.spool.close();
  }

  #recordSts({ trace, request, status, ms }: Answered): void {
    const { spool, organizations, clock } = this.#parts;
    const { organizationId, name } = trace.caller ?? {};
    if (organizationId === undefined || name === undefined) return;
    spool.appendIf(
      organizations.auditsControlPlane(organizationId),
      { organizationId, plane: "control-plane" },
      {
        action: `sts:${trace.operation}`,
        principal: name,
        principalRole: name,
        timestamp: new Date(clock.now() - ms).toISOString(),
        identifier: trace.accessKeyId,
        duration_seconds: Math.round(ms) / 1_000,
        sourceIp: request.remoteAddress,
        requestId: trace.requestId,
        status,
        code: trace.code,
      },
    );
  }

  #record(
    { trace, request, status, written, ms }: Answered,
    { found, key, versionId }: Subject,
  ): void {
    if (!found.isAudited) return;
    const { spool, clock } = this.#parts;
    const { organizationId, name } = found.bucket;
    const record = dataPlaneRecord({
      operation: trace.operation,
      caller: trace.caller,
      accessKeyId: trace.accessKeyId,
      sourceIp: request.remoteAddress,
      host: trace.host,
      bucket: name,
      key,
      versionId,
      requestId: trace.requestId,
      status,
      code: trace.code,
      receivedBytes: written.received,
      sentBytes: written.bytes,
      endedMs: clock.now(),
      durationMs: ms,
    });
    spool.append({ organizationId, plane: "data-plane" }, record);
  }
}
