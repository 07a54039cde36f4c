import { z } from "zod";
import { bucketSettings, bucketSettingsOf } from "#admin/bucket-view.ts";
import { flag, message, text, uint32, uint64 } from "#admin/message.ts";
import { operation } from "#admin/operation.ts";
import { ownBucket } from "#admin/own-bucket.ts";
import { ControlError } from "#base/control-error.ts";

const settings = message({
  auditLoggingEnabled: flag.optional(),
  archiveEnabled: flag.optional().describe("refused: nobody is entitled to archiving"),
  archiveAfterLastAccessDays: uint32.optional().describe("refused, as archiveEnabled"),
  capacityCapBytes: uint64.optional().describe("0: nothing more may be written"),
  configuredCapacityCapBytes: uint64.optional().describe("shown only; ignored here"),
  removeCapacityCap: flag.optional().describe("as much as the organization may hold"),
});

/**
 * Only what is given changes.
 *
 * Observed: 2026-11-21, the fake server of CoreWeave's Terraform provider: what it refuses, in which
 * order, and with which words.
 * Spec: https://docs.coreweave.com/products/storage/object-storage/reference/object-storage-api-ref/cwobject/set-bucket-settings
 */
export const setBucketSettings = operation({
  name: "SetBucketSettings",
  summary: "Change the settings of a bucket; what is left out stays as it is.",
  method: "PUT",
  path: "/v1/cwobject/bucket/settings",
  needs: "cwobject:SetBucketSettings",
  input: message({ bucketName: text, settings: settings.optional() }),
  output: z.object({ settings: bucketSettings }),
  run: async (services, { bucketName, settings }) => {
    if (settings === undefined) {
      throw new ControlError("InvalidArgument", "bucket settings are required");
    }
    const { archiveEnabled, archiveAfterLastAccessDays } = settings;
    if (archiveEnabled !== undefined || archiveAfterLastAccessDays !== undefined) {
      const message = "organization is not entitled to feature(s): BucketArchive";
      throw new ControlError("PermissionDenied", message);
    }
    const { auditLoggingEnabled, capacityCapBytes, removeCapacityCap = false } = settings;
    if (removeCapacityCap && capacityCapBytes !== undefined) {
      const message = "settings.removeCapacityCap: does not go with capacityCapBytes";
      throw new ControlError("InvalidArgument", message);
    }
    const bucket = await ownBucket(services, bucketName);
    const changed = await services.catalog.changeControlSettings(bucket, (before) => ({
      ...before,
      auditLoggingEnabled: auditLoggingEnabled ?? before.auditLoggingEnabled,
      capacityCapBytes: removeCapacityCap
        ? undefined
        : (capacityCapBytes ?? before.capacityCapBytes),
    }));
    return { settings: bucketSettingsOf(changed) };
  },
});
