/** Baseline: for each request, read one file in pieces of 1 MiB and write them with back-pressure. */

import cluster from "node:cluster";
import { type FileHandle, open, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { payload } from "../client/payload.ts";
import { MIB } from "../scale.ts";
import { baselineOptions } from "./options.ts";
import { serve } from "./serve.ts";

const { workers, headers, sizeBytes, directory } = baselineOptions();
const path = join(directory, "stream-read");
if (cluster.isPrimary) await writeFile(path, payload(sizeBytes));

serve(workers, (_request, response) => {
  response.writeHead(200, { ...headers, "content-length": sizeBytes });
  send(response).catch((error: unknown) =>
    response.destroy(error instanceof Error ? error : undefined),
  );
});

async function send(response: ServerResponse): Promise<void> {
  await using file = await open(path);
  // While one buffer is on its way out, the other one is filled.
  const buffers = [Buffer.allocUnsafeSlow(MIB), Buffer.allocUnsafeSlow(MIB)] as const;
  let sent = Promise.resolve();
  for (let position = 0, turn = 0; position < sizeBytes; turn += 1) {
    const piece = await fill(file, buffers[turn % 2 === 0 ? 0 : 1], position);
    await sent;
    sent = write(response, piece);
    position += piece.length;
  }
  await sent;
  response.end();
}

async function fill(file: FileHandle, buffer: Buffer, position: number): Promise<Buffer> {
  const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
  if (bytesRead === 0) throw new Error("the file is too short");
  return buffer.subarray(0, bytesRead);
}

function write(response: ServerResponse, piece: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    response.write(piece, (error) => (error ? reject(error) : resolve()));
  });
}
