/** Writes docs/control-api.md and docs/openapi.json from the table of the control API. */
import { writeFileSync } from "node:fs";
import {
  type Field,
  fieldsOf,
  type JsonObject,
  needsText,
  openApiDocument,
} from "#admin/openapi.ts";
import type { Operation } from "#admin/operation.ts";
import { OPERATIONS } from "#admin/operations.ts";

export const CONTROL_PAGE = new URL("../docs/control-api.md", import.meta.url);
export const OPENAPI_FILE = new URL("../docs/openapi.json", import.meta.url);

export function openApiText(): string {
  return `${JSON.stringify(openApiDocument(OPERATIONS), undefined, 2)}\n`;
}

export function controlPage(): string {
  const own = OPERATIONS.filter(({ path }) => path.startsWith("/v1/lode/"));
  const theirs = OPERATIONS.filter((operation) => !own.includes(operation));
  return `# Control API

Written by \`npm run docs\` from the table in [src/admin/operations.ts](../src/admin/operations.ts): do not edit it here.
The same as OpenAPI 3.1: [openapi.json](openapi.json), which the server gives at \`GET /openapi.json\`. Access by example:
[access.md](access.md).

It is served at \`--admin-listen\`, \`http://127.0.0.1:9001\` when nothing else is said. \`lode\` speaks it for you: \`lode help\`.

\`\`\`sh
curl -H "Authorization: Bearer $(cat data/admin-token)" http://127.0.0.1:9001/v1/lode/whoami
\`\`\`

- **Who may call.** The operator's token (\`data/admin-token\`, or \`LODE_ADMIN_TOKEN\`) may do everything, for any organization:
  \`?orgId=\` names it, else it is the first. Policies do not hold for it, so that nobody is locked out for good. A user's
  API token may do what the policies of the user's own organization allow: the action in the table, on the resource \`*\`.
- **What goes in.** Fields of the path, the query and a JSON body of at most 1 MiB, by the rules of JSON for protocol buffers:
  \`lowerCamelCase\` or \`snake_case\`; \`null\` is absent; whole numbers as numbers or texts. A field that is not known, or comes
  twice, is refused.
- **What comes out.** JSON; what may be larger than 32 bits is a text, times are RFC 3339.
- **Lists** come in pages of \`limit\` (at most 1,000): go on with \`pageToken\`, or with \`offset\` as CoreWeave's API has it.
- **Errors** are \`{"code": 5, "message": "bucket \\"b\\" not found", "details": []}\`:

| HTTP | \`code\` | |
|---|---|---|
| 400 | 3 InvalidArgument | the message points at the field |
| 400 | 9 FailedPrecondition | not in the state that things are in |
| 401 | 16 Unauthenticated | no token, or not a valid one |
| 403 | 7 PermissionDenied | the server's log says which statement decided |
| 404 | 5 NotFound | of another organization's things too |
| 409 | 6 AlreadyExists | |
| 409 | 10 Aborted | changed by somebody else at the same moment: try again |
| 429 | 8 ResourceExhausted | a limit; or, with \`Retry-After\`, 20 wrong tokens from one address |
| 501 | 12 Unimplemented | the path is known, the method is not |
| 503 | 14 Unavailable | try again |

## As CoreWeave has them

Paths, fields and permissions are those of CoreWeave's AI Object Storage API.

${tableOf(theirs)}

## Lode's own

${tableOf(own)}

## Fields

${OPERATIONS.toSorted(byName).map(fieldsText).join("\n\n")}
`;
}

function byName(a: Operation, b: Operation): number {
  return a.name < b.name ? -1 : 1;
}

function tableOf(operations: readonly Operation[]): string {
  const rows = operations
    .toSorted(byName)
    .map(
      ({ name, method, path, needs, summary }) =>
        `| [${name}](#${name.toLowerCase()}) | \`${method} ${path}\` | ${needsShown(needs)} | ${summary} |`,
    );
  return `| Operation | Request | Needs | |\n|---|---|---|---|\n${rows.join("\n")}`;
}

function needsShown(needs: Operation["needs"]): string {
  return needs.includes(":") ? `\`${needs}\`` : needsText(needs);
}

function fieldsText(operation: Operation): string {
  const fields = fieldsOf(operation);
  const rows = fields.map(
    (field) =>
      `| \`${field.name}\` | ${field.in} | ${typeText(field.schema)} | ${field.required ? "required" : ""} | ${field.description ?? nestedText(field)} |`,
  );
  const table =
    rows.length === 0
      ? "It takes no fields."
      : `| Field | In | Type | | |\n|---|---|---|---|---|\n${rows.join("\n")}`;
  return `### ${operation.name}\n\n\`${operation.method} ${operation.path}\`\n\n${table}`;
}

function nestedText({ schema }: Field): string {
  const { properties } = schema as { readonly properties?: Readonly<Record<string, JsonObject>> };
  if (properties === undefined) return "";
  return Object.entries(properties)
    .map(
      ([name, { description }]) =>
        `\`${name}\`${description === undefined ? "" : ` (${description})`}`,
    )
    .join(", ");
}

function typeText(schema: JsonObject): string {
  const {
    type,
    anyOf,
    enum: words,
    items,
  } = schema as {
    readonly type?: string;
    readonly anyOf?: readonly JsonObject[];
    readonly enum?: readonly string[];
    readonly items?: JsonObject;
  };
  if (words !== undefined) return words.map((word) => `\`${word}\``).join(" ");
  if (type === "array" && items !== undefined) return `list of ${typeText(items)}`;
  const [first] = anyOf ?? [];
  if (first !== undefined) return typeText(first);
  return type === "string" ? "text" : String(type);
}

if (import.meta.main) {
  writeFileSync(CONTROL_PAGE, controlPage());
  writeFileSync(OPENAPI_FILE, openApiText());
}
