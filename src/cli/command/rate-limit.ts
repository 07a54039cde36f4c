import { readableBytes } from "#base/readable.ts";
import type { Json } from "#cli/api.ts";
import type { Command } from "#cli/command.ts";
import { UsageError } from "#cli/failure.ts";
import { pairs } from "#cli/layout.ts";
import { bytes } from "#cli/quantity.ts";

const RATES = "/v1/lode/rate-limits";
const BUCKET = { value: "BUCKET", summary: "of all who use it together; else of each principal" };

export const rateLimitCommands: readonly Command[] = [
  {
    name: "rate-limit get",
    summary: "how fast principals, and a bucket, may be used",
    options: { bucket: BUCKET },
    run: async (given, { api }) => {
      const query = { bucketName: given.text("bucket") };
      const json = await api.call({ path: RATES, query });
      const { principal, bucket } = json as { principal: Json; bucket?: Json };
      return {
        json,
        text: pairs([...lines("each principal", principal), ...lines("bucket", bucket)]),
      };
    },
  },
  {
    name: "rate-limit set",
    summary: "say how fast principals, or a bucket, may be used, in place of what was said",
    options: {
      bucket: BUCKET,
      requests: { value: "N", summary: "requests a second; no limit when absent" },
      bytes: { value: "SIZE", summary: "bytes a second, both ways together; no limit when absent" },
    },
    more: "For example: lode rate-limit set --bucket data --requests 500 --bytes 1GiB",
    run: async (given, { api }) => {
      const bucketName = given.text("bucket");
      const body = {
        bucketName,
        requestsPerSecond: requestsOf(given.text("requests")),
        bytesPerSecond: bytesOf(given.text("bytes")),
      };
      const path = `${RATES}/${bucketName === undefined ? "principal" : "bucket"}`;
      const json = await api.call({ method: "PUT", path, body });
      const of = bucketName === undefined ? "each principal" : bucketName;
      return { json, text: pairs(lines(of, body)) };
    },
  },
];

/** Fails: UsageError. */
function requestsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError(`--requests "${text}": give a whole number of 1 or more.`);
}

function bytesOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : String(bytes("bytes", text));
}

function lines(of: string, rates: Json | undefined): readonly (readonly [string, string])[] {
  if (rates === undefined) return [];
  const { requestsPerSecond, bytesPerSecond } = rates;
  return [
    [`${of}, requests a second`, requestsPerSecond === undefined ? "-" : String(requestsPerSecond)],
    [
      `${of}, bytes a second`,
      bytesPerSecond === undefined ? "-" : readableBytes(Number(bytesPerSecond)),
    ],
  ];
}
