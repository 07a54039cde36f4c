import { ANONYMOUS_PRINCIPAL, type Principal } from "#access/principal.ts";
import { auditedPrincipal, type DataPlaneRecord } from "#audit/record.ts";

/** What is known of an answered request. */
export interface AnsweredRequest {
  readonly operation: string;
  readonly caller: Principal | undefined;
  readonly accessKeyId: string | undefined;
  readonly sourceIp: string;
  readonly host: string;
  readonly bucket: string;
  readonly key: string | undefined;
  readonly versionId: string | undefined;
  readonly requestId: string;
  readonly status: number;
  readonly code: string | undefined;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly endedMs: number;
  readonly durationMs: number;
}

/** The target of a request stays out of it: a presigned URL carries its signature there. */
export function dataPlaneRecord(request: AnsweredRequest): DataPlaneRecord {
  return {
    action: `s3:${request.operation}`,
    ...auditedPrincipal(request.caller ?? ANONYMOUS_PRINCIPAL),
    timestamp: new Date(request.endedMs - request.durationMs).toISOString(),
    sourceIp: request.sourceIp,
    host: request.host,
    bucketName: request.bucket,
    key: request.key,
    versionId: request.versionId,
    accessKeyId: request.accessKeyId,
    requestId: request.requestId,
    status: request.status,
    code: request.code,
    bytesReceived: request.receivedBytes,
    bytesSent: request.sentBytes,
    durationMs: Math.round(request.durationMs * 10) / 10,
  };
}
