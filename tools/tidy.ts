/** Checks what no off-the-shelf linter knows about this repository. Run by `npm run check`. */
import { existsSync, globSync, readFileSync } from "node:fs";

/**
 * A folder of src may import itself and the folders on its line; everything else is an error. Files
 * that stand in src itself, and the processes of a server, put the parts together and may import anything.
 */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  meta: ["base"],
  blob: ["base"],
  object: ["base"],
  access: ["base"],
  audit: ["base", "access"],
  catalog: ["base", "access", "meta", "object"],
  versioned: ["base", "meta", "blob", "object"],
  volume: ["base", "blob", "object"],
  federation: ["base", "access", "catalog"],
  s3: ["base", "access", "catalog", "object"],
  sts: ["base", "access", "catalog", "federation", "s3"],
  server: ["base"],
  admin: ["base", "access", "catalog", "federation", "object", "job"],
  job: ["base", "volume", "audit", "object", "catalog", "versioned", "check"],
  cli: ["base"],
  prove: ["base"],
  check: ["base", "meta", "blob", "object", "catalog", "versioned"],
  maintenance: ["base", "meta", "blob", "catalog", "versioned", "check", "server"],
};

/** Packages that are adapters, and the files or folders that may know them. */
const ADAPTERS: Readonly<Record<string, readonly string[]>> = {
  lmdb: ["src/meta/lmdb.ts"],
  pino: ["src/base/log.ts"],
  zod: ["src/admin"],
  "prom-client": [
    "src/base/metrics.ts",
    "src/base/request-metrics.ts",
    "src/process/supervisor.ts",
  ],
  saxes: ["src/base/xml.ts"],
  jose: ["src/federation/oidc-token.ts"],
  "@node-saml/node-saml": ["src/federation/saml-library.ts"],
  "@node-rs/crc32": ["src/base/checksum.ts"],
};

const ASSEMBLY = "process";

interface Ban {
  readonly pattern: RegExp;
  readonly instead: string;
  /** Files that what is written instead is made of. */
  readonly except: readonly string[];
}

/** Text that may not appear in src: what it does could not be replayed, or not be told apart. */
const BANS: readonly Ban[] = [
  {
    pattern: /\bDate\.now\b|\bnew Date\(\)|\bDate\(\)/,
    instead: "clock.now()",
    except: ["src/base/clock.ts"],
  },
  {
    pattern: /(?<!\.)\bset(?:Timeout|Interval)\(|"node:timers/,
    instead: "clock.sleep() or deadline()",
    except: ["src/base/clock.ts"],
  },
  {
    pattern: /\bMath\.random\b|\brandom(?:UUID|FillSync|Fill)\b|\bgetRandomValues\b/,
    instead: "base/random.ts",
    except: ["src/base/random.ts"],
  },
  {
    pattern: /\bprocess\.env\b/,
    instead: "the Config that is passed down",
    except: ["src/main.ts", "src/config.ts"],
  },
  { pattern: /\bconsole\b\s*\./, instead: "the log", except: [] },
  { pattern: /\b(?:FIXME|XXX)\b/, instead: "the fix, before the merge", except: [] },
];

const FILE_LINES_MAX = 400;

interface Source {
  readonly path: string;
  readonly text: string;
}

interface Import {
  readonly names: string;
  readonly from: string;
}

const sources = globSync("src/**/*.ts")
  .sort()
  .map((path): Source => ({ path, text: readFileSync(path, "utf8") }));
const problems = sources.flatMap((source) => [
  ...size(source),
  ...(source.path.endsWith(".test.ts") ? [] : rules(source)),
]);
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exitCode = problems.length > 0 ? 1 : 0;

function* rules(source: Source): Iterable<string> {
  yield* layers(source);
  yield* adapters(source);
  yield* randomness(source);
  yield* banned(source);
  yield* untested(source);
}

function* layers({ path, text }: Source): Iterable<string> {
  const [, folder = "", ...rest] = path.split("/");
  if (rest.length === 0 || folder === ASSEMBLY) return;
  const allowed = LAYERS[folder];
  if (allowed === undefined) {
    yield `${path}: the folder ${folder}/ has no line in LAYERS of tools/tidy.ts`;
    return;
  }
  for (const { from } of importsOf(text)) {
    if (from.startsWith(".")) {
      yield `${path}: import by layer, as "#object/name.ts", not by "${from}"`;
    }
    if (!from.startsWith("#")) continue;
    const [target = "", ...below] = from.slice(1).split("/");
    if (below.length > 0 && (target === folder || allowed.includes(target))) continue;
    yield `${path}: ${folder}/ may not import ${from}`;
  }
}

function* adapters({ path, text }: Source): Iterable<string> {
  for (const { from } of importsOf(text)) {
    const name = from.split("/", from.startsWith("@") ? 2 : 1).join("/");
    const files = ADAPTERS[name];
    if (files?.some((file) => path === file || path.startsWith(`${file}/`)) === false) {
      yield `${path}: "${name}" may be imported by ${files.join(" and ")} alone`;
    }
    if (files === undefined && !from.startsWith("#") && !/^(?:node:|\.)/.test(from)) {
      yield `${path}: "${name}" has no line in ADAPTERS of tools/tidy.ts`;
    }
  }
}

function* randomness({ path, text }: Source): Iterable<string> {
  if (path === "src/base/random.ts") return;
  for (const { names, from } of importsOf(text)) {
    if (from === "node:crypto" && /\brandom|\bwebcrypto\b/.test(names)) {
      yield `${path}: draw randomness from base/random.ts, not from node:crypto`;
    }
  }
}

function* banned({ path, text }: Source): Iterable<string> {
  for (const [index, line] of text.split("\n").entries()) {
    for (const { pattern, instead, except } of BANS) {
      if (except.includes(path)) continue;
      const [found] = pattern.exec(line) ?? [];
      if (found !== undefined) yield `${path}:${index + 1}: ${found} is banned, use ${instead}`;
    }
  }
}

function* size({ path, text }: Source): Iterable<string> {
  const lines = text.split("\n").length - 1;
  if (lines > FILE_LINES_MAX) yield `${path}: ${lines} lines, over ${FILE_LINES_MAX}`;
}

/** Every S3 operation has a test of its own, under the same name. */
function* untested({ path }: Source): Iterable<string> {
  const [, name] = /^src\/s3\/op\/(.+)\.ts$/.exec(path) ?? [];
  if (name !== undefined && !existsSync(`test/s3/${name}.test.ts`)) {
    yield `${path}: there is no test/s3/${name}.test.ts`;
  }
}

/** Static and dynamic imports, and exports from elsewhere. */
function importsOf(text: string): readonly Import[] {
  const statements = text.matchAll(/^(?:import|export)\b([^;"]*)"([^"]+)"/gm);
  const calls = text.matchAll(/\bimport\(()\s*"([^"]+)"/g);
  return [...statements, ...calls].flatMap(([, names = "", from = ""]) =>
    /\bfrom\s*$|^\s*$/.test(names) ? [{ names, from }] : [],
  );
}
