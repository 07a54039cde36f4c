/** Writes docs/api.md: every AWS operation, whether it is offered, its request and its permission. */
import { writeFileSync } from "node:fs";
import { assert } from "#base/assert.ts";
import { NOT_OFFERED } from "#s3/not-offered.ts";
import type { Operation } from "#s3/operation.ts";
import { OPERATIONS } from "#s3/operations.ts";
import { frame, type S3Request } from "#s3/request.ts";
import type { Route } from "#s3/route.ts";

export const API_PAGE = new URL("../docs/api.md", import.meta.url);

/** Documents that operations read; without its own, one is given an empty document. */
const DOCUMENTS: Readonly<Record<string, string>> = {
  CompleteMultipartUpload:
    "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>e</ETag></Part></CompleteMultipartUpload>",
  DeleteObjects: "<Delete><Object><Key>key</Key></Object></Delete>",
  PutBucketVersioning:
    "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
  PutObjectTagging: "<Tagging><TagSet></TagSet></Tagging>",
};

/** Headers that one operation demands and the others ignore. */
const HEADERS = {
  "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==",
  "x-amz-object-attributes": "ETag",
  "x-amz-rename-source": "/bucket/source",
};

export function apiPage(): string {
  const offered = OPERATIONS.filter((operation) => !NOT_OFFERED.includes(operation));
  return `# S3 API

Written by \`npm run docs\` from the table in [src/s3/operations.ts](../src/s3/operations.ts): do not edit it here.
Lode knows ${OPERATIONS.length} operations by name and offers ${offered.length}. What differs in those is in [compatibility.md](compatibility.md).

## Offered

The permission is what a caller must be allowed; the second name is asked when the request names a version.

| Operation | Request | Permission |
|---|---|---|
${offered.map((each) => `| ${each.name} | ${requestOf(each.route)} | ${permissionsOf(each)} |`).join("\n")}

## Not offered

Each is refused with 501 \`NotImplemented\` and its name, for callers who could be allowed it.

| Operation | Request |
|---|---|
${NOT_OFFERED.map(({ name, route }) => `| ${name} | ${requestOf(route)} |`).join("\n")}
`;
}

const PATHS: Readonly<Record<Route["on"], string>> = {
  service: "/",
  bucket: "/bucket",
  object: "/bucket/key",
};

function requestOf({ method, on, query = [], header }: Route): string {
  const words = query.length === 0 ? "" : `?${query.join("&")}`;
  const condition = header === undefined ? "" : ` with \`${header}\``;
  return `\`${method} ${PATHS[on]}${words}\`${condition}`;
}

function permissionsOf(operation: Operation): string {
  const plain = actionsOf(operation, undefined);
  assert(plain !== undefined, `${operation.name} needs a sample document in tools/api-coverage.ts`);
  const actions = new Set([...plain, ...(actionsOf(operation, "null") ?? [])]);
  return [...actions].map((action) => `\`${action}\``).join(", ");
}

/** undefined when the operation refuses such a request. */
function actionsOf(operation: Operation, version: string | undefined): string[] | undefined {
  try {
    const { grants } = operation.prepare(sampleOf(operation, version));
    return [...new Set(grants.map(({ action }) => action))];
  } catch {
    return undefined;
  }
}

function sampleOf({ name, route }: Operation, version: string | undefined): S3Request {
  const { method, on, query = [], header } = route;
  const copied = version === undefined ? "bucket/source" : `bucket/source?versionId=${version}`;
  const words = query.map(sampleParameter);
  if (version !== undefined && header === undefined) words.push(`versionId=${version}`);
  const headers = { ...HEADERS, ...(header === undefined ? {} : { [header]: copied }) };
  const http = {
    method,
    target: `${PATHS[on]}?${words.join("&")}`,
    rawHeaders: Object.entries(headers).flat(),
    remoteAddress: "",
    secure: true,
    body: nothing(),
  };
  return {
    ...frame(http, { baseDomains: [], pathStyle: true }),
    document: DOCUMENTS[name] ?? "",
    body: {
      sizeBytes: 0,
      chunks: nothing(),
      algorithm: undefined,
      hasSha256: false,
      claims: () => ({ md5: undefined, sha256: undefined, checksum: undefined }),
    },
    signed: true,
    nowMs: 0,
  };
}

function sampleParameter(condition: string): string {
  if (condition.includes("=")) return condition;
  return `${condition}=${condition === "partNumber" ? "1" : "sample"}`;
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

if (import.meta.main) writeFileSync(API_PAGE, apiPage());
