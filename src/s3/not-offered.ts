import { S3Error } from "#base/error.ts";
import { type Operation, operation } from "#s3/operation.ts";
import type { Route } from "#s3/route.ts";

type Row = readonly [name: string, method: Route["method"], on: Route["on"], ...query: string[]];

/** AWS operations that are not offered (yet), so that each is refused by its name. */
const ROWS: readonly Row[] = [
  ["CreateBucketMetadataConfiguration", "POST", "bucket", "metadataConfiguration"],
  ["CreateBucketMetadataTableConfiguration", "POST", "bucket", "metadataTable"],
  ["DeleteBucketAnalyticsConfiguration", "DELETE", "bucket", "analytics"],
  ["DeleteBucketIntelligentTieringConfiguration", "DELETE", "bucket", "intelligent-tiering"],
  ["DeleteBucketInventoryConfiguration", "DELETE", "bucket", "inventory"],
  ["DeleteBucketMetadataConfiguration", "DELETE", "bucket", "metadataConfiguration"],
  ["DeleteBucketMetadataTableConfiguration", "DELETE", "bucket", "metadataTable"],
  ["DeleteBucketMetricsConfiguration", "DELETE", "bucket", "metrics"],
  ["DeleteBucketReplication", "DELETE", "bucket", "replication"],
  ["DeleteBucketWebsite", "DELETE", "bucket", "website"],
  ["DeleteObjectAnnotation", "DELETE", "object", "annotation"],
  ["GetBucketAbac", "GET", "bucket", "abac"],
  ["GetBucketAccelerateConfiguration", "GET", "bucket", "accelerate"],
  ["GetBucketAnalyticsConfiguration", "GET", "bucket", "analytics", "id"],
  ["GetBucketIntelligentTieringConfiguration", "GET", "bucket", "intelligent-tiering", "id"],
  ["GetBucketInventoryConfiguration", "GET", "bucket", "inventory", "id"],
  ["GetBucketLogging", "GET", "bucket", "logging"],
  ["GetBucketMetadataConfiguration", "GET", "bucket", "metadataConfiguration"],
  ["GetBucketMetadataTableConfiguration", "GET", "bucket", "metadataTable"],
  ["GetBucketMetricsConfiguration", "GET", "bucket", "metrics", "id"],
  ["GetBucketNotificationConfiguration", "GET", "bucket", "notification"],
  ["GetBucketReplication", "GET", "bucket", "replication"],
  ["GetBucketRequestPayment", "GET", "bucket", "requestPayment"],
  ["GetBucketWebsite", "GET", "bucket", "website"],
  ["GetObjectAnnotation", "GET", "object", "annotation", "annotationName"],
  ["GetObjectLegalHold", "GET", "object", "legal-hold"],
  ["GetObjectLockConfiguration", "GET", "bucket", "object-lock"],
  ["GetObjectRetention", "GET", "object", "retention"],
  ["GetObjectTorrent", "GET", "object", "torrent"],
  ["ListBucketAnalyticsConfigurations", "GET", "bucket", "analytics"],
  ["ListBucketIntelligentTieringConfigurations", "GET", "bucket", "intelligent-tiering"],
  ["ListBucketInventoryConfigurations", "GET", "bucket", "inventory"],
  ["ListBucketMetricsConfigurations", "GET", "bucket", "metrics"],
  ["ListDirectoryBuckets", "GET", "service", "x-id=ListDirectoryBuckets"],
  ["ListObjectAnnotations", "GET", "object", "annotation"],
  ["PutBucketAbac", "PUT", "bucket", "abac"],
  ["PutBucketAccelerateConfiguration", "PUT", "bucket", "accelerate"],
  ["PutBucketAnalyticsConfiguration", "PUT", "bucket", "analytics"],
  ["PutBucketIntelligentTieringConfiguration", "PUT", "bucket", "intelligent-tiering"],
  ["PutBucketInventoryConfiguration", "PUT", "bucket", "inventory"],
  ["PutBucketLogging", "PUT", "bucket", "logging"],
  ["PutBucketMetricsConfiguration", "PUT", "bucket", "metrics"],
  ["PutBucketNotificationConfiguration", "PUT", "bucket", "notification"],
  ["PutBucketReplication", "PUT", "bucket", "replication"],
  ["PutBucketRequestPayment", "PUT", "bucket", "requestPayment"],
  ["PutBucketWebsite", "PUT", "bucket", "website"],
  ["PutObjectAnnotation", "PUT", "object", "annotation"],
  ["PutObjectLegalHold", "PUT", "object", "legal-hold"],
  ["PutObjectLockConfiguration", "PUT", "bucket", "object-lock"],
  ["PutObjectRetention", "PUT", "object", "retention"],
  ["RestoreObject", "POST", "object", "restore"],
  ["SelectObjectContent", "POST", "object", "select"],
  ["UpdateBucketMetadataAnnotationTableConfiguration", "PUT", "bucket", "metadataAnnotationTable"],
  ["UpdateBucketMetadataInventoryTableConfiguration", "PUT", "bucket", "metadataInventoryTable"],
  ["UpdateBucketMetadataJournalTableConfiguration", "PUT", "bucket", "metadataJournalTable"],
  ["UpdateObjectEncryption", "PUT", "object", "encryption"],
];

const ROUTES: readonly { readonly name: string; readonly route: Route }[] = [
  ...ROWS.map(([name, method, on, ...query]) => ({
    ...{ name, route: { method, on, ...(query.length > 0 ? { query } : {}) } },
  })),
  {
    name: "WriteGetObjectResponse",
    route: { method: "POST", on: "bucket", header: "x-amz-request-route" },
  },
];

export const NOT_OFFERED: readonly Operation[] = ROUTES.map(({ name, route }) =>
  operation({
    name,
    route,
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
