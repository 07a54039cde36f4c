import { S3Error } from "#base/error.ts";
import { type Operation, operation } from "#s3/operation.ts";
import type { Route } from "#s3/route.ts";

type Row = readonly [name: string, method: Route["method"], on: Route["on"], ...query: string[]];

/** AWS operations that are not offered (yet), so that each is refused by its name. */
const ROWS: readonly Row[] = [
  ["CreateSession", "GET", "bucket", "session"],
  ["DeleteBucketAnalyticsConfiguration", "DELETE", "bucket", "analytics"],
  ["DeleteBucketEncryption", "DELETE", "bucket", "encryption"],
  ["DeleteBucketIntelligentTieringConfiguration", "DELETE", "bucket", "intelligent-tiering"],
  ["DeleteBucketInventoryConfiguration", "DELETE", "bucket", "inventory"],
  ["DeleteBucketMetricsConfiguration", "DELETE", "bucket", "metrics"],
  ["DeleteBucketPolicy", "DELETE", "bucket", "policy"],
  ["DeleteBucketReplication", "DELETE", "bucket", "replication"],
  ["DeleteBucketWebsite", "DELETE", "bucket", "website"],
  ["GetBucketAccelerateConfiguration", "GET", "bucket", "accelerate"],
  ["GetBucketAnalyticsConfiguration", "GET", "bucket", "analytics"],
  ["GetBucketEncryption", "GET", "bucket", "encryption"],
  ["GetBucketIntelligentTieringConfiguration", "GET", "bucket", "intelligent-tiering"],
  ["GetBucketInventoryConfiguration", "GET", "bucket", "inventory"],
  ["GetBucketLogging", "GET", "bucket", "logging"],
  ["GetBucketMetricsConfiguration", "GET", "bucket", "metrics"],
  ["GetBucketNotificationConfiguration", "GET", "bucket", "notification"],
  ["GetBucketPolicy", "GET", "bucket", "policy"],
  ["GetBucketPolicyStatus", "GET", "bucket", "policyStatus"],
  ["GetBucketReplication", "GET", "bucket", "replication"],
  ["GetBucketRequestPayment", "GET", "bucket", "requestPayment"],
  ["GetBucketWebsite", "GET", "bucket", "website"],
  ["GetObjectLegalHold", "GET", "object", "legal-hold"],
  ["GetObjectLockConfiguration", "GET", "bucket", "object-lock"],
  ["GetObjectRetention", "GET", "object", "retention"],
  ["GetObjectTorrent", "GET", "object", "torrent"],
  ["PostObject", "POST", "bucket"],
  ["PutBucketAccelerateConfiguration", "PUT", "bucket", "accelerate"],
  ["PutBucketAnalyticsConfiguration", "PUT", "bucket", "analytics"],
  ["PutBucketEncryption", "PUT", "bucket", "encryption"],
  ["PutBucketIntelligentTieringConfiguration", "PUT", "bucket", "intelligent-tiering"],
  ["PutBucketInventoryConfiguration", "PUT", "bucket", "inventory"],
  ["PutBucketLogging", "PUT", "bucket", "logging"],
  ["PutBucketMetricsConfiguration", "PUT", "bucket", "metrics"],
  ["PutBucketNotificationConfiguration", "PUT", "bucket", "notification"],
  ["PutBucketPolicy", "PUT", "bucket", "policy"],
  ["PutBucketReplication", "PUT", "bucket", "replication"],
  ["PutBucketRequestPayment", "PUT", "bucket", "requestPayment"],
  ["PutBucketWebsite", "PUT", "bucket", "website"],
  ["PutObjectLegalHold", "PUT", "object", "legal-hold"],
  ["PutObjectLockConfiguration", "PUT", "bucket", "object-lock"],
  ["PutObjectRetention", "PUT", "object", "retention"],
  ["RestoreObject", "POST", "object", "restore"],
  ["SelectObjectContent", "POST", "object", "select"],
];

export const NOT_OFFERED: readonly Operation[] = ROWS.map(([name, method, on, ...query]) =>
  operation({
    name,
    route: { method, on, ...(query.length > 0 ? { query } : {}) },
    body: "none",
    parse: ({ bucket }) => bucket ?? "*",
    grants: (resource) => [{ action: `s3:${name}`, resource }],
    run: async () => {
      const message = `${name} is not implemented by this server.`;
      throw new S3Error("NotImplemented", { Operation: name }, { message });
    },
    render: (never: never) => never,
  }),
);
