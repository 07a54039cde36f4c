/** Baseline: write each body to a file in pieces of 1 MiB, with MD5 and CRC64NVME, then sync it. */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { createCRC64 } from "hash-wasm";
import { MIB } from "../scale.ts";
import { baselineOptions } from "./options.ts";
import { serve } from "./serve.ts";

/** Spec: NVM Express NVM command set, 64b CRC polynomial, bits reflected. */
const CRC64NVME = "9a6c9329ac4bc9b5";

const { workers, headers, directory } = baselineOptions();
let files = 0;

serve(workers, (request, response) => {
  files += 1;
  store(request, join(directory, `${process.pid}-${files}`)).then(
    (sums) => response.writeHead(200, { ...headers, ...sums, "content-length": 0 }).end(),
    (error: unknown) => response.destroy(error instanceof Error ? error : undefined),
  );
});

async function store(request: IncomingMessage, path: string): Promise<Record<string, string>> {
  await using file = await open(path, "wx");
  const md5 = createHash("md5");
  const crc = await createCRC64(CRC64NVME);
  let pieces: Buffer[] = [];
  let bytes = 0;
  // One write is under way while the next piece is received and hashed.
  let written = Promise.resolve();
  const flush = async (): Promise<void> => {
    await written;
    const full = pieces;
    pieces = [];
    bytes = 0;
    written = file.writev(full).then(() => undefined);
  };
  for await (const chunk of request) {
    md5.update(chunk);
    crc.update(chunk);
    pieces.push(chunk);
    bytes += chunk.length;
    if (bytes >= MIB) await flush();
  }
  await flush();
  await written;
  await file.datasync();
  return { etag: `"${md5.digest("hex")}"`, "x-amz-checksum-crc64nvme": crc.digest("hex") };
}
