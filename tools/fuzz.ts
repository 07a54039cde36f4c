/**
 * `npm run fuzz -- --minutes 30`: the random tests, round after round with new seeds, until the time is over.
 * The cases that are kept come first. A failure is printed with its seed, the smallest case that shows it, and
 * the command that runs exactly that again; the exit code is then 1.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { randomBelow } from "#base/random.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FOLDERS = "test/{fuzz,model,access}/*.test.ts";
const KEPT = "test/fuzz/corpus.test.ts";
/** A file is one whose tests take their number from the environment. */
const TAKES_RUNS = /\bruns\(\{/;
const SEEDS = 2 ** 31;
/** So many turns each file is meant to have. */
const TURNS = 4;
const TIMES_MAX = 10_000;
/** A round that takes so many times longer than the one before promises hangs. */
const HANGS_FACTOR = 20;
const HANGS_MS_MIN = 300_000;

let running: ChildProcess | undefined;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    running?.kill("SIGKILL");
    process.exit(130);
  });
}

interface Run {
  readonly file: string;
  readonly seed: number;
  /** How many times as much as `npm test` does. */
  readonly times: number;
}

interface Done {
  readonly ok: boolean;
  readonly ms: number;
  readonly output: string;
}

process.exitCode = await fuzz(minutesOf(process.argv.slice(2)));

async function fuzz(minutes: number): Promise<0 | 1 | 2> {
  if (!(minutes > 0)) {
    process.stderr.write(
      "Usage: npm run fuzz -- [--minutes N]\n  --minutes N   how long, all files together (10); each file runs once at the least\n",
    );
    return 2;
  }
  const totalMs = minutes * 60_000;
  const endMs = performance.now() + totalMs;
  const left = new Set(filesOf());
  const msOfOne = new Map<string, number>();
  const failed: string[] = [];
  const attempt = async (run: Run, hangsMs: number): Promise<Done> => {
    const done = await ran(run, hangsMs);
    const { file, seed, times } = run;
    const seconds = (done.ms / 1000).toFixed(1);
    print(`${done.ok ? "ok    " : "FAILED"} ${file}  seed ${seed}  x${times}  ${seconds} s`);
    if (!done.ok) {
      failed.push(file);
      left.delete(file);
      print(told(run, done.output));
    }
    return done;
  };
  await attempt({ file: KEPT, seed: 0, times: 1 }, HANGS_MS_MIN);
  for (let isDoing = true; isDoing; ) {
    isDoing = false;
    for (const file of [...left]) {
      const remainingMs = endMs - performance.now();
      const oneMs = msOfOne.get(file);
      if (oneMs !== undefined && oneMs > remainingMs) continue;
      const shareMs = Math.min(remainingMs, totalMs / (left.size * TURNS));
      const times =
        oneMs === undefined ? 1 : Math.max(1, Math.min(TIMES_MAX, Math.floor(shareMs / oneMs)));
      const seed = randomBelow(SEEDS);
      const hangsMs = Math.max(HANGS_MS_MIN, (oneMs ?? 0) * times * HANGS_FACTOR);
      const done = await attempt({ file, seed, times }, hangsMs);
      msOfOne.set(file, Math.max(1, done.ms / times));
      isDoing = true;
    }
  }
  print(failed.length === 0 ? "Nothing failed." : `Failed: ${failed.join(", ")}`);
  return failed.length === 0 ? 0 : 1;
}

function filesOf(): readonly string[] {
  return globSync(FOLDERS, { cwd: ROOT })
    .filter((file) => TAKES_RUNS.test(readFileSync(`${ROOT}/${file}`, "utf8")))
    .sort();
}

async function ran({ file, seed, times }: Run, hangsMs: number): Promise<Done> {
  const began = performance.now();
  const child = spawn(process.execPath, [file], {
    cwd: ROOT,
    env: { ...process.env, LODE_SEED: String(seed), LODE_RUNS: String(times) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running = child;
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const hangs = setTimeout(() => {
    output += `\nIt did not end within ${Math.round(hangsMs / 1000)} s.\n`;
    child.kill("SIGKILL");
  }, hangsMs);
  const [code] = await once(child, "close");
  clearTimeout(hangs);
  return { ok: code === 0, ms: performance.now() - began, output };
}

/** What failed, and how to see it again. */
function told({ file, seed, times }: Run, output: string): string {
  const at = output.lastIndexOf("failing tests:");
  const text = (at < 0 ? output : output.slice(at)).trim();
  const path = /seed: (-?\d+), path: "([\d:]+)"/.exec(text);
  const name = /^✖ (.+?) \([\d.]+ms\)$/m.exec(text)?.[1];
  const again =
    path === null || name === undefined
      ? `LODE_RUNS=${times} LODE_SEED=${seed} npx node ${file}`
      : `LODE_SEED=${path[1]}/${path[2]} npx node --test --test-name-pattern=${quoted(name)} ${file}`;
  return `${text}\n\nAgain: ${again}\n`;
}

/** For a shell. */
function quoted(name: string): string {
  const pattern = name.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  return `'${pattern.replaceAll("'", "'\\''")}'`;
}

/** Not a number when it is none. */
function minutesOf(args: readonly string[]): number {
  try {
    const { values } = parseArgs({ args: [...args], options: { minutes: { type: "string" } } });
    return Number(values.minutes ?? 10);
  } catch {
    return Number.NaN;
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
