/** Writes docs/compatibility.md from the tags `Differs:`, `Observed:` and `Unverified:` in src. */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
export const COMPATIBILITY_PAGE = new URL("../docs/compatibility.md", import.meta.url);

const TAGS = ["Differs", "Observed", "Unverified"] as const;
type Tag = (typeof TAGS)[number];

interface Note {
  readonly tag: Tag;
  readonly text: string;
  readonly file: string;
  /** What the comment stands on or in. */
  readonly name: string;
}

export function compatibilityPage(): string {
  const notes = globSync("src/**/*.ts", { cwd: ROOT })
    .filter((file) => !file.endsWith(".test.ts"))
    .sort()
    .flatMap((file) => notesOf(file, readFileSync(`${ROOT}/${file}`, "utf8").split("\n")));
  const section = (tag: Tag) =>
    notes
      .filter((note) => note.tag === tag)
      .map(({ text, file, name }) => `- ${capital(text)}\n  [${file}](../${file}), \`${name}\``)
      .join("\n");
  return `# Compatibility with AWS S3

Written by \`npm run docs\` from comments in the source: do not edit it here. Which operations there are is in
[api.md](api.md), why we differ in [decision 0008](../decisions/0008-what-differs-from-aws.md).

## Differs

On purpose.

${section("Differs")}

## Observed

Measured or seen, and documented nowhere.

${section("Observed")}

## Unverified

Our reading of the documentation, which nobody could check against AWS.

${section("Unverified")}
`;
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

const START = new RegExp(`^\\s*(?:/\\*\\*|\\*|//)\\s+(${TAGS.join("|")}): (.*)$`);
/** A line that goes on with the same comment and begins nothing new. */
const MORE = /^\s*(?:\*|\/\/)\s+(?!\/|[A-Z]\w+: )(\S.*)$/;
const NAMED = /^(?:export )?(?:async )?(?:function\*?|class|const|let|interface|type) (\w+)/;

function notesOf(file: string, lines: readonly string[]): Note[] {
  return lines.flatMap((line, at) => {
    const [, word, first = ""] = START.exec(line) ?? [];
    const tag = TAGS.find((known) => known === word);
    if (tag === undefined) return [];
    const texts = [first];
    for (let next = at + 1; next < lines.length; next += 1) {
      const more = MORE.exec(lines[next] ?? "")?.[1];
      if (more === undefined) break;
      texts.push(more);
    }
    const text = texts.join(" ").replace(/\s*\*\/$/, "");
    return [{ tag, text, file, name: nameAt(lines, at) }];
  });
}

/** The declaration below a comment at the margin; the one around a comment that is indented. */
function nameAt(lines: readonly string[], at: number): string {
  const below = /^(?: \*|\/\*\*|\/\/)/.test(lines[at] ?? "");
  const step = below ? 1 : -1;
  for (let line = at; line >= 0 && line < lines.length; line += step) {
    const name = NAMED.exec(lines[line] ?? "")?.[1];
    if (name !== undefined) return name;
  }
  return "file";
}

if (import.meta.main) writeFileSync(COMPATIBILITY_PAGE, compatibilityPage());
