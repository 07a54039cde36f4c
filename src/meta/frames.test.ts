import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FRAME_BYTES_MAX, FrameReader, LENGTH_BYTES } from "#meta/frames.ts";

test("frames come out as they went in, however the stream is cut", () => {
  const frames = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 });
  const cuts = fc.array(fc.nat(400), { maxLength: 12 });
  fc.assert(
    fc.property(frames, cuts, (sent, at) => {
      const stream = Buffer.concat(sent.flatMap((frame) => [lengthOf(frame.length), frame]));
      const ends = [...new Set([...at.filter((cut) => cut < stream.length), stream.length])];
      const came: Buffer[] = [];
      const reader = new FrameReader((frame) => came.push(Buffer.from(frame)));

      let from = 0;
      for (const end of ends.sort((a, b) => a - b)) {
        reader.feed(stream.subarray(from, end));
        from = end;
      }

      assert.deepEqual(
        came,
        sent.map((frame) => Buffer.from(frame)),
      );
    }),
  );
});

test("a length that no frame has is refused before anything of it is kept", () => {
  const reader = new FrameReader(() => undefined);

  assert.throws(() => reader.feed(lengthOf(FRAME_BYTES_MAX + 1)), /a frame has a length/);
});

function lengthOf(bytes: number): Buffer {
  const text = Buffer.alloc(LENGTH_BYTES);
  text.writeUInt32LE(bytes);
  return text;
}
