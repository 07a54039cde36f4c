import { readableBytes } from "#base/readable.ts";
import type { Json } from "#cli/api.ts";
import type { Command } from "#cli/command.ts";
import { field, pairs, table, timeOf } from "#cli/layout.ts";

const SCRUB = "/v1/lode/scrub";

export const scrubCommands: readonly Command[] = [
  ordering("start", "have all that is stored read again now"),
  ordering("pause", "let the scrub rest, also over a restart"),
  ordering("resume", "let it go on where it was"),
  {
    name: "scrub",
    summary: "how far the scrub is, and what it found damaged",
    run: async (_, { api }) => {
      const json = await api.call({ path: SCRUB });
      return { json, text: statusText(json) };
    },
  },
];

function ordering(order: string, summary: string): Command {
  return {
    name: `scrub ${order}`,
    summary,
    run: async (_, { api }) => {
      const json = await api.call({ method: "POST", path: SCRUB, body: { order } });
      return { json, text: statusText(json) };
    },
  };
}

function statusText(scrub: Json): string {
  const current = scrub["current"] as Json | undefined;
  const last = scrub["last"] as Json | undefined;
  const status = pairs([
    ["state", String(scrub["state"])],
    ["begun", current && timeOf(current["startTime"])],
    ["read", current && readText(current)],
    ["last begun", last && timeOf(last["startTime"])],
    ["last ended", last && timeOf(last["endTime"])],
    ["last read", last && readText(last)],
    ["next", scrub["nextTime"] === undefined ? undefined : timeOf(scrub["nextTime"])],
  ]);
  return [
    status,
    ...damagesText("it has found damaged", current),
    ...damagesText("the last found damaged", last),
  ].join("\n");
}

function readText({ bytes, blobs, records }: Json): string {
  return `${readableBytes(Number(bytes))}, ${blobs} blobs, ${records} records`;
}

function damagesText(title: string, pass: Json | undefined): readonly string[] {
  if (pass === undefined) return [];
  const { damaged, damages } = pass;
  const rows = damages as readonly Json[];
  if (rows.length === 0) return [];
  const more = Number(damaged) > rows.length ? ["The server's log names the others."] : [];
  return ["", `${title}: ${damaged}`, table(rows, COLUMNS), ...more];
}

const COLUMNS = [
  field("bucketName", "bucket"),
  field("key"),
  field("versionId", "version"),
  field("uploadId", "upload"),
  field("kind"),
  field("blob"),
  { title: "found", of: (row: Json) => timeOf(row["foundTime"]) },
];
