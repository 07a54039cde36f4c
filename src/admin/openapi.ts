import { z } from "zod";
import type { Operation } from "#admin/operation.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** What the organization is named by, in operations of users and of the operator alike. */
const ORGANIZATION = {
  name: "orgId",
  in: "query",
  description: "For the operator: the organization that the call is about, else the first.",
  schema: { type: "string" },
};

const STATUS = {
  type: "object",
  required: ["code", "message", "details"],
  properties: {
    code: { type: "integer", description: "a code of gRPC" },
    message: { type: "string" },
    details: { type: "array", items: {} },
  },
};

/** Spec: https://spec.openapis.org/oas/v3.1.0 */
export function openApiDocument(operations: readonly Operation[]): JsonObject {
  const sorted = operations.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const paths = new Map<string, JsonObject>();
  for (const operation of sorted) {
    const method = operation.method.toLowerCase();
    paths.set(operation.path, { ...paths.get(operation.path), [method]: pathItem(operation) });
  }
  const responses = sorted.map(({ name, output }): [string, unknown] => [
    `${name}Response`,
    schemaOf(output, "output"),
  ]);
  const requests = sorted.flatMap((operation): [string, unknown][] =>
    hasBody(operation) ? [[`${operation.name}Request`, bodyOf(operation)]] : [],
  );
  return {
    openapi: "3.1.0",
    info: {
      title: "Lode control API",
      version: "1",
      description: "Organizations, users, keys, policies and settings of a Lode server.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    security: [{ token: [] }],
    paths: Object.fromEntries(paths),
    components: {
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
      schemas: Object.fromEntries([["Status", STATUS], ...requests, ...responses]),
    },
  };
}

function pathItem(operation: Operation): JsonObject {
  const { name, summary, needs } = operation;
  return {
    operationId: name,
    summary,
    description: `Needs: ${needsText(needs)}.`,
    ...(needs === "nothing" ? { security: [] } : {}),
    parameters: parametersOf(operation),
    ...(hasBody(operation) ? { requestBody: content(`${name}Request`, { required: true }) } : {}),
    responses: {
      200: content(`${name}Response`, { description: "Done." }),
      default: content("Status", { description: "Not done." }),
    },
  };
}

export function needsText(needs: Operation["needs"]): string {
  if (needs === "nothing") return "no token";
  if (needs === "token") return "any token";
  if (needs === "operator") return "the operator's token";
  return needs === "grants" ? "permissions on the bucket" : needs;
}

function content(name: string, more: JsonObject): JsonObject {
  const schema = { $ref: `#/components/schemas/${name}` };
  return { ...more, content: { "application/json": { schema } } };
}

function hasBody({ method }: Operation): boolean {
  return method === "POST" || method === "PUT";
}

export interface Field {
  readonly name: string;
  readonly in: "path" | "query" | "body";
  readonly required: boolean;
  readonly description: string | undefined;
  readonly schema: JsonObject;
}

/** What the operation takes, and where. */
export function fieldsOf(operation: Operation): readonly Field[] {
  const { properties = {}, required = [] } = schemaOf(operation.input, "input") as {
    readonly properties?: Readonly<Record<string, JsonObject>>;
    readonly required?: readonly string[];
  };
  const rest = hasBody(operation) ? "body" : "query";
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: operation.path.includes(`{${name}}`) ? "path" : rest,
    required: required.includes(name),
    description: description as string | undefined,
    schema,
  }));
}

function parametersOf(operation: Operation): readonly unknown[] {
  const own = fieldsOf(operation).filter((field) => field.in !== "body");
  const scoped = operation.needs !== "nothing" && operation.needs !== "operator";
  return [...own, ...(scoped ? [ORGANIZATION] : [])];
}

/** The input without what stands in the path. */
function bodyOf(operation: Operation): JsonObject {
  const whole = schemaOf(operation.input, "input");
  const fields = fieldsOf(operation).filter((field) => field.in === "body");
  const properties = fields.map(({ name, schema, description }) => [
    name,
    description === undefined ? schema : { description, ...schema },
  ]);
  const required = fields.flatMap(({ name, required }) => (required ? [name] : []));
  return { ...whole, properties: Object.fromEntries(properties), required };
}

function schemaOf(schema: z.ZodType, io: "input" | "output"): JsonObject {
  const { $schema: _, ...document } = z.toJSONSchema(schema, { io });
  return document;
}
