import { z } from "zod";
import { bucketInfo, bucketInfoOf, bucketSettingsOf } from "#admin/bucket-view.ts";
import { message, text, timestampOf } from "#admin/message.ts";
import { type Operation, operation, type Services } from "#admin/operation.ts";
import { ownBucket } from "#admin/own-bucket.ts";
import { nextPageToken, pageFields, pageOf, type Source } from "#admin/page.ts";
import type { BucketRow } from "#catalog/catalog.ts";
import { STRICTEST_CONTROL_SETTINGS } from "#catalog/control-settings.ts";
import type { Bucket } from "#object/bucket.ts";

/** Spec: https://docs.coreweave.com/products/storage/object-storage/reference/object-storage-api-ref/cwobject/list-bucket-info */
const listBucketInfo = operation({
  name: "ListBucketInfo",
  summary: "List the buckets of the organization with their settings and usage.",
  method: "GET",
  path: "/v1/cwobject/bucket-info",
  needs: "cwobject:ListBucketInfo",
  input: message(pageFields),
  output: z.object({ info: z.array(bucketInfo), nextPageToken }),
  run: async (services, wanted) => {
    const { catalog, clock, organizationId } = services;
    const source: Source<BucketRow> = async (ask) => {
      const { rows, next } = await catalog.list({ ...ask, organizationId, prefix: "" });
      return { items: rows, next };
    };
    const page = await pageOf(source, wanted, clock);
    const info = await Promise.all(page.items.map((row) => listed(services, row)));
    return { info, nextPageToken: page.nextPageToken };
  },
});

/** Spec: https://docs.coreweave.com/products/storage/object-storage/reference/object-storage-api-ref/cwobject/get-bucket-info */
const getBucketInfo = operation({
  name: "GetBucketInfo",
  summary: "Tell about a bucket: its settings and usage.",
  method: "GET",
  path: "/v1/cwobject/bucket-info/{bucketName}",
  needs: "cwobject:GetBucketInfo",
  input: message({ bucketName: text }),
  output: z.object({ info: bucketInfo }),
  run: async (services, { bucketName }) => ({
    info: await infoOf(services, await ownBucket(services, bucketName)),
  }),
});

export const bucketInfoOperations: readonly Operation[] = [getBucketInfo, listBucketInfo];

/** One whose record cannot be read has no more than its name. */
async function listed(services: Services, row: BucketRow): Promise<z.input<typeof bucketInfo>> {
  if ("bucket" in row) return await infoOf(services, row.bucket);
  services.request.damaged(row.damage);
  const settings = bucketSettingsOf(STRICTEST_CONTROL_SETTINGS);
  return { name: row.name, creationTime: timestampOf(0), location: "", settings, usage: [] };
}

async function infoOf(
  { catalog, usageOf, request }: Services,
  bucket: Bucket,
): Promise<z.input<typeof bucketInfo>> {
  const { control, damage } = await catalog.settings(bucket);
  if (damage !== undefined) request.damaged(damage);
  return bucketInfoOf({ bucket, settings: control, usage: await usageOf(bucket) });
}
