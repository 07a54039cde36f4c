/** Writes docs/api.md: every AWS operation, whether it is offered, its request and its permission. */
import { writeFileSync } from "node:fs";
import { NOT_OFFERED } from "#s3/not-offered.ts";
import type { Operation } from "#s3/operation.ts";
import { OPERATIONS } from "#s3/operations.ts";
import { frame, type S3Request } from "#s3/request.ts";
import type { Route } from "#s3/route.ts";

export const API_PAGE = new URL("../docs/api.md", import.meta.url);

/** Documents that operations read. Without its own, one cannot tell what permission it asks for. */
const DOCUMENTS: Readonly<Record<string, string>> = {
  CompleteMultipartUpload:
    "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>e</ETag></Part></CompleteMultipartUpload>",
  DeleteObjects: "<Delete><Object><Key>key</Key></Object></Delete>",
  PutBucketCors:
    "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>",
  PutBucketEncryption:
    "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>",
  PutBucketLifecycleConfiguration:
    "<LifecycleConfiguration><Rule><Status>Enabled</Status><Filter/><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>",
  PutBucketOwnershipControls:
    "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>",
  PutBucketPolicy:
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"}}',
  PutBucketTagging: "<Tagging><TagSet></TagSet></Tagging>",
  PutBucketVersioning:
    "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
  PutObjectTagging: "<Tagging><TagSet></TagSet></Tagging>",
  PutPublicAccessBlock: "<PublicAccessBlockConfiguration></PublicAccessBlockConfiguration>",
};

/** Headers that one operation demands and the others ignore. */
const HEADERS = {
  "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==",
  "x-amz-object-attributes": "ETag",
  "x-amz-rename-source": "/bucket/source",
};

export function apiPage(): string {
  const offered = byName(OPERATIONS.filter((operation) => !NOT_OFFERED.includes(operation)));
  return `# S3 API

Written by \`npm run docs\` from the table in [src/s3/operations.ts](../src/s3/operations.ts): do not edit it here.
Lode knows ${OPERATIONS.length} operations by name and offers ${offered.length}. What differs in those is in [compatibility.md](compatibility.md).

## Offered

The permission is what a caller must be allowed; further names are for a copy's
source and for a request that names a version.

| Operation | Request | Permission |
|---|---|---|
${offered.map((each) => `| ${each.name} | ${requestOf(each.route)} | ${permissionsOf(each)} |`).join("\n")}

## Not offered

Each is refused with 501 \`NotImplemented\` and its name, for callers who could be allowed it.

| Operation | Request |
|---|---|
${byName(NOT_OFFERED)
  .map(({ name, route }) => `| ${name} | ${requestOf(route)} |`)
  .join("\n")}
`;
}

function byName(operations: readonly Operation[]): readonly Operation[] {
  return operations.toSorted((a, b) => (a.name < b.name ? -1 : 1));
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
  const actions = [undefined, "null"].flatMap((version) => actionsOf(operation, version));
  return [...new Set(actions)].map((action) => `\`${action}\``).join(", ");
}

/** None when the operation refuses such a request. */
function actionsOf(operation: Operation, version: string | undefined): readonly string[] {
  try {
    return operation.prepare(sampleOf(operation, version)).grants.map(({ action }) => action);
  } catch {
    return [];
  }
}

function sampleOf({ name, route, body }: Operation, version: string | undefined): S3Request {
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
    signedMs: 0,
    nowMs: 0,
    ...(body === "form" ? FORM : {}),
  };
}

/** What a form says that nobody signed. */
const FORM = {
  key: "key",
  signedMs: undefined,
  form: {
    fields: new Map<string, string>(),
    file: { name: "", sizeBytesMin: 0, sizeBytesMax: 0, chunks: nothing() },
  },
};

function sampleParameter(condition: string): string {
  if (condition.includes("=")) return condition;
  return `${condition}=${condition === "partNumber" ? "1" : "sample"}`;
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

if (import.meta.main) writeFileSync(API_PAGE, apiPage());
