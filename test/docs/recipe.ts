/** Reads of Dockerfile and .dockerignore what the ones at the root use, and nothing more. */
import assert from "node:assert/strict";
import { globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** What a stage is given: files and directories of the context, or of an earlier stage. */
export interface Copied {
  /** Empty: the context. */
  readonly from: string;
  readonly sources: readonly string[];
  /** A directory, relative to the working directory of the stage. */
  readonly to: string;
}

/** What is built before the last stage, or the last stage itself. */
interface Stage {
  readonly base: string;
  readonly copies: readonly Copied[];
  /** What `rm -r` takes away again. */
  readonly removed: readonly string[];
  readonly instructions: readonly Instruction[];
}

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** The stages in their order; the last one is the image. */
export function readStages(text: string): readonly Stage[] {
  const lines = text
    .replace(/^#.*\n/gm, "")
    .replace(/\\\n/g, " ")
    .split("\n");
  const instructions = lines
    .map((line) => /^([A-Z]+)\s+(.*)$/.exec(line.trim()))
    .flatMap((match) => (match === null ? [] : [{ name: match[1] ?? "", rest: match[2] ?? "" }]));
  const begins = instructions.flatMap(({ name }, at) => (name === "FROM" ? [at] : []));
  return begins.map((at, index) => stageOf(instructions.slice(at, begins[index + 1])));
}

function stageOf(instructions: readonly Instruction[]): Stage {
  const copies = instructions.filter(({ name }) => name === "COPY").map(({ rest }) => copied(rest));
  const commands = instructions.filter(({ name }) => name === "RUN").map(({ rest }) => rest);
  const removed = commands.flatMap((each) => [...each.matchAll(/\brm -r ([^&]+)/g)]);
  return {
    base: instructions[0]?.rest.split(" ")[0] ?? "",
    copies,
    removed: removed.flatMap(([, paths = ""]) => paths.trim().split(/\s+/)),
    instructions,
  };
}

function copied(rest: string): Copied {
  const words = rest.split(/\s+/);
  const from = words[0]?.startsWith("--from=") ? words.shift()?.slice("--from=".length) : "";
  const to = words.pop() ?? "";
  // Docker takes the last word for a directory only then.
  assert.ok(to.endsWith("/"), `COPY ${rest}`);
  return { from: from ?? "", sources: words, to };
}

/** What follows an instruction that stands in a stage once. */
export function said({ instructions }: Stage, name: string): string {
  const found = instructions.filter((each) => each.name === name);
  assert.equal(found.length, 1, name);
  return found[0]?.rest ?? "";
}

/** Variables of ENV. */
export function environmentOf(stage: Stage): Readonly<Record<string, string>> {
  const pairs = said(stage, "ENV")
    .split(/\s+/)
    .map((pair) => pair.split("="));
  return Object.fromEntries(pairs.map(([name = "", value = ""]) => [name, value]));
}

/** The words of an instruction that ends in a JSON array. */
export function wordsOf(stage: Stage, name: string): readonly string[] {
  const array = said(stage, name);
  return JSON.parse(array.slice(array.indexOf("["))) as string[];
}

/** What .dockerignore leaves to COPY. The last rule that matches a path, or a directory above it, decides. */
export class Context {
  readonly #root: string;
  readonly #rules: readonly { readonly pattern: RegExp; readonly isKept: boolean }[];
  readonly #kept: readonly string[];

  constructor(root: string) {
    this.#root = root;
    const text = readFileSync(join(root, ".dockerignore"), "utf8");
    const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    this.#rules = lines.map((line) => ({
      pattern: patternOf(line.replace(/^!/, "")),
      isKept: line.startsWith("!"),
    }));
    this.#kept = lines.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
  }

  has(path: string): boolean {
    const parts = path.split("/");
    const paths = parts.map((_, at) => parts.slice(0, at + 1).join("/"));
    const last = this.#rules.findLast(({ pattern }) => paths.some((each) => pattern.test(each)));
    return last?.isKept ?? true;
  }

  files(): readonly string[] {
    return this.#kept.flatMap((kept) => this.filesOf(kept));
  }

  /** Of a file, or of all that lies below a directory, what is left. */
  filesOf(path: string): readonly string[] {
    const isFile = statSync(join(this.#root, path)).isFile();
    const paths = isFile ? [path] : globSync(`${path}/**`, { cwd: this.#root });
    return paths.filter((each) => statSync(join(this.#root, each)).isFile() && this.has(each));
  }
}

/** Unlike in a shell, a star stands for names with a dot in front too. */
function patternOf(glob: string): RegExp {
  const escaped = glob.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  const spelled = escaped.replace(/\*\*\/|\*/g, (star) => (star === "*" ? "[^/]*" : "(?:.*/)?"));
  return new RegExp(`^${spelled}$`);
}
