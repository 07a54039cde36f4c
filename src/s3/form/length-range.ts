import { S3Error } from "#base/error.ts";
import type { Body } from "#object/body.ts";
import type { LengthRange } from "#s3/form/post-policy.ts";

/**
 * A body that fails unless its length is in the range: at once when it cannot be, else at its end, where it is known.
 * So whoever stores it stores nothing.
 *
 * Observed: 2020-07-23, as others measured AWS: both sizes are told.
 * Fails: EntityTooLarge, and as it is read EntityTooSmall too.
 */
export function within(body: Body, range: LengthRange): Body {
  if ((body.sizeBytesMin ?? body.sizeBytes) > range.maxBytes) {
    throw tooLarge(body.sizeBytes, range);
  }
  return { ...body, chunks: counted(body.chunks, range) };
}

async function* counted(
  chunks: Body["chunks"],
  range: LengthRange,
): AsyncGenerator<Uint8Array, void> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    yield chunk;
  }
  // By no more than what a form has beside its file: else it was refused before it was read.
  if (bytes > range.maxBytes) throw tooLarge(bytes, range);
  if (bytes < range.minBytes) {
    throw new S3Error(
      "EntityTooSmall",
      { ProposedSize: String(bytes), MinSizeAllowed: String(range.minBytes) },
      { message: "Your proposed upload is smaller than the minimum allowed size" },
    );
  }
}

function tooLarge(bytes: number, { maxBytes }: LengthRange): S3Error {
  return new S3Error(
    "EntityTooLarge",
    { ProposedSize: String(bytes), MaxSizeAllowed: String(maxBytes) },
    { message: "Your proposed upload exceeds the maximum allowed size" },
  );
}
