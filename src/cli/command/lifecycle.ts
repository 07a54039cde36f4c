import type { Json } from "#cli/api.ts";
import type { Command } from "#cli/command.ts";
import { UsageError } from "#cli/failure.ts";
import { field, table } from "#cli/layout.ts";

export const lifecycleCommands: readonly Command[] = [
  {
    name: "lifecycle preview",
    summary: "what the lifecycle rules of a bucket would remove now; nothing is removed",
    arguments: [{ name: "BUCKET" }],
    options: { limit: { value: "N", summary: "stop when so many are found; 1000 when absent" } },
    run: async (given, { api }) => {
      const limit = limitOf(given.text("limit") ?? "1000");
      const path = `/v1/lode/lifecycle-preview/${encodeURIComponent(given.argument("BUCKET"))}`;
      const due: Json[] = [];
      let examined = 0;
      let pageToken: string | undefined;
      do {
        const page = await api.call({ path, query: { pageToken } });
        due.push(...(page["due"] as readonly Json[]));
        examined += Number(page["examined"]);
        pageToken = page["nextPageToken"] as string | undefined;
      } while (pageToken !== undefined && due.length < limit);
      const found = due.slice(0, limit);
      const isAll = pageToken === undefined && due.length <= limit;
      const end = isAll
        ? `${found.length} of ${examined} would go.`
        : `There may be more: these are the first ${found.length}.`;
      const text = found.length === 0 ? end : `${table(found, COLUMNS)}\n${end}`;
      return { json: { due: found, examined, complete: isAll }, text };
    },
  },
];

const COLUMNS = [
  field("action"),
  field("key"),
  field("versionId", "version"),
  field("uploadId", "upload"),
  field("ruleId", "rule"),
];

/** Fails: UsageError. */
function limitOf(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new UsageError(`--limit "${text}": give a whole number from 1 to 9999999.`);
}
