import type { Client, Reply } from "#prove/client.ts";

type Verdict = "pass" | "fail" | "not offered";

export interface Outcome {
  readonly verdict: Verdict;
  /** What was seen. */
  readonly evidence: string;
}

/** Something that an S3 server promises, and how it is held to it. */
export interface Promised {
  readonly name: string;
  readonly title: string;
  /** Keys that it makes begin with its name. */
  readonly prove: (client: Client) => Promise<Outcome>;
}

export function pass(evidence: string): Outcome {
  return { verdict: "pass", evidence };
}

export function fail(evidence: string): Outcome {
  return { verdict: "fail", evidence };
}

export function notOffered(evidence: string): Outcome {
  return { verdict: "not offered", evidence };
}

/** `412 PreconditionFailed` */
export function told({ status, code }: Reply): string {
  return `${status === 0 ? "broken connection" : status} ${code}`.trim();
}

/** The server says that it does not do this. */
export function isNotOffered({ status, code }: Reply): boolean {
  return status === 501 || status === 405 || code === "NotImplemented";
}

/** `31 × 412 PreconditionFailed, 1 × 200` */
export function tallied(replies: readonly Reply[]): string {
  const counts = new Map<string, number>();
  for (const reply of replies) counts.set(told(reply), (counts.get(told(reply)) ?? 0) + 1);
  return [...counts].map(([what, count]) => `${count} × ${what}`).join(", ");
}

/** The numbers below `count`, so many of them under way at a time. */
export async function each(
  { count, atOnce }: { readonly count: number; readonly atOnce: number },
  work: (at: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const at = next;
      next += 1;
      await work(at);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

/** A setup step that did not do: nothing can be said of the promise itself. */
export class Unready extends Error {
  override readonly name = "Unready";
}

/** Fails: Unready. */
export function required(reply: Reply, what: string): Reply {
  if (reply.status >= 200 && reply.status < 300) return reply;
  throw new Unready(`${what}: ${told(reply)}`);
}
