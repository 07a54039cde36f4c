import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldsOf, openApiDocument } from "#admin/openapi.ts";
import { OPERATIONS } from "#admin/operations.ts";

type Json = Readonly<Record<string, unknown>>;

const DOCUMENT = openApiDocument(OPERATIONS) as {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Json>> };
};

test("the OpenAPI document has every operation at its path and method, and no other", () => {
  const described = Object.entries(DOCUMENT.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => `${operationId} ${method} ${path}`),
  );
  const served = OPERATIONS.map(
    ({ name, method, path }) => `${name} ${method.toLowerCase()} ${path}`,
  );
  assert.deepEqual(described.sort(), served.sort());
  assert.equal(DOCUMENT.openapi, "3.1.0");
});

test("every reference of the OpenAPI document leads to a schema, and every schema is referred to", () => {
  const text = JSON.stringify(DOCUMENT);
  const referred = new Set(
    [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name),
  );
  assert.deepEqual([...referred].sort(), Object.keys(DOCUMENT.components.schemas).sort());
  assert.equal([...text.matchAll(/"\$ref"/g)].length, OPERATIONS.length * 2 + bodies());
});

test("every field in a path is a required parameter of the operation, of one segment", () => {
  for (const operation of OPERATIONS) {
    const inPath = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const fields = fieldsOf(operation).filter((field) => field.in === "path");
    assert.deepEqual(
      fields.map(({ name }) => name),
      inPath,
      operation.name,
    );
    assert.ok(fields.every(({ required }) => required));
  }
});

test("no field of an operation that is about one organization is called as the operator's own", () => {
  for (const operation of OPERATIONS) {
    if (operation.needs === "operator" || operation.needs === "nothing") continue;
    assert.ok(!fieldsOf(operation).some(({ name }) => name === "orgId"), operation.name);
  }
});

function bodies(): number {
  return OPERATIONS.filter(({ method }) => method === "POST" || method === "PUT").length;
}
