import { z } from "zod";
import { empty, message, text, uint64, uint64Text } from "#admin/message.ts";
import { type Operation, operation, type Services } from "#admin/operation.ts";
import { ownBucket } from "#admin/own-bucket.ts";
import type { Rates } from "#catalog/organization-limits.ts";

const atLeastOne = uint64.refine((value) => value > 0, {
  error: "give 1 or more; leave it out for no limit",
});

const given = {
  requestsPerSecond: atLeastOne.optional().describe("no limit when it is left out"),
  bytesPerSecond: atLeastOne.optional().describe("of bodies, both ways together"),
};

const rates = z.object({
  requestsPerSecond: uint64Text.optional(),
  bytesPerSecond: uint64Text.optional(),
});

const getRateLimits = operation({
  name: "GetRateLimits",
  summary: "Tell how fast each principal of the organization, and one of its buckets, may be used.",
  method: "GET",
  path: "/v1/lode/rate-limits",
  needs: "cwobject:GetRateLimits",
  input: message({ bucketName: text.optional() }),
  output: z.object({
    principal: rates.describe("of each principal by itself"),
    bucket: rates.optional().describe("of all who use the bucket together"),
  }),
  run: async (services, { bucketName }) => {
    const principal = await services.quotas.principalRates(services.organizationId);
    if (bucketName === undefined) return { principal: shown(principal) };
    const { control } = await services.catalog.settings(await ownBucket(services, bucketName));
    return { principal: shown(principal), bucket: shown(control.rates) };
  },
});

const setPrincipalRateLimits = operation({
  name: "SetPrincipalRateLimits",
  summary: "Say how fast each principal of an organization may be, in place of what was said.",
  method: "PUT",
  path: "/v1/lode/rate-limits/principal",
  needs: "operator",
  input: message({
    orgId: text.optional().describe("the first when it is left out"),
    ...given,
  }),
  output: empty,
  run: async (services, { orgId = services.organizationId, ...wanted }) => {
    await services.organizations.get(orgId);
    await services.quotas.setPrincipalRates(orgId, wanted);
    return {};
  },
});

const setBucketRateLimits = operation({
  name: "SetBucketRateLimits",
  summary: "Say how fast a bucket may be used, by all together, in place of what was said.",
  method: "PUT",
  path: "/v1/lode/rate-limits/bucket",
  needs: "operator",
  input: message({
    orgId: text.optional().describe("the first when it is left out"),
    bucketName: text,
    ...given,
  }),
  output: empty,
  run: async (services: Services, { orgId, bucketName, ...wanted }) => {
    const organizationId = orgId ?? services.organizationId;
    const bucket = await ownBucket({ ...services, organizationId }, bucketName);
    const change = { rates: wanted };
    await services.catalog.changeControlSettings(bucket, (before) => ({ ...before, ...change }));
    return {};
  },
});

export const rateLimitOperations: readonly Operation[] = [
  getRateLimits,
  setBucketRateLimits,
  setPrincipalRateLimits,
];

function shown({ requestsPerSecond, bytesPerSecond }: Rates): z.input<typeof rates> {
  return {
    ...(requestsPerSecond === undefined ? {} : { requestsPerSecond: String(requestsPerSecond) }),
    ...(bytesPerSecond === undefined ? {} : { bytesPerSecond: String(bytesPerSecond) }),
  };
}
