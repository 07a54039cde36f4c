import type { Grant } from "#access/grant.ts";
import { type CodeWith, S3Error } from "#base/error.ts";
import { document, type Element, tag } from "#base/xml.ts";
import type { DocumentKind } from "#catalog/catalog.ts";
import { type Operation, operation } from "#s3/operation.ts";
import { refuseVolume } from "#s3/refuse-volume.ts";
import { empty } from "#s3/reply.ts";
import { bucketOf, documentOf, type S3Request } from "#s3/request.ts";

/** What differs between one kind of bucket document and the next. */
interface BucketDocument {
  /** Its name in the catalog and in the query, as in `?tagging`. */
  readonly kind: DocumentKind;
  /** Its name in Get…, Put… and Delete…, as in `BucketTagging`. */
  readonly name: string;
  /** Where AWS's name of the Delete… breaks the pattern. */
  readonly deleteName?: string;
  readonly root: string;
  readonly actions: Readonly<Record<"get" | "put" | "delete", Grant["action"]>>;
  readonly putStatus: 200 | 204;
  /** The code of a Get when there is none. */
  readonly missing: CodeWith<"BucketName">;
  /** false: it speaks of what only an ordinary bucket does to its objects. */
  readonly forVolumes?: false;
  /** Checks a document and returns its root's content in canonical form; undefined: it says nothing. Fails as its page says. */
  readonly check: (root: Element) => string | undefined;
  /** What comes and goes in a header beside the document, with which it is kept. */
  readonly beside?: Beside;
}

interface Beside {
  readonly header: string;
  /** In the stored document, and in none that is answered. */
  readonly element: string;
  /** The first holds where none is given. */
  readonly values: readonly [string, ...string[]];
}

/** The three operations on one kind of bucket document: AWS has a dozen kinds, one behaviour. */
export function bucketDocument(spec: BucketDocument): readonly Operation[] {
  const { kind, name, actions, missing, beside } = spec;
  const on = { on: "bucket", query: [kind] } as const;
  const grants = (verb: keyof typeof actions) => (bucket: string) =>
    [{ action: actions[verb], resource: bucket }] as const;
  return [
    operation({
      name: `Get${name}`,
      route: { method: "GET", ...on },
      body: "none",
      parse: bucketOf,
      grants: grants("get"),
      run: async ({ open, catalog }, bucket) => {
        const text = await catalog.document((await open(bucket)).bucket, kind);
        if (text === undefined) throw new S3Error(missing, { BucketName: bucket });
        return apart(text, beside);
      },
      render: ({ body, headers }) => ({
        status: 200,
        headers: {
          "content-type": "application/xml",
          "content-length": String(Buffer.byteLength(body)),
          ...headers,
        },
        body,
      }),
    }),
    operation({
      name: `Put${name}`,
      route: { method: "PUT", ...on },
      body: "document",
      parse: (request) => {
        const content = spec.check(documentOf(request, spec.root));
        const more = beside === undefined ? "" : readBeside(request, beside);
        return {
          bucket: bucketOf(request),
          text: content === undefined ? undefined : document(spec.root, more + content),
        };
      },
      grants: ({ bucket }) => grants("put")(bucket),
      run: async ({ open, catalog }, { bucket: named, text }) => {
        const { bucket } = await open(named);
        if (spec.forVolumes === false) refuseVolume(bucket, `Put${name}`);
        await catalog.setDocument(bucket, kind, text);
      },
      render: (_, { text }) => empty(spec.putStatus, apart(text ?? "", beside).headers),
    }),
    operation({
      name: spec.deleteName ?? `Delete${name}`,
      route: { method: "DELETE", ...on },
      body: "none",
      parse: bucketOf,
      grants: grants("delete"),
      run: async ({ open, catalog }, bucket) =>
        await catalog.setDocument((await open(bucket)).bucket, kind, undefined),
      render: () => empty(204),
    }),
  ];
}

/** Fails: InvalidRequest. */
function readBeside({ headers }: S3Request, { header, element, values }: Beside): string {
  const [fallback] = values;
  const value = headers[header] ?? fallback;
  if (!values.includes(value)) {
    throw new S3Error("InvalidRequest", {}, { message: `Invalid ${element} found: ${value}` });
  }
  return value === fallback ? "" : tag(element, value);
}

/** A stored document, and what is kept with it. */
function apart(text: string, beside: Beside | undefined) {
  if (beside === undefined) return { body: text, headers: {} };
  const { header, element, values } = beside;
  const value = values.find((each) => text.includes(tag(element, each))) ?? values[0];
  return { body: text.replace(tag(element, value), ""), headers: { [header]: value } };
}
