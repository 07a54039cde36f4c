import type { Principal } from "#access/principal.ts";
import { principalArn } from "#access/principal.ts";

/** Where a record goes: the organization whose it is, and what it tells of. */
export interface AuditStream {
  readonly organizationId: string;
  readonly plane: AuditPlane;
}

export const AUDIT_PLANES = ["data-plane", "control-plane"] as const;
export type AuditPlane = (typeof AUDIT_PLANES)[number];

/** One request to the S3 API. The names are CoreWeave's. */
export interface DataPlaneRecord {
  readonly action: string;
  readonly "aws:arn": string | undefined;
  readonly principal: string;
  readonly timestamp: string;
  readonly sourceIp: string;
  readonly host: string;
  readonly bucketName: string;
  readonly key: string | undefined;
  readonly versionId: string | undefined;
  readonly accessKeyId: string | undefined;
  readonly requestId: string;
  readonly status: number;
  /** Of a refusal. */
  readonly code: string | undefined;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly durationMs: number;
}

/** One call of the control API. The names are CoreWeave's. */
export interface ControlPlaneRecord {
  readonly action: string;
  readonly principal: string;
  readonly principalRole: string | undefined;
  readonly timestamp: string;
  /** What it was about: an access key, a policy, a bucket. */
  readonly identifier: string | undefined;
  readonly duration_seconds: number;
  readonly sourceIp: string;
  readonly requestId: string;
  readonly status: number;
  readonly code: string | undefined;
}

/** A record of the control plane, and whose it is. */
export interface FiledRecord {
  readonly organizationId: string;
  readonly record: ControlPlaneRecord;
}

export type AuditRecord = DataPlaneRecord | ControlPlaneRecord;

/** How records speak of who did it. */
export function auditedPrincipal(principal: Principal): {
  readonly principal: string;
  readonly "aws:arn": string | undefined;
} {
  return { principal: principal.name, "aws:arn": principalArn(principal) };
}
