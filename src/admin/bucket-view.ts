import { z } from "zod";
import { text, timestamp, timestampOf, uint64Text } from "#admin/message.ts";
import { readableBytes } from "#base/readable.ts";
import type { ControlSettings } from "#catalog/control-settings.ts";
import { STORAGE_CLASSES } from "#object/attributes.ts";
import type { Bucket } from "#object/bucket.ts";
import type { Usage } from "#object/usage.ts";

/** Names are CoreWeave's. What is about archiving is not shown: nobody is entitled to it. */
export const bucketSettings = z.object({
  auditLoggingEnabled: z.boolean(),
  capacityCapBytes: uint64Text.optional(),
  configuredCapacityCapBytes: uint64Text.optional(),
});

export function bucketSettingsOf(settings: ControlSettings): z.input<typeof bucketSettings> {
  const { auditLoggingEnabled, capacityCapBytes } = settings;
  const cap = capacityCapBytes === undefined ? undefined : String(capacityCapBytes);
  return { auditLoggingEnabled, capacityCapBytes: cap, configuredCapacityCapBytes: cap };
}

const measurement = z.object({
  measurementType: text,
  value: uint64Text,
  valueHumanReadable: text,
});

/** Unverified: CoreWeave's names of measurements; its clients look for one with "BYTES" in it. */
export const bucketInfo = z.object({
  name: text,
  creationTime: timestamp,
  location: text,
  settings: bucketSettings,
  usage: z.array(measurement),
});

interface Seen {
  readonly bucket: Bucket;
  readonly settings: ControlSettings;
  readonly usage: Usage;
}

export function bucketInfoOf({ bucket, settings, usage }: Seen): z.input<typeof bucketInfo> {
  const sum = (of: "versions" | "bytes" | "partBytes") =>
    STORAGE_CLASSES.reduce((total, each) => total + usage.classes[each][of], 0);
  return {
    name: bucket.name,
    creationTime: timestampOf(bucket.createdMs),
    location: bucket.region,
    settings: bucketSettingsOf(settings),
    usage: [
      bytes("USAGE_BYTES", sum("bytes")),
      bytes("UPLOAD_BYTES", sum("partBytes")),
      count("VERSIONS", sum("versions")),
      count("DELETE_MARKERS", usage.deleteMarkers),
      count("UPLOADS", usage.uploads),
    ],
  };
}

function bytes(measurementType: string, value: number): z.input<typeof measurement> {
  return { measurementType, value: String(value), valueHumanReadable: readableBytes(value) };
}

function count(measurementType: string, value: number): z.input<typeof measurement> {
  return { measurementType, value: String(value), valueHumanReadable: String(value) };
}
