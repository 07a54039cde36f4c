import { z } from "zod";
import { empty, flag, message, text, timestamp, timestampOf, uint64Text } from "#admin/message.ts";
import { type Operation, operation } from "#admin/operation.ts";
import { ownBucket } from "#admin/own-bucket.ts";
import { zoneQuotas } from "#catalog/organization-limits.ts";
import type { RecountReport } from "#job/recounts.ts";
import { STORAGE_CLASSES } from "#object/attributes.ts";

/** How long a call waits for the end of a recount. */
const WAIT_MS = 20_000;

const classUsage = z.object({
  storageClass: z.enum(STORAGE_CLASSES),
  versions: uint64Text,
  bytes: uint64Text.describe("of all versions, the current ones and those before"),
  uploadBytes: uint64Text.describe("of the parts of unfinished uploads"),
  quotaBytes: uint64Text.optional().describe("what bytes and uploadBytes may come to"),
});

const zoneUsage = z.object({
  zone: text,
  classes: z.array(classUsage),
  deleteMarkers: uint64Text,
  uploads: uint64Text,
});

const getUsage = operation({
  name: "GetUsage",
  summary: "Tell what the organization holds, by zone and storage class.",
  method: "GET",
  path: "/v1/lode/usage",
  needs: "cwobject:GetUsage",
  input: empty,
  output: z.object({ zones: z.array(zoneUsage) }),
  run: async ({ policies, zonesOf, organizationId }) => {
    const { limits } = await policies.standing(organizationId);
    const zones = await zonesOf(organizationId);
    return {
      zones: zones.map(({ zone, usage }) => ({
        zone,
        classes: STORAGE_CLASSES.map((storageClass) => {
          const { versions, bytes, partBytes } = usage.classes[storageClass];
          const quota = zoneQuotas(limits, zone)?.[storageClass];
          return {
            ...{ storageClass, versions: shown(versions), bytes: shown(bytes) },
            uploadBytes: shown(partBytes),
            quotaBytes: quota === undefined ? undefined : String(quota),
          };
        }),
        deleteMarkers: shown(usage.deleteMarkers),
        uploads: shown(usage.uploads),
      })),
    };
  },
});

const recount = z.object({
  orgId: text,
  bucketName: text.optional(),
  startTime: timestamp,
  endTime: timestamp.optional().describe("absent while it goes on"),
  repairs: z.array(
    z.object({
      counter: z.enum(["bucket", "zone"]),
      name: text,
      added: z
        .array(z.number())
        .describe(
          "STANDARD versions, bytes; delete markers, uploads; STANDARD part bytes; the three of STANDARD_IA",
        ),
    }),
  ),
  failures: z.array(text).describe("what could not be counted; the server's log says why"),
});

const ORGANIZATION = "the first when it is left out";

const recountUsage = operation({
  name: "RecountUsage",
  summary: "Count a bucket, or all of an organization, again, and put its counters right.",
  method: "POST",
  path: "/v1/lode/usage/recount",
  needs: "operator",
  input: message({
    orgId: text.optional().describe(ORGANIZATION),
    bucketName: text.optional().describe("all buckets when it is left out"),
  }),
  output: recount.describe(`as it is at its end, or after ${WAIT_MS / 1_000} seconds`),
  run: async (services, { orgId = services.organizationId, bucketName }) => {
    await services.organizations.get(orgId);
    const of = { ...services, organizationId: orgId };
    const bucket = bucketName === undefined ? undefined : await ownBucket(of, bucketName);
    const ask = { organizationId: orgId, bucket: bucket?.name };
    return reportOf(await services.recounts.run(ask, WAIT_MS));
  },
});

const getRecount = operation({
  name: "GetRecount",
  summary: "Tell about the recount that goes on, or the last one that was asked for.",
  method: "GET",
  path: "/v1/lode/usage/recount",
  needs: "operator",
  input: message({
    wait: flag.optional().describe("for its end, but not longer than RecountUsage"),
  }),
  output: z.object({ recount: recount.optional().describe("absent when there was none") }),
  run: async ({ recounts }, { wait = false }) => {
    if (wait) await recounts.wait(WAIT_MS);
    return { recount: recounts.last === undefined ? undefined : reportOf(recounts.last) };
  },
});

export const usageOperations: readonly Operation[] = [getRecount, getUsage, recountUsage];

function reportOf(report: RecountReport): z.input<typeof recount> {
  const { organizationId, bucket, startedMs, endedMs, drifts, failures } = report;
  return {
    orgId: organizationId,
    bucketName: bucket,
    startTime: timestampOf(startedMs),
    endTime: endedMs === undefined ? undefined : timestampOf(endedMs),
    repairs: drifts.map(({ counter, name, amounts }) => ({ counter, name, added: [...amounts] })),
    failures: [...failures],
  };
}

/** Until a recount has put it right, a counter may be wrong, and below zero. */
function shown(count: number): string {
  return String(Math.max(0, count));
}
