import { dataPlaneRecord } from "#audit/data-plane.ts";
import type { FiledRecord } from "#audit/record.ts";
import type { AuditSpool } from "#audit/spool.ts";
import type { Clock } from "#base/clock.ts";
import type { HttpRequest } from "#base/http.ts";
import type { FoundBucket } from "#catalog/known.ts";
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
  readonly clock: Clock;
  /** Tells the process that keeps the records of the control plane. */
  readonly tell: (filed: FiledRecord) => Promise<void>;
  /** Told of records that could not be kept. */
  readonly lost: (count: number, cause: unknown) => void;
}

/** Records of the control plane on their way to the process that keeps them; more are lost, counted and told. */
const ON_THEIR_WAY_MAX = 10_000;

/** Of whose bucket a record tells. */
interface Subject {
  readonly found: FoundBucket;
  readonly key: string | undefined;
  readonly versionId: string | undefined;
}

/** What is asked at the S3 listener, and is no business of a bucket's. */
const OF_CONTROL_PLANE = "AssumeRoleWithWebIdentity";

/**
 * Audits S3 requests to buckets that want it, or whose organization does. Who is given keys by STS is told to the
 * process that keeps the records of the control plane: whether a record comes before the one of who switches them
 * off, or not at all, one process alone can say.
 */
export class RequestAudit {
  readonly #parts: RequestAuditParts;
  readonly #onTheirWay = new Set<Promise<void>>();

  constructor(parts: RequestAuditParts) {
    this.#parts = parts;
  }

  record(answered: Answered): void {
    const { found, source, key, versionId, operation } = answered.trace;
    if (found !== undefined) this.#record(answered, { found, key, versionId });
    else if (operation === OF_CONTROL_PLANE) this.#recordSts(answered);
    if (source !== undefined) this.#record(answered, source);
  }

  /** Resolves when every record is on the disk and handed over, or was told. */
  async close(): Promise<void> {
    await Promise.all(this.#onTheirWay);
    await this.#parts.spool.close();
  }

  #recordSts({ trace, request, status, ms }: Answered): void {
    const { clock } = this.#parts;
    const { organizationId, name } = trace.caller ?? {};
    if (organizationId === undefined || name === undefined) return;
    const record = {
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
    };
    this.#tell({ organizationId, record });
  }

  #tell(filed: FiledRecord): void {
    const { tell, lost } = this.#parts;
    if (this.#onTheirWay.size >= ON_THEIR_WAY_MAX) {
      lost(1, new Error("the process that keeps audit records does not take them"));
      return;
    }
    const work = tell(filed)
      .catch((cause) => lost(1, cause))
      .finally(() => this.#onTheirWay.delete(work));
    this.#onTheirWay.add(work);
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
