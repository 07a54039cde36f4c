import { S3Error } from "#base/error.ts";
import type { Operation } from "#s3/operation.ts";
import type { FramedRequest } from "#s3/request.ts";

/** Which requests are this operation. Every condition must hold. */
export interface Route {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  readonly on: "service" | "bucket" | "object";
  /** Query names that must be present, as in `?uploads`, or name and value, as in `list-type=2`. */
  readonly query?: readonly string[];
  /** Header that must be present: it tells CopyObject from PutObject. */
  readonly header?: string;
}

/** Query names that change nothing about what an operation is. */
const PARAMETERS = new Set([
  "allow-unordered",
  "annotationName",
  "bucket-region",
  "continuation-token",
  "delimiter",
  "encoding-type",
  "fetch-owner",
  "id",
  "key-marker",
  "list-type",
  "marker",
  "max-buckets",
  "max-keys",
  "max-parts",
  "max-uploads",
  "part-number-marker",
  "partNumber",
  "prefix",
  "start-after",
  "upload-id-marker",
  "uploadId",
  "version-id-marker",
  "versionId",
  "x-id",
]);

export type Router = (request: FramedRequest) => Operation;

/**
 * The operation a request names: of those whose conditions hold, the one with the most.
 * Fails: MethodNotAllowed when none does; NotImplemented for a subresource that no operation knows,
 * which must never be taken for the object itself.
 */
export function router(operations: readonly Operation[]): Router {
  const table = new Map<string, Operation[]>();
  for (const operation of operations) {
    const slot = slotOf(operation.route.method, operation.route.on);
    table.set(slot, [...(table.get(slot) ?? []), operation]);
  }
  for (const list of table.values()) {
    list.sort((a, b) => conditions(b.route) - conditions(a.route));
  }
  const subresources = new Set(operations.flatMap(({ route }) => subresourcesOf(route)));
  return (request) => {
    const candidates = table.get(slotOf(request.method, levelOf(request))) ?? [];
    const plain = request.query.size === 0;
    const found = candidates.find(
      ({ route }) => !(plain && route.query !== undefined) && matches(route, request),
    );
    if (!plain) refuseUnknown(request, found, subresources);
    if (found === undefined) {
      throw new S3Error("MethodNotAllowed", {
        Method: request.method,
        ResourceType: levelOf(request).toUpperCase(),
      });
    }
    return found;
  };
}

export function conditions({ query, header }: Route): number {
  return (query?.length ?? 0) + (header === undefined ? 0 : 1);
}

function slotOf(method: string, on: Route["on"]): string {
  return `${method} ${on}`;
}

function matches({ query, header }: Route, request: FramedRequest): boolean {
  return (
    (query === undefined || query.every((condition) => holds(condition, request.query))) &&
    (header === undefined || request.headers[header] !== undefined)
  );
}

function holds(condition: string, query: FramedRequest["query"]): boolean {
  const equals = condition.indexOf("=");
  if (equals < 0) return query.has(condition);
  return query.get(condition.slice(0, equals)) === condition.slice(equals + 1);
}

function subresourcesOf({ query = [] }: Route): readonly string[] {
  return query
    .map((condition) => condition.split("=", 1).join())
    .filter((name) => !PARAMETERS.has(name));
}

/**
 * A name without a value is a subresource, and so is one of another operation, whatever its value;
 * any other name is ignored, as AWS does.
 */
function refuseUnknown(
  { query, method }: FramedRequest,
  found: Operation | undefined,
  subresources: ReadonlySet<string>,
): void {
  const known = found === undefined ? [] : subresourcesOf(found.route);
  for (const [name, value] of query) {
    if (known.includes(name) || PARAMETERS.has(name)) continue;
    const unknown = value === "" && !/^(?:x-amz|response)-/i.test(name);
    if (unknown || subresources.has(name)) {
      const message = `The subresource "${name}" is not implemented for ${method} requests.`;
      throw new S3Error("NotImplemented", { Operation: `${method} ?${name}` }, { message });
    }
  }
}

function levelOf({ bucket, key }: FramedRequest): Route["on"] {
  if (bucket === undefined) return "service";
  return key === undefined ? "bucket" : "object";
}
