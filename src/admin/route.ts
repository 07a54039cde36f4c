import type { Operation } from "#admin/operation.ts";
import { ControlError } from "#base/control-error.ts";

interface Routed {
  readonly operation: Operation;
  /** What stands in the braces of its path. */
  readonly fields: Readonly<Record<string, string>>;
}

export type Router = (method: string, path: string) => Routed;

interface Row {
  readonly operation: Operation;
  readonly segments: readonly string[];
}

/** Fails: NotFound for a path that there is none of, Unimplemented for a method that it has not. */
export function router(operations: readonly Operation[]): Router {
  const rows = operations.map((operation) => ({ operation, segments: operation.path.split("/") }));
  return (method, path) => {
    const segments = path.split("/");
    const candidates = rows.filter((row) => matches(row, segments));
    if (candidates.length === 0) throw new ControlError("NotFound", "Not Found");
    const row = candidates.find(({ operation }) => operation.method === method);
    if (row === undefined) {
      const known = candidates.map(({ operation }) => operation.method).join(", ");
      throw new ControlError("Unimplemented", `Method Not Allowed: use ${known}`);
    }
    return { operation: row.operation, fields: fieldsOf(row, segments) };
  };
}

function matches({ segments }: Row, given: readonly string[]): boolean {
  return (
    segments.length === given.length &&
    segments.every((segment, at) => (isField(segment) ? given[at] !== "" : segment === given[at]))
  );
}

function fieldsOf({ segments }: Row, given: readonly string[]): Routed["fields"] {
  const fields = segments.flatMap((segment, at): [string, string][] =>
    isField(segment) ? [[segment.slice(1, -1), decoded(given[at] ?? "")]] : [],
  );
  return Object.fromEntries(fields);
}

function isField(segment: string): boolean {
  return segment.startsWith("{");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new ControlError("InvalidArgument", "the path is not percent-encoded UTF-8", { cause });
  }
}
