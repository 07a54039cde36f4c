import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Reply } from "#test/support/server.ts";

type Headers = Readonly<Record<string, string>>;

/** A customer's key as it goes over the wire. */
export interface TestKey {
  /** Base64. */
  readonly text: string;
  readonly md5: string;
}

export function testKey(bytes: Uint8Array): TestKey {
  return {
    text: Buffer.from(bytes).toString("base64"),
    md5: createHash("md5").update(bytes).digest("base64"),
  };
}

export const KEY = testKey(Buffer.from("the first key of 32 bytes: 01234"));
export const OTHER_KEY = testKey(Buffer.from("another key, of 32 bytes: 567890"));

/** What goes with a request of SSE-C; `of` "copy-source-" for the source of a copy. */
export function sseC({ text, md5 }: TestKey, of: "" | "copy-source-" = ""): Headers {
  const stem = `x-amz-${of}server-side-encryption-customer`;
  return { [`${stem}-algorithm`]: "AES256", [`${stem}-key`]: text, [`${stem}-key-md5`]: md5 };
}

export const SSE_S3: Headers = { "x-amz-server-side-encryption": "AES256" };

/** Sizes that live in the record, in one chunk of a blob, and in several. */
export const SIZES = [0, 9, 17, 150_000];

/** Bytes of which no two places look alike. */
export function pattern(sizeBytes: number): string {
  return Array.from({ length: Math.ceil(sizeBytes / 8) }, (_, index) =>
    index.toString(16).padStart(8, "."),
  )
    .join("")
    .slice(0, sizeBytes);
}

/** Without printing hundreds of kilobytes when they differ. */
export function assertBody({ status, text }: Reply, expected: string): void {
  assert.ok(status < 300, `${status}: ${text.slice(0, 1_000)}`);
  if (text === expected) return;
  const at = [...expected].findIndex((char, index) => text[index] !== char);
  assert.fail(`${text.length} bytes where there were ${expected.length}; others from ${at} on`);
}

/** Says of the encryption what AWS says, and nothing else. */
export function assertEncrypted(reply: Reply, how: TestKey | "SSE-S3" | "none"): void {
  const names = Object.keys(reply.headers).filter((name) => name.includes("encryption"));
  const shown = Object.fromEntries(names.map((name) => [name, reply.headers[name]]));
  const stem = "x-amz-server-side-encryption";
  if (how === "none") assert.deepEqual(shown, {});
  else if (how === "SSE-S3") assert.deepEqual(shown, { [stem]: "AES256" });
  else {
    const expected = { [`${stem}-customer-algorithm`]: "AES256" };
    assert.deepEqual(shown, { ...expected, [`${stem}-customer-key-md5`]: how.md5 });
  }
}
