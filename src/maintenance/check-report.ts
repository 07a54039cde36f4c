import type { CheckReport } from "#check/check.ts";
import { PROBLEM_KINDS } from "#check/problem.ts";

/** Nothing is wrong any more. */
export function isWell({ problems }: CheckReport): boolean {
  return problems.every(({ count, mended }) => count === mended);
}

/** What was looked at, then what is wrong with it. */
export function reportText({ counts, read, problems }: CheckReport): string {
  const { young, leftBehind } = counts;
  const looked = [
    ["buckets", counts.buckets],
    ["users, keys, policies and settings", counts.control],
    ["keys", counts.keys],
    ["versions", counts.versions],
    ["uploads", counts.uploads],
    ["blobs", counts.blobs],
    ["bytes in blobs", counts.blobBytes],
    ["references", counts.references],
    ["garbage entries", counts.garbage],
    ...(young > 0 ? [["blobs of writes under way", young] as const] : []),
    ...(leftBehind > 0
      ? [["blobs that a crash left behind; the server clears them away", leftBehind] as const]
      : []),
    ...(read === undefined
      ? []
      : [["blobs read", read.blobs] as const, ["bytes read", read.bytes] as const]),
  ] as const;
  const lines = looked.map(
    ([what, count]) => `${count.toLocaleString("en-US").padStart(18)}  ${what}`,
  );
  return `${[...lines, "", ...problemLines(problems)].join("\n")}\n`;
}

function problemLines(problems: CheckReport["problems"]): readonly string[] {
  if (problems.length === 0) return ["Nothing is wrong."];
  const lines = problems.flatMap(({ kind, count, mended, examples }) => {
    const said = mended > 0 ? `, ${mended} of them mended` : "";
    const more = count > examples.length ? [`    … and ${count - examples.length} more`] : [];
    return [
      `  ${kind}: ${count} ${PROBLEM_KINDS[kind]}${said}`,
      ...examples.map((each) => `    ${visible(each)}`),
      ...more,
    ];
  });
  const count = problems.reduce((sum, each) => sum + each.count, 0);
  const mended = problems.reduce((sum, each) => sum + each.mended, 0);
  const left = count - mended;
  const end = left === 0 ? "All of it was mended." : `${left} of ${count} problems are not mended.`;
  return ["Wrong:", ...lines, "", end];
}

/** A key cannot move the cursor of a terminal. */
function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, (char) => JSON.stringify(char).slice(1, -1));
}
