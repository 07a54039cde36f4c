import { StorageError } from "#base/error.ts";
import { LENGTH_BYTES } from "#meta/frames.ts";

/** How a change ended that was committed for another process. */
export type Outcome = { readonly id: number } & (
  | { readonly sequence: number | undefined }
  | { readonly failure: StorageError }
);

/** In place of a sequence, which is greater than zero. */
const REFUSED = 0;
const FULL = -1;
const UNAVAILABLE = -2;

const HEAD_BYTES = 4 + 8;

/** `u32 id · f64 sequence, or what stands in its place · message of a failure`, as a frame. */
export function answerBytes(outcome: Outcome): number {
  const text = "failure" in outcome ? Buffer.byteLength(outcome.failure.message) : 0;
  return LENGTH_BYTES + HEAD_BYTES + text;
}

/** Returns where it ends. */
export function writeAnswer(into: Buffer, at: number, outcome: Outcome): number {
  const end = at + answerBytes(outcome);
  into.writeUInt32LE(end - at - LENGTH_BYTES, at);
  into.writeUInt32LE(outcome.id, at + LENGTH_BYTES);
  const sequenceAt = at + LENGTH_BYTES + 4;
  if ("failure" in outcome) {
    into.writeDoubleLE(outcome.failure.kind === "full" ? FULL : UNAVAILABLE, sequenceAt);
    into.write(outcome.failure.message, sequenceAt + 8, "utf8");
  } else {
    into.writeDoubleLE(outcome.sequence ?? REFUSED, sequenceAt);
  }
  return end;
}

export function readAnswer(frame: Buffer): Outcome {
  const id = frame.readUInt32LE(0);
  const sequence = frame.readDoubleLE(4);
  if (sequence > REFUSED) return { id, sequence };
  if (sequence === REFUSED) return { id, sequence: undefined };
  const kind = sequence === FULL ? "full" : "unavailable";
  return { id, failure: new StorageError(kind, frame.toString("utf8", HEAD_BYTES)) };
}
