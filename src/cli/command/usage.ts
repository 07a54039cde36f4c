import { readableBytes } from "#base/readable.ts";
import type { Json } from "#cli/api.ts";
import type { Command } from "#cli/command.ts";
import { field, table, textOf } from "#cli/layout.ts";

const RECOUNT = "/v1/lode/usage/recount";

export const usageCommands: readonly Command[] = [
  {
    name: "usage recount",
    summary: "count what there is again, and put the counters right",
    options: {
      bucket: { value: "BUCKET", summary: "only this one; else all of the organization" },
    },
    run: async (given, { api }) => {
      const body = { bucketName: given.text("bucket") };
      let report = await api.call({ method: "POST", path: RECOUNT, body });
      while (report["endTime"] === undefined) {
        const { recount } = await api.call({ path: RECOUNT, query: { wait: "true" } });
        report = recount as Json;
      }
      return { json: report, text: reportText(report) };
    },
  },
  {
    name: "usage",
    summary: "what the organization holds, by zone and storage class",
    run: async (_, { api }) => {
      const json = await api.call({ path: "/v1/lode/usage" });
      const zones = json["zones"] as readonly Json[];
      const rows = zones.flatMap(({ zone, classes }) =>
        (classes as readonly Json[]).map((row) => ({ zone, ...row })),
      );
      return { json, text: table(rows, COLUMNS) };
    },
  },
];

const COLUMNS = [
  field("zone"),
  field("storageClass", "class"),
  field("versions"),
  { title: "size", of: ({ bytes }: Json) => readableBytes(Number(bytes)) },
  { title: "uploads", of: ({ uploadBytes }: Json) => readableBytes(Number(uploadBytes)) },
  {
    title: "quota",
    of: ({ quotaBytes }: Json) =>
      quotaBytes === undefined ? "-" : readableBytes(Number(quotaBytes)),
  },
];

function reportText({ repairs, failures }: Json): string {
  const wrong = repairs as readonly Json[];
  const left = failures as readonly string[];
  const found =
    wrong.length === 0
      ? "Every counter was right."
      : `${table(wrong, [field("counter"), field("name"), field("added")])}\nThese were put right.`;
  if (left.length === 0) return found;
  return `${found}\nNot counted: ${textOf(left)}. The server's log says why.`;
}
