import { z } from "zod";
import { empty, mend, message, text, timestamp, timestampOf, uint64Text } from "#admin/message.ts";
import { type Operation, operation } from "#admin/operation.ts";
import type { FoundDamage, ScrubPass } from "#job/scrub-record.ts";
import type { Scrubs } from "#job/scrubs.ts";

const damage = z.object({
  kind: text,
  bucketName: text,
  key: text,
  versionId: text.optional(),
  uploadId: text.optional(),
  blob: text.optional(),
  foundTime: timestamp,
});

const pass = z.object({
  startTime: timestamp,
  endTime: timestamp.optional().describe("absent while it has not ended"),
  bytes: uint64Text.describe("read, of blobs and records"),
  blobs: uint64Text,
  records: uint64Text.describe("heads, versions, uploads and parts"),
  damaged: uint64Text,
  damages: z.array(damage).describe("the first of them; the server's log has more"),
});

const scrub = z.object({
  state: z
    .enum(["running", "waiting", "paused", "off"])
    .describe("off: none begins by itself, by --scrub-interval"),
  current: pass.optional().describe("the one that has begun and not ended"),
  last: pass.optional().describe("the last that came to its end"),
  nextTime: timestamp.optional().describe("when the next one begins"),
});

const getScrub = operation({
  name: "GetScrub",
  summary: "Tell how far the scrub is, which reads all that is stored again, and what it found.",
  method: "GET",
  path: "/v1/lode/scrub",
  needs: "operator",
  input: empty,
  output: scrub,
  run: async ({ scrubs }) => await statusOf(scrubs),
});

const orderScrub = operation({
  name: "OrderScrub",
  summary: "Have everything read now, pause the scrub, or let it go on where it was.",
  method: "POST",
  path: "/v1/lode/scrub",
  needs: "operator",
  input: message({
    order: z.enum(["start", "pause", "resume"], { error: mend("give start, pause or resume") }),
  }),
  output: scrub.describe("the scrub follows within ten seconds"),
  run: async ({ scrubs }, { order }) => {
    await scrubs[order]();
    return await statusOf(scrubs);
  },
});

export const scrubOperations: readonly Operation[] = [getScrub, orderScrub];

async function statusOf(scrubs: Scrubs): Promise<z.input<typeof scrub>> {
  const { state, current, last, nextMs } = await scrubs.status();
  return {
    state,
    current: current && passOf(current),
    last: last && passOf(last),
    nextTime: nextMs === undefined ? undefined : timestampOf(nextMs),
  };
}

function passOf({ startedMs, endedMs, counts, damages }: ScrubPass): z.input<typeof pass> {
  return {
    startTime: timestampOf(startedMs),
    endTime: endedMs === undefined ? undefined : timestampOf(endedMs),
    bytes: String(counts.bytes),
    blobs: String(counts.blobs),
    records: String(counts.records),
    damaged: String(counts.damaged),
    damages: damages.map(damageOf),
  };
}

function damageOf({ bucket, foundMs, ...rest }: FoundDamage): z.input<typeof damage> {
  return { bucketName: bucket, foundTime: timestampOf(foundMs), ...rest };
}
