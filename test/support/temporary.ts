import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const made: string[] = [];

/** A fresh directory that is removed when the test process ends. */
export async function temporaryDirectory(): Promise<string> {
  const path = mkdtempSync(join(tmpdir(), "lode-test-"));
  made.push(path);
  return path;
}

process.on("exit", () => {
  for (const path of made) rmSync(path, { recursive: true, force: true });
});
